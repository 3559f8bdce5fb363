"""Makes files with a picture, several audio tracks, late starts and holes, by FFmpeg's libraries."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 16_000
_FPS = 5


@dataclass(frozen=True)
class Track:
    """An audio track.

    Attributes:
        samples: Mono samples. Shape (n_samples,).
        start_s: Second of the file at which it begins.
        codec: Encoder.
        rate: Rate of the samples, in Hz.
        is_default: The mark of the default track; None: as the muxer sets it.
        language: Language tag, if any.
        hole: Seconds of the track whose packets are left out: first and last.
    """

    samples: np.ndarray
    start_s: float = 0.0
    codec: str = "aac"
    rate: int = RATE
    is_default: bool | None = None
    language: str = ""
    hole: tuple[float, float] | None = None


def av_file(
    container: str,
    tracks: Sequence[Track],
    *,
    picture: str | None = "mpeg4",
    picture_s: float = 1.0,
    **options: str,
) -> bytes:
    """A file with a picture from 0 on (None: without one), and audio tracks.

    Args:
        container: Name of the muxer.
        tracks: Audio tracks, in order.
        picture: Encoder of the picture.
        picture_s: Seconds of picture.
        options: Options of the muxer.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        with av.open(path, "w", format=container, options=options) as sink:
            packets: list[Any] = []
            encoders = []
            if picture is not None:
                encoders.append(_picture(sink, picture, picture_s))
            encoders += [_audio(sink, track) for track in tracks]
            for encode in encoders:
                packets += encode()
            packets.sort(key=lambda packet: packet.dts * packet.time_base)
            for packet in packets:
                sink.mux(packet)
        return path.read_bytes()


def _picture(sink: Any, codec: str, seconds: float) -> Any:
    stream = sink.add_stream(codec, rate=_FPS)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"

    def encode() -> list[Any]:
        found = []
        for index in range(round(seconds * _FPS)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), index % 200, np.uint8), "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, _FPS)
            found += stream.encode(frame)
        return [packet for packet in [*found, *stream.encode(None)] if packet.dts is not None]

    return encode


def _audio(sink: Any, track: Track) -> Any:
    from av.stream import Disposition

    stream = sink.add_stream(track.codec, rate=track.rate, layout="mono")
    if track.language:
        stream.metadata["language"] = track.language
    if track.is_default is not None:
        stream.disposition = Disposition.default.value if track.is_default else 0
    name = stream.codec_context.format.name

    def encode() -> list[Any]:
        found = []
        for start in range(0, len(track.samples), 960):
            part = track.samples[start : start + 960][None]
            if not name.startswith("flt"):
                bits = 16 if name.startswith("s16") else 32
                part = np.round(part * (2.0 ** (bits - 1) - 1)).astype(f"i{bits // 8}")
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), name, "mono")
            frame.sample_rate, frame.time_base = track.rate, Fraction(1, track.rate)
            frame.pts = start + round(track.start_s * track.rate)
            found += stream.encode(frame)
        found += stream.encode(None)
        first, last = track.hole or (0.0, 0.0)
        return [
            packet
            for packet in found
            if packet.pts is not None and not first <= packet.pts * packet.time_base - track.start_s < last
        ]

    return encode
