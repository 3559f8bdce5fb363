"""Recordings as web pages send them while they are made: without an end, and without a length."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gigastt_lab.types import Float32Array

_RATE: Final = 48_000
_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"  # EBML ids
_CLUSTERS: Final = {"cluster_time_limit": "500"}
_FRAGMENTS: Final = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "250000",
}


class _Line:
    """File that cannot be sought in: what was written is sent already."""

    def __init__(self) -> None:
        self.sent = bytearray()

    def write(self, data: bytes) -> int:
        self.sent += data
        return len(data)


def recordings(waveform: Float32Array, rate: int) -> dict[str, bytes]:
    """The recording in each container that browsers record.

    WebM/Opus as Chromium's MediaRecorder makes it, Ogg/Opus as Firefox's, fragmented MP4/AAC as Safari's.

    Args:
        waveform: Samples in [-1, 1]. Shape (n_samples,).
        rate: Their rate, in Hz.
    """
    return {
        "webm": _without_sizes(_encoded(waveform, rate, "webm", "libopus", _CLUSTERS)),
        "ogg": _encoded(waveform, rate, "ogg", "libopus", {"page_duration": "100000"}),
        "mp4": _encoded(waveform, rate, "mp4", "aac", _FRAGMENTS),
    }


def _encoded(waveform: Float32Array, rate: int, container: str, codec: str, options: dict[str, str]) -> bytes:
    import av

    line = _Line()
    with av.open(line, "w", format=container, options=options) as sink:
        stream: Any = sink.add_stream(codec, rate=_RATE, layout="mono")
        size = 1024 if codec == "aac" else 960
        resampler = av.AudioResampler(stream.codec_context.format, "mono", _RATE, frame_size=size)
        frame = av.AudioFrame.from_ndarray(waveform[np.newaxis], "fltp", "mono")
        frame.sample_rate = rate
        for resampled in (*resampler.resample(frame), *resampler.resample(None)):
            sink.mux(stream.encode(resampled))
        sink.mux(stream.encode(None))
    return bytes(line.sent)


def _without_sizes(webm: bytes) -> bytes:
    """WebM whose segment and clusters say of their sizes that they are not known, as they are written live.

    Source: RFC 8794, section 6.2: a size of ones alone.
    """
    found = bytearray(webm)
    for name in (_SEGMENT, _CLUSTER):
        at = found.find(name)
        while at >= 0:
            place = at + len(name)
            n_bytes = 9 - found[place].bit_length()
            found[place : place + n_bytes] = ((1 << 7 * n_bytes + 1) - 1).to_bytes(n_bytes, "big")
            at = found.find(name, place + n_bytes)
    return bytes(found)
