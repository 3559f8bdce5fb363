"""Frames as FFmpeg decodes them: samples, time stamps, and what the codec needed to start up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.decoders.blocks import Block


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
    if codec == "aac":
        return int(first_frame.samples)
    return 528 + 1 + 576 if codec.startswith("mp3") else 0


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
