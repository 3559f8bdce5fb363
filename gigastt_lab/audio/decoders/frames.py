"""Frames as FFmpeg decodes them: samples, time stamps, and what the codec needed to start up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.decoders.blocks import Block

_MEAN_OF_FRAMES: Final = 64


@dataclass
class Lengths:
    """Mean length in bytes of the packets that could be decoded last."""

    mean: float = 400.0
    n_packets: int = 0

    def add(self, n_bytes: int) -> None:
        """Take the length of a further packet."""
        self.n_packets = min(self.n_packets + 1, _MEAN_OF_FRAMES)
        self.mean += (n_bytes - self.mean) / self.n_packets


def stamp_s(frame: Any) -> float | None:
    """Time stamp of a frame, in seconds of the container's clock; None without one."""
    return None if frame.pts is None else float(frame.pts * frame.time_base)


def priming(stream: Any, first_pts: int | None, first_frame: Any) -> int:
    """Samples that the codec needed to start up, where the file does not state them.

    Where it does (an edit list, a LAME tag), FFmpeg drops them; it shows by a first packet before zero or by
    a start after it: what is before that is silence. Elsewhere (ADTS, live MP4, plain MP3) all words would
    come 25 to 70 ms late.

    Source: AAC's transform overlaps by one frame. An MP3 decoder lags by 528 + 1 samples and LAME, as most
    encoders or nearly, by 576 (LAME technical FAQ).
    """
    if (first_pts or 0) < 0 or (stream.start_time or 0) > 0 or (first_frame.pts or 0) > 0:
        return 0
    codec: str = stream.codec_context.name
    if codec in {"aac", "aac_latm"}:
        return int(first_frame.samples)
    return 528 + 1 + 576 if codec.startswith("mp3") else 0


def counts_frames(stream: Any, packet: Any) -> bool:
    """True of a FLAC whose frames are numbered though their lengths differ, as encoders wrote before 2007.

    FFmpeg takes them for equally long: their time stamps mean nothing.
    """
    info, head = stream.codec_context.extradata or b"", bytes(packet)[:2]
    if stream.codec_context.name != "flac" or len(info) < 4 or len(head) < 2:
        return False
    return info[:2] != info[2:4] and not head[1] & 1


def comfort_noise(stream: Any, packet: Any) -> Any | None:
    """Silence for an AMR packet that describes the noise of a pause, which FFmpeg does not decode; else None.

    Source: 3GPP TS 26.101 and 26.201, table 1a: frame types above the speech modes.
    """
    from av import AudioFrame

    codec = stream.codec_context.name
    speech_modes = {"amrnb": 8, "amrwb": 9}.get(codec)
    if speech_modes is None or not packet.size or (bytes(packet)[0] >> 3 & 15) < speech_modes:
        return None
    frame = AudioFrame(format="flt", layout="mono", samples=160 if codec == "amrnb" else 320)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = 8_000 if codec == "amrnb" else 16_000
    frame.pts, frame.time_base = packet.pts, packet.time_base
    return frame


def block_of(frame: Any) -> Block:
    """A frame's samples as they lie in memory: no AudioResampler, which crashes on odd layouts."""
    n_channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        samples = frame.to_ndarray().reshape(-1, n_channels).T
    elif n_channels < 8:
        samples = frame.to_ndarray()
    else:
        samples = _many_planes(frame, n_channels)
    return Block(frame.sample_rate, samples)


def _many_planes(frame: Any, n_channels: int) -> npt.NDArray[Any]:
    """Samples of a frame of eight planes or more.

    PyAV 18.1 counts planes up to a null pointer: with eight there is none. Its
    `to_ndarray` then reads foreign memory, and the process ends.
    """
    from av.audio.plane import AudioPlane

    dtype = {"fltp": "f4", "dblp": "f8", "s16p": "i2", "s32p": "i4", "u8p": "u1"}[frame.format.name]
    planes = [AudioPlane(frame, index) for index in range(n_channels)]
    return np.stack([np.frombuffer(memoryview(plane), dtype, frame.samples) for plane in planes])
