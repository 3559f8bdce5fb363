"""WAV as it comes: its header, then samples for as long as some come, whatever length the header states."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.containers.wav import KNOWN_CHUNKS, STAND_IN_FROM
from gigastt_lab.audio.live.sources import Source
from gigastt_lab.audio.samples import check_n_channels, check_sample_rate
from gigastt_lab.errors import AudioError

_READ_BYTES: Final = 32_768
# What may follow the samples. Anything else does not: the header stated too little.
_CHUNKS: Final = KNOWN_CHUNKS | {b"fmt ", b"data", b"ds64"}
_MAX_CHUNK: Final = 2**24  # bytes of one that is no audio: cover pictures are smaller
_EXTENSIBLE: Final = 0xFFFE

_PCM, _FLOAT, _A_LAW, _MU_LAW = 1, 3, 6, 7


def wav_blocks(source: Source) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Rate in Hz and samples of a WAV, shape (n_channels, n_samples), as they come; then of those behind it.

    Raises:
        AudioError: no WAV, or one of samples that are not known.
    """
    fields = b""
    while head := source.exactly(8):
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name in {b"RIFF", b"RF64"}:
            source.exactly(4)
        elif name == b"fmt ":
            fields = source.exactly(min(size, _MAX_CHUNK))
        elif name == b"data":
            yield from _samples(source, size, fields)
        elif name in _CHUNKS and size <= _MAX_CHUNK:
            source.skip(size + size % 2)
        else:
            raise AudioError(f"WAV with a chunk {name!r} of {size} bytes before its samples: it is damaged")


def _samples(source: Source, size: int, fields: bytes) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    if len(fields) < 16:
        raise AudioError("WAV whose samples come before their format: it is damaged")
    tag, n_channels, rate, _, _, bits = struct.unpack("<HHIIHH", fields[:16])
    if tag == _EXTENSIBLE and len(fields) >= 26:
        (tag,) = struct.unpack("<H", fields[24:26])
    check_sample_rate(rate)
    check_n_channels(n_channels)
    frame_bytes = n_channels * bits // 8
    _convert(b"", tag, bits)  # an unknown format, before anything is read
    left = None if size == 0 or size >= STAND_IN_FROM else size  # 0 of a header that was never filled in
    rest = b""
    while left is None or left > 0 or not _is_followed_by_chunk(source, size):
        data = source.read(_READ_BYTES if left is None or left <= 0 else min(left, _READ_BYTES))
        if not data:
            return
        left = None if left is None else left - len(data)
        data = rest + data
        n_whole = len(data) - len(data) % frame_bytes
        rest = data[n_whole:]
        if n_whole:
            yield rate, _convert(data[:n_whole], tag, bits).reshape(-1, n_channels).T


def _is_followed_by_chunk(source: Source, size: int) -> bool:
    """True if what comes now is a chunk or another WAV, not samples that the header does not count."""
    head = source.exactly(5)
    at = size % 2 if head[size % 2 :][:4] in _CHUNKS | {b"RIFF", b"RF64"} else 0  # padded to even lengths
    is_chunk = head[at : at + 4] in _CHUNKS | {b"RIFF", b"RF64"}
    source.unread(head[at:])
    return is_chunk


def _convert(data: bytes, tag: int, bits: int) -> npt.NDArray[Any]:
    """Samples as `to_float32` takes them."""
    if (tag, bits) == (_PCM, 24):
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return padded.view("<i4")[:, 0]
    if tag in {_A_LAW, _MU_LAW} and bits == 8:
        return _law("pcm_alaw" if tag == _A_LAW else "pcm_mulaw")[np.frombuffer(data, np.uint8)]
    dtypes = {(_PCM, 8): "u1", (_PCM, 16): "<i2", (_PCM, 32): "<i4", (_FLOAT, 32): "<f4", (_FLOAT, 64): "<f8"}
    if (tag, bits) not in dtypes:
        raise AudioError(
            f"WAV of format {tag} with {bits} bits; allowed in a stream are PCM of 8 to 32 bits, float, "
            "A-law and mu-law"
        )
    return np.frombuffer(data, dtypes[tag, bits])


@cache
def _law(codec: str) -> npt.NDArray[np.int16]:
    """Samples of the 256 codes of G.711."""
    import av

    decoder: Any = av.CodecContext.create(codec, "r")
    decoder.sample_rate, decoder.layout = 8_000, "mono"
    (frame,) = decoder.decode(av.Packet(bytes(range(256))))
    return np.array(frame.to_ndarray().reshape(-1), np.int16)
