"""WAV: where its samples are, and whether what the header says of their length can be believed.

A header holds the length in 32 bits, written before or after the samples, or never. So it may be a stand-in
(a pipe, a recording that was never closed), have wrapped (more than 4 GiB), belong to another version of the
file, or be right of a file that was cut.

Source: Microsoft's Multimedia Programming Interface 1.0; EBU Tech 3306 (RF64, `ds64`); ITU-R BS.2088 (BW64).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

from gigastt_lab.audio.containers.kinds import MAX_CHUNKS, read_at, size_of
from gigastt_lab.audio.samples import check_n_channels, check_sample_rate
from gigastt_lab.audio.sections import section
from gigastt_lab.errors import AudioError

# Sloppy writers count the header, or the padding, as data.
_SLACK_BYTES: Final = 64
# Tools that write to a pipe put a length near 2 or 4 GiB, rounded down to their block: SoX (0x7FFFF000),
# FFmpeg (0xFFFFFFFF), arecord (0x80000000), and others (2000000000).
STAND_IN_FROM: Final = 2_000_000_000 - 65_536
_STAND_IN_FROM_64: Final = 1 << 48
_MAX_FORMAT_BYTES: Final = 4096
_PADDING_BYTES: Final = 65_536
# What may stand behind the samples, also where it is cut itself; a further WAV, too (`joined`).
KNOWN_CHUNKS: Final = frozenset(
    {b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"fact", b"JUNK", b"junk", b"PAD ", b"FLLR",
     b"smpl", b"inst", b"plst", b"labl", b"note", b"ltxt", b"axml", b"chna", b"_PMX", b"aXML", b"cart",
     b"DISP", b"umid", b"levl", b"minf", b"elm1", b"regn", b"ovwf", b"PEAK", b"acid",
     b"RIFF", b"RIFX", b"RF64", b"BW64"}
)  # fmt: skip
_TAGS: Final = (b"TAG", b"ID3", b"APETAGEX")
# One sample of each channel is a block of these: PCM, floating, A-law, mu-law, and "see the subformat".
_LINEAR_TAGS: Final = frozenset({1, 3, 6, 7, 0xFFFE})
# What libsndfile decodes besides: Microsoft's ADPCM, IMA ADPCM, GSM 6.10, G.721, NMS ADPCM.
LIBSNDFILE_TAGS: Final = _LINEAR_TAGS | {2, 0x11, 0x31, 0x38, 0x40, 0x59}


@dataclass(frozen=True)
class WavLayout:
    """Places in a WAV.

    Attributes:
        format: Content of its chunk `fmt `.
        byte_order: "<", or ">" of RIFX.
        data_start: Position of the first sample.
        data_end: Position after the last byte of samples that is there.
        stated_end: Position that the header states; None where it states none.
        is_plain: True if decoders find the same by themselves.
        fact: Content of its chunk `fact`, which counts the samples of compressed ones; empty without one.
    """

    format: bytes
    byte_order: Literal["<", ">"]
    data_start: int
    data_end: int
    stated_end: int | None
    is_plain: bool
    fact: bytes = b""

    @property
    def tag(self) -> int:
        """Number of the codec."""
        return self._fields[0]

    @property
    def is_cut(self) -> bool:
        """True if less is there than the header states."""
        return self.stated_end is not None and self.stated_end - self.data_end > _SLACK_BYTES

    @property
    def goes_on(self) -> bool:
        """True if more samples are there than the header states, and not because it had no room to say so."""
        stated = self.stated_end
        return stated is not None and self.data_end > stated + 1 and (self.data_end - stated) % 2**32 > 1

    def seconds(self, end: int) -> float:
        """Seconds from the first sample to a position."""
        tag, _, sample_rate, byte_rate, align = self._fields
        if tag in _LINEAR_TAGS or not byte_rate:
            byte_rate = align * sample_rate
        return (end - self.data_start) / byte_rate if byte_rate else 0.0

    @property
    def _fields(self) -> tuple[int, int, int, int, int]:
        tag, n_channels, rate, byte_rate, align = struct.unpack(f"{self.byte_order}HHIIH", self.format[:14])
        return tag, n_channels, rate, byte_rate, align


def wav_layout(file: BinaryIO) -> WavLayout:
    """The places in a WAV.

    Args:
        file: A file that begins as a WAV; left anywhere.

    Raises:
        AudioError: the header is cut or impossible, or no data follow it.
    """
    n_bytes = size_of(file)
    order: Literal["<", ">"] = ">" if read_at(file, 0, 4) == b"RIFX" else "<"
    fields, fact, stated_64, position = b"", b"", None, 12
    for _ in range(MAX_CHUNKS):
        header = read_at(file, position, 8)
        if len(header) < 8:
            raise AudioError("a WAV header without audio data: the file is cut; send it whole")
        name, size = struct.unpack(f"{order}4sI", header)
        position += 8
        if name == b"data":
            break
        if name == b"fmt ":
            fields = _checked_format(read_at(file, position, min(size, _MAX_FORMAT_BYTES)), order)
        elif name == b"fact":
            fact = read_at(file, position, min(size, 16))
        elif name == b"ds64":
            stated_64 = struct.unpack("<Q", read_at(file, position + 8, 8).ljust(8, b"\0"))[0]
        position += size + size % 2  # chunks are padded to even lengths
    else:
        raise AudioError(f"a WAV with more than {MAX_CHUNKS} chunks before its data; rewrite it")
    if not fields:
        raise AudioError("a WAV without a format before its data: the header is damaged; export it again")
    if stated_64 is not None and size == 0xFFFFFFFF:
        size = stated_64
    end, stated = _end_of_data(file, position, size, n_bytes)
    if end <= position:
        raise AudioError("a WAV header without audio data; send the whole file")
    return WavLayout(fields, order, position, end, stated, stated == end and size < 2**32 - 64, fact)


def _checked_format(fields: bytes, order: str) -> bytes:
    if len(fields) < 14:
        raise AudioError("a WAV header that ends in its format: the file is cut; send it whole")
    _, n_channels, sample_rate = struct.unpack(f"{order}HHI", fields[:8])
    check_n_channels(n_channels)
    check_sample_rate(sample_rate)
    return fields


def _end_of_data(file: BinaryIO, start: int, size: int, n_bytes: int) -> tuple[int, int | None]:
    """Positions after the last byte of samples: the real one, and the one that the header states, if any."""
    stated = start + size
    if stated > n_bytes:
        is_stand_in = size >= _STAND_IN_FROM_64 or STAND_IN_FROM <= size < 2**32
        if is_stand_in and n_bytes - start < size // 2:
            return n_bytes, None
        return n_bytes, n_bytes if stated - n_bytes <= _SLACK_BYTES else stated
    for end in range(stated, n_bytes + 1, 2**32):
        if _may_end_at(file, end, n_bytes) or _may_end_at(file, end + size % 2, n_bytes):
            return end, stated
    return n_bytes, stated if size else None


def _may_end_at(file: BinaryIO, position: int, n_bytes: int) -> bool:
    """True if what stands at a position is not samples: the end, chunks up to the end, a tag, padding."""
    for _ in range(64):
        left = n_bytes - position
        header = read_at(file, position, 8)
        if left <= 1 or header.startswith(_TAGS):
            return True
        if left <= _PADDING_BYTES and not read_at(file, position, left).strip(b"\0"):
            return True
        if left < 8:
            return False
        name, size = struct.unpack("<4sI", header)
        if not all(0x20 <= byte < 0x7F for byte in name):
            return False
        if position + 8 + size > n_bytes:
            return name in KNOWN_CHUNKS
        position += 8 + size + size % 2
    return True


def as_stated(file: BinaryIO, layout: WavLayout, *, always: bool = False) -> BinaryIO:
    """The WAV with a header that tells the truth, and without any further chunk: a view, not a copy."""
    if layout.is_plain and not always:
        file.seek(0)
        return file
    size = layout.data_end - layout.data_start
    order, chunks = layout.byte_order, b""
    is_large = size + 2**16 > 2**32
    if is_large:
        chunks += b"ds64" + struct.pack("<IQQQI", 28, size + 2**16, size, 0, 0)
    for name, content in ((b"fmt ", layout.format), (b"fact", layout.fact)):
        if content and not (name == b"fact" and layout.stated_end is None):  # a stand-in as well
            chunks += name + struct.pack(f"{order}I", len(content)) + content + b"\0" * (len(content) % 2)
    stated = 0xFFFFFFFF if is_large else size
    riff = b"RF64" if is_large else b"RIFX" if order == ">" else b"RIFF"
    whole = 0xFFFFFFFF if is_large else 4 + len(chunks) + 8 + size
    head = riff + struct.pack(f"{order}I", whole) + b"WAVE" + chunks
    head += b"data" + struct.pack(f"{order}I", stated)
    return section(file, layout.data_start, layout.data_end, head)
