"""Audio in: files, bytes and arrays become mono float32 samples at 16 kHz.

Lives here: containers and decoders, resampling, sample checks, voice activity detection (VAD), live
streams in containers (`live`), pieces of recordings, manifests that list audio files with their texts.
May import: `runtime` (cancellation; sessions, for Silero), `types`, `spec`, `errors`.
Public: `reading.decode_audio`, `reading.audio_blocks`, `resample.StreamResampler`, `vad.EnergyDetector`,
`silero.SileroDetector`, `pieces.Piece`, `pieces.cut`, `manifests.entries.read_manifest`,
`live.input.LiveInput`.
"""

from typing import TYPE_CHECKING

from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from gigastt_lab.audio.raw import RawAudio as RawAudio
    from gigastt_lab.audio.reading import audio_blocks as audio_blocks
    from gigastt_lab.audio.reading import decode_audio as decode_audio
    from gigastt_lab.audio.reading import from_array as from_array
    from gigastt_lab.audio.reading import stated_duration_s as stated_duration_s
    from gigastt_lab.audio.resample import StreamResampler as StreamResampler
    from gigastt_lab.audio.samples import Pcm16Framer as Pcm16Framer
    from gigastt_lab.audio.silero import SileroDetector as SileroDetector
    from gigastt_lab.audio.vad import EnergyDetector as EnergyDetector
    from gigastt_lab.audio.vad import EnergyOptions as EnergyOptions
    from gigastt_lab.audio.vad import SpeechDetector as SpeechDetector

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "EnergyDetector": "vad:EnergyDetector",
        "EnergyOptions": "vad:EnergyOptions",
        "Pcm16Framer": "samples:Pcm16Framer",
        "RawAudio": "raw:RawAudio",
        "SileroDetector": "silero:SileroDetector",
        "SpeechDetector": "vad:SpeechDetector",
        "StreamResampler": "resample:StreamResampler",
        "audio_blocks": "reading:audio_blocks",
        "decode_audio": "reading:decode_audio",
        "from_array": "reading:from_array",
        "stated_duration_s": "reading:stated_duration_s",
    },
    was="reading",
)
