"""Live streams as bytes that come cut anywhere, and what `LiveInput` makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np

from gigastt_lab.audio.live.input import LiveInput
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import _Pipe, by_ffmpeg, by_soundfile, media_recorder

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "250000"}


@dataclass
class Heard:
    """What came out of a stream.

    Attributes:
        samples: Samples of all pieces, joined.
        first_at: Bytes that had been sent when the first sample came out; None without one.
        n_before_end: Samples that had come out before the end was told.
        warnings: What was damaged or missing.
        rate: Rate of the samples, in Hz.
        longest: Samples of the longest piece.
    """

    samples: np.ndarray
    first_at: int | None
    n_before_end: int
    warnings: list[AudioWarning]
    rate: int
    longest: int


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """The bytes in chunks of a size."""
    return (data[at : at + size] for at in range(0, len(data), size))


def heard(chunks: Iterable[bytes], rate: int = 16_000) -> Heard:
    """Everything that a stream of these chunks gives."""
    live = LiveInput(rate)
    pieces: list[bytes | np.ndarray] = []
    first_at, n_sent = None, 0
    try:
        for chunk in chunks:
            n_sent += len(chunk)
            pieces += live.accept(chunk)
            first_at = n_sent if pieces and first_at is None else first_at
        n_before = len(pieces)
        pieces += live.finish()
        warnings = live.warnings()
    finally:
        live.close()
    if live.container is None:
        raw = b"".join(piece for piece in pieces if isinstance(piece, bytes))
        samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 2**15
    else:
        samples = np.concatenate([np.zeros(0, np.float32), *pieces])
    longest = max(map(len, pieces), default=0)
    n_before_end = sum(map(len, pieces[:n_before]))
    return Heard(samples, first_at, n_before_end, warnings, live.sample_rate, longest)


def with_pictures(samples: np.ndarray, rate: int = 16_000) -> bytes:
    """Matroska of a camera, live: ten pictures a second, and the samples as AAC between them."""
    pipe = _Pipe()
    noise = np.random.default_rng(0)
    with av.open(pipe, "w", format="matroska") as sink:
        video: Any = sink.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio: Any = sink.add_stream("aac", rate=rate, layout="mono")
        for number, start in enumerate(range(0, len(samples), rate // 10)):
            picture = noise.integers(0, 255, (48, 64, 3), np.uint8)
            shown = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
            shown.pts = number
            sink.mux(video.encode(shown))
            sound = av.AudioFrame.from_ndarray(
                samples[None, start : start + rate // 10].copy(), "fltp", "mono"
            )
            sound.sample_rate, sound.pts = rate, start
            sink.mux(audio.encode(sound))
        sink.mux(video.encode(None))
        sink.mux(audio.encode(None))
        sink.close()
    return bytes(pipe.content)


def streams_of(samples: np.ndarray, rate: int = 16_000) -> dict[str, bytes]:
    """The samples in every container that can be a stream, by the container's name."""
    return {
        "webm": media_recorder(samples, rate),
        "ogg": by_soundfile(samples, rate, "OGG", "OPUS"),
        "mp4": by_ffmpeg(samples, rate, "mp4", "aac", live=True, **FRAGMENTED),
        "mp3": by_ffmpeg(samples, rate, "mp3", "libmp3lame"),
        "aac": by_ffmpeg(samples, rate, "adts", "aac"),
        "flac": by_soundfile(samples, rate, "FLAC"),
        "wav": by_soundfile(samples, rate, "WAV"),
    }
