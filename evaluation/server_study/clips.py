"""Audio to send: the packaged clips, joined and cut to length, in the containers that clients send."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import av
import numpy as np
import soundfile

from evaluation.datasets.audio import as_wav
from evaluation.server_study.broken import Broken, broken_files
from evaluation.server_study.recorded import recordings
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array

RATE: Final = GIGAAM_V3.sample_rate
AUDIO_S: Final = 4.0
"""Seconds of the audio that is measured with: an utterance as people speak it to a device."""

_LIVE_S: Final = 8.0
_BLOCK: Final = 4096  # libsndfile's Vorbis encoder crashes on long arrays


def speech(seconds: float) -> Float32Array:
    """The packaged clips one after the other, from the first on, cut to exactly so long; of at most 70 s.

    Shape (n_samples,), in [-1, 1], at 16 kHz.
    """
    n_samples, found = round(seconds * RATE), [np.zeros(0, np.float32)]
    for path in sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac")):
        if sum(map(len, found)) >= n_samples:
            break
        found.append(decode_audio(path))
    return np.concatenate(found)[:n_samples]


def measured_wav() -> bytes:
    """The audio to measure with: `AUDIO_S` of speech as WAV, PCM16 at 16 kHz, mono."""
    return as_wav(speech(AUDIO_S))


@dataclass(frozen=True)
class Material:
    """Audio that the operations of a soak send.

    Attributes:
        probe: The audio to measure with.
        files: Speech of `AUDIO_S` seconds by container.
        long_file: 25 s as FLAC: its transcription takes long enough for a client to go away meanwhile.
        pcm: 8 s as PCM16 by sample rate, for live streams.
        broken: Files that were cut or are damaged.
        recorded: As long by container, as browsers record it.
        recorded_s: Seconds of each of `recorded`.
        job: 60 s as FLAC: more than one window, for jobs.
    """

    probe: bytes = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    long_file: bytes = field(repr=False)
    pcm: Mapping[int, bytes] = field(repr=False)
    broken: tuple[Broken, ...] = field(repr=False)
    recorded: Mapping[str, bytes] = field(repr=False)
    recorded_s: float
    job: bytes = field(repr=False)

    @classmethod
    def made(cls) -> Material:
        """Encode all of it: two seconds of work."""
        waveform, live = speech(AUDIO_S), speech(_LIVE_S)
        files = {name: encode(waveform) for name, encode in _ENCODERS.items()}
        return cls(
            probe=as_wav(waveform),
            files=files,
            long_file=_by_soundfile(speech(25.0), "FLAC", "PCM_16"),
            pcm={rate: _pcm16(live, rate) for rate in (8_000, 16_000, 48_000)},
            broken=broken_files(files),
            recorded=recordings(live, RATE),
            recorded_s=_LIVE_S,
            job=_by_soundfile(speech(60.0), "FLAC", "PCM_16"),
        )


def _by_soundfile(waveform: Float32Array, container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", RATE, 1, subtype, format=container) as sound:
        for start in range(0, len(waveform), _BLOCK):
            sound.write(waveform[start : start + _BLOCK])
    return file.getvalue()


def _by_ffmpeg(waveform: Float32Array, container: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as sink:
        stream: Any = sink.add_stream(codec, rate=48_000, layout="mono")
        resampler = av.AudioResampler(stream.codec_context.format, "mono", 48_000, frame_size=960)
        frame = av.AudioFrame.from_ndarray(waveform[np.newaxis], "fltp", "mono")
        frame.sample_rate = RATE
        for resampled in (*resampler.resample(frame), *resampler.resample(None)):
            sink.mux(stream.encode(resampled))
        sink.mux(stream.encode(None))
    return file.getvalue()


_ENCODERS: Final[dict[str, Callable[[Float32Array], bytes]]] = {
    "wav": as_wav,
    "flac": lambda waveform: _by_soundfile(waveform, "FLAC", "PCM_16"),
    "mp3": lambda waveform: _by_soundfile(waveform, "MP3", "MPEG_LAYER_III"),
    "ogg": lambda waveform: _by_soundfile(waveform, "OGG", "VORBIS"),
    "m4a": lambda waveform: _by_ffmpeg(waveform, "mp4", "aac"),
    "webm": lambda waveform: _by_ffmpeg(waveform, "webm", "libopus"),
}


def _pcm16(waveform: Float32Array, rate: int) -> bytes:
    """PCM16 at another rate, by straight lines: good enough where nobody looks at the text."""
    times = np.arange(round(len(waveform) * rate / RATE)) * (RATE / rate)
    samples = np.interp(times, np.arange(len(waveform)), waveform)
    return bytes(np.clip(samples * 32768, -32768, 32767).astype("<i2"))
