"""Audio in: files, bytes and arrays become mono float32 samples at 16 kHz.

Lives here: containers and decoders, resampling, sample checks, voice activity detection (VAD).
May import: `runtime` (cancellation; sessions, for Silero), `types`, `spec`, `errors`.
Public: `reading.decode_audio`, `reading.audio_blocks`, `resample.StreamResampler`, `vad.EnergyDetector`,
`silero.SileroDetector`.
"""
