"""Views of files for FFmpeg: headers that tell the truth, without what could cost far more than the file has.

FFmpeg believes some headers before it looks: a text of an AVI may claim two gigabytes, an ID3 tag within AIFF
or ASF may hold compressed frames of any size, a table of CAF or TTA packets any number. A view leaves such
parts out, or the file is refused; what is decoded stays the same.

Source: EA IFF 85 (AIFF); Apple's CAF specification 1.0; Sony's Wave64; Microsoft's AVI RIFF and ASF 1.2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

import numpy as np

from gigastt_lab.audio.containers.ending import ending_of
from gigastt_lab.audio.containers.kinds import MAX_CHUNKS, Container, Ending, read_at, size_of
from gigastt_lab.audio.sections import section
from gigastt_lab.errors import AudioError

# Real headers take kilobytes, and a few megabytes with pictures.
_MAX_HEADER: Final = 16 << 20
_MAX_PACKETS: Final = 4_000_000
# Lengths that stand for "not known" where a writer could not go back: SoX (0x7F000000) and others.
_STAND_IN_FROM: Final = 0x7F00_0000
_MAX_AIFF: Final = 0xFFFF_0000  # bytes of sound: its lengths have 32 bits
_INFO: Final = re.compile(rb"LIST(....)INFO", re.DOTALL)
_ASF_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_LINEAR: Final = frozenset({b"lpcm", b"alaw", b"ulaw"})


def view_of(file: BinaryIO, container: Container) -> tuple[BinaryIO, Ending]:
    """View that decoders get in place of a file, and its end.

    Args:
        file: File that begins as `container`; left anywhere.
        container: Container that it is.

    Raises:
        AudioError: no audio, or a header that claims more than any recording has.
    """
    view = _VIEWS.get(container)
    return (file, ending_of(file, container)) if view is None else view(file)


def bounded(file: BinaryIO, container: Container) -> BinaryIO:
    """A file that FFmpeg may open, where nothing of its end is wanted.

    Args:
        file: File that begins as `container`; left at its start.
        container: Container that it is.

    Raises:
        AudioError: as `view_of`.
    """
    if container == "mp4" or container in _VIEWS:
        file, _ = view_of(file, container)
    file.seek(0)
    return file


def _aiff(file: BinaryIO) -> tuple[BinaryIO, Ending]:
    kind, common, sound = read_at(file, 8, 4), b"", None
    for name, start, size in _chunks(file, 12):  # in any order
        if name == b"COMM":
            common = common or read_at(file, start, min(size, 256))
        elif name == b"SSND":
            sound = sound or (start, size)
    if sound is None or len(common) < 18:
        missing = "sound (SSND)" if sound is None else "format (COMM)"
        raise AudioError(f"an AIFF without its {missing}: the file is cut; send it whole")
    start, size = sound
    first = start + 8 + int.from_bytes(read_at(file, start, 4), "big")
    end, is_cut = _end_of(file, first, start + size)
    n_bytes = min(end - first, _MAX_AIFF)
    if n_bytes <= 0:
        raise AudioError("an AIFF whose sound (SSND) is empty; send the whole recording")
    body = kind + _chunk(b"COMM", common) + b"SSND" + (n_bytes + 8).to_bytes(4, "big") + bytes(8)
    head = b"FORM" + (len(body) + n_bytes).to_bytes(4, "big") + body
    return section(file, first, first + n_bytes, head), Ending(is_cut or end - first > _MAX_AIFF)


def _caf(file: BinaryIO) -> tuple[BinaryIO, Ending]:
    kept, description, data = b"", b"", None
    for name, start, size in _chunks(file, 8, wide=True):
        if name == b"desc":
            description = read_at(file, start, min(size, 32))
        elif name == b"pakt" and int.from_bytes(read_at(file, start, 8), "big") > _MAX_PACKETS:
            raise AudioError(f"a CAF of more than {_MAX_PACKETS} packets; cut the recording into parts")
        if name == b"data":
            data = data or (start, size)
        elif name in {b"desc", b"chan"} and data is None:
            kept += name + size.to_bytes(8, "big") + read_at(file, start, min(size, _MAX_HEADER))
    if data is None:
        raise AudioError("a CAF without its sound (data): the file is cut; send it whole")
    start, size = data
    is_known = size < 1 << 62
    if description[8:12] not in _LINEAR:
        file.seek(0)
        return file, Ending(is_known and start + size > size_of(file))
    if description[20:24] != b"\0\0\0\1":
        raise AudioError(
            "a CAF whose samples are said to come in groups: its header is damaged; export it again"
        )
    end, is_cut = _end_of(file, start, start + size) if is_known else (size_of(file), False)
    sound = b"data" + (end - start).to_bytes(8, "big") + read_at(file, start, 4)
    return section(file, start + 4, end, read_at(file, 0, 8) + kept + sound), Ending(is_cut)


def _w64(file: BinaryIO) -> tuple[BinaryIO, Ending]:
    n_bytes, position, kept = size_of(file), 40, b""
    for _ in range(MAX_CHUNKS):
        header = read_at(file, position, 24)
        if len(header) < 24:
            break
        size = int.from_bytes(header[16:], "little")
        if header[:4] == b"data":
            end, is_cut = _end_of(file, position + 24, position + size)
            sound = header[:16] + (end - position).to_bytes(8, "little")
            head = read_at(file, 0, 16) + n_bytes.to_bytes(8, "little") + read_at(file, 24, 16) + kept + sound
            return section(file, position + 24, end, head), Ending(is_cut)
        if header[:4] in {b"fmt ", b"fact"}:
            kept += read_at(file, position, -(-min(size, 4096) // 8) * 8)
        if not 24 <= size <= n_bytes:
            break
        position += -(-size // 8) * 8
    raise AudioError("a Wave64 without its sound (data): the file is cut; send it whole")


def _au(file: BinaryIO) -> tuple[BinaryIO, Ending]:
    header = read_at(file, 0, 12)
    start, size = (int.from_bytes(header[at : at + 4], "big") for at in (4, 8))
    there = size_of(file) - start
    file.seek(0)
    return file, Ending(_is_length(size, there) and size > there)


def _avi(file: BinaryIO) -> tuple[BinaryIO, Ending]:
    head = read_at(file, 0, _MAX_HEADER)
    for name, start, size in _chunks(file, 12, order="little"):
        if start > len(head):
            break
        if name == b"LIST" and head[start : start + 4] == b"movi":
            there = size_of(file) - start
            head = _INFO.sub(rb"JUNK\1INFO", head[: start + 4])
            is_cut = _is_length(size, there) and size > there
            return section(file, len(head), size_of(file), head), Ending(is_cut)
    raise AudioError("an AVI without its sound (movi): the file is cut; send it whole")


def _asf(file: BinaryIO) -> tuple[BinaryIO, Ending]:
    size = int.from_bytes(read_at(file, 16, 8), "little")
    n_bytes = size_of(file)
    if size > min(n_bytes, _MAX_HEADER):
        raise AudioError(
            f"a WMA whose header takes {size} bytes of {n_bytes}: it is cut or damaged; export it again"
        )
    head = read_at(file, 0, size).replace(b"ID3", b"id3")
    return section(file, len(head), n_bytes, head), Ending(_asf_size(head) > n_bytes)


def _asf_size(head: bytes) -> int:
    """Size that the file properties state; 0 where they do not, as of a broadcast."""
    at = head.find(_ASF_PROPERTIES)
    flags = int.from_bytes(head[at + 88 : at + 92], "little")
    return 0 if at < 0 or flags & 1 else int.from_bytes(head[at + 40 : at + 48], "little")


def _tta(file: BinaryIO) -> tuple[BinaryIO, Ending]:
    header = read_at(file, 0, 18)
    rate, n_samples = (int.from_bytes(header[at : at + 4], "little") for at in (10, 14))
    n_frames = -(-n_samples * 245 // (256 * rate)) if rate else 0
    if n_frames > _MAX_PACKETS:
        raise AudioError(f"a TTA of {n_samples} samples at {rate} Hz: its header is damaged; export it again")
    table = np.frombuffer(read_at(file, 22, 4 * n_frames), "<u4", count=-1 if n_frames else 0)
    end = 22 + 4 * n_frames + 4 + int(table.sum(dtype=np.uint64))
    file.seek(0)
    return file, Ending(end > size_of(file))


def _wavpack(file: BinaryIO) -> tuple[BinaryIO, Ending]:
    n_bytes, position = size_of(file), 0
    promised, reached = 0, 0
    for _ in range(MAX_CHUNKS):
        header = read_at(file, position, 32)
        if header[:4] != b"wvpk" or len(header) < 32:
            break
        size, _, total, index, n_samples = struct.unpack("<IHxx3I", header[4:24])
        promised = promised or (0 if total == 0xFFFF_FFFF else total)
        position += 8 + size
        reached = index + n_samples
    return file, Ending(position > n_bytes or reached < promised)


def _chunks(
    file: BinaryIO, position: int, *, wide: bool = False, order: str = "big"
) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and stated size of chunks, the last of which may be cut."""
    size_bytes, n_bytes = 8 if wide else 4, size_of(file)
    for _ in range(MAX_CHUNKS):
        if position >= n_bytes:
            return
        header = read_at(file, position, 4 + size_bytes)
        if len(header) < 4 + size_bytes:
            return
        size = int.from_bytes(header[4:], "little" if order == "little" else "big")
        start = position + len(header)
        yield header[:4], start, size
        position = start + size + (0 if wide else size % 2)  # padded to even lengths, but not in CAF


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "big") + content + b"\0" * (len(content) % 2)


def _end_of(file: BinaryIO, start: int, stated: int) -> tuple[int, bool]:
    """Position after the last byte of sound, and True if the header states a later one.

    A length of 0, or one that stands for "not known", is none; nor is one behind which the sound goes on.
    """
    n_bytes = size_of(file)
    if stated > n_bytes:
        return n_bytes, _is_length(stated - start, n_bytes - start)
    following = read_at(file, stated + (stated - start) % 2, 4) or b"    "
    is_chunk = all(0x20 <= byte < 0x7F for byte in following)
    return (stated if is_chunk and stated > start else n_bytes), False


def _is_length(size: int, there: int) -> bool:
    return 0 < size < _STAND_IN_FROM or (size < 0xFFFF_FFF0 and there > size // 2)


_VIEWS: Final[dict[Container, Callable[[BinaryIO], tuple[BinaryIO, Ending]]]] = {
    "aiff": _aiff,
    "caf": _caf,
    "w64": _w64,
    "au": _au,
    "avi": _avi,
    "asf": _asf,
    "tta": _tta,
    "wavpack": _wavpack,
}
