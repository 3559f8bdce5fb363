"""Frames of MPEG audio (MP3) and of ADTS (AAC): streams of frames without any other structure.

Source: ISO/IEC 11172-3, section 2.4.2.3, and 13818-3 (headers, bit rates); 13818-7, section 6.2 (ADTS); the
`Xing` header is LAME's (its `tag.c`), `VBRI` Fraunhofer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_ADTS_RATES: Final = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
)  # fmt: skip
# kbit/s by layer, of MPEG-1 and of the lower rates of MPEG-2 and 2.5.
_KBITS_1: Final = {
    1: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBITS_2: Final = {
    1: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# Frames in a row that have to fit each other before bytes in the middle of nowhere count as a stream.
_N_IN_A_ROW: Final = 4
_ID3V1_BYTES: Final = 128  # of the tag at a file's end


@dataclass(frozen=True)
class Frame:
    """Header of a frame.

    Attributes:
        container: Stream that it belongs to.
        length: Bytes of the frame, header included.
        n_samples: Samples of a channel that it holds.
        sample_rate: Their rate, in Hz.
        layer: Layer of MPEG audio, 1 to 3; 0 of ADTS.
    """

    container: Literal["mp3", "aac"]
    length: int
    n_samples: int
    sample_rate: int
    layer: int

    def fits(self, other: Frame) -> bool:
        """True if both may belong to one stream."""
        mine, theirs = ((each.container, each.layer, each.sample_rate) for each in (self, other))
        return mine == theirs


def frame_at(data: bytes, at: int) -> Frame | None:
    """Frame whose header stands at a position; None where there is none."""
    head = data[at : at + 7]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    return _adts_frame(head) if head[1] & 0xF6 == 0xF0 else _mpeg_frame(head)


def _adts_frame(head: bytes) -> Frame | None:
    rate = head[2] >> 2 & 15
    if len(head) < 7 or rate >= len(_ADTS_RATES):
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    n_samples = 1024 * ((head[6] & 3) + 1)
    return Frame("aac", length, n_samples, _ADTS_RATES[rate], 0) if length >= 7 else None


def _mpeg_frame(head: bytes) -> Frame | None:
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or rate == 3 or bits in {0, 15}:
        return None
    sample_rate = _RATES[version][rate]
    bit_rate = 1000 * (_KBITS_1 if version == 3 else _KBITS_2)[layer][bits - 1]
    if layer == 1:
        return Frame("mp3", (12 * bit_rate // sample_rate + padding) * 4, 384, sample_rate, 1)
    n_samples = 576 if layer == 3 and version != 3 else 1152
    return Frame("mp3", n_samples // 8 * bit_rate // sample_rate + padding, n_samples, sample_rate, layer)


def first_frame(data: bytes, *, n_in_a_row: int = _N_IN_A_ROW) -> tuple[int, Frame] | None:
    """Position and header of the first frame that others follow, as many as the data can hold.

    Args:
        data: Bytes of a file, from anywhere on.
        n_in_a_row: Frames that have to follow each other; where the data end before, two at least.
    """
    at = data.find(b"\xff")
    while at >= 0:
        frame = frame_at(data, at)
        if frame is not None and _goes_on(data, at, frame, n_in_a_row):
            return at, frame
        at = data.find(b"\xff", at + 1)
    return None


def _goes_on(data: bytes, at: int, first: Frame, n_in_a_row: int) -> bool:
    frame, n_frames = first, 1
    while n_frames < n_in_a_row:
        at += frame.length
        if at + 7 > len(data):
            return n_frames > 1
        following = frame_at(data, at)
        if following is None or not following.fits(first):
            return False
        frame, n_frames = following, n_frames + 1
    return True


def is_header_frame(data: bytes) -> bool:
    """True of a frame that holds a `Xing`, `Info` or `VBRI` header and no sound."""
    return any(data.find(name, 0, 64) > 0 for name in (b"Xing", b"Info", b"VBRI"))


def stated_duration_s(data: bytes) -> float | None:
    """Seconds that a `Xing`, `Info` or `VBRI` header in the first frame states; None without one.

    Args:
        data: Bytes of the stream from its first frame on.
    """
    frame = frame_at(data, 0)
    if frame is None or frame.container != "mp3":
        return None
    at = max(data.find(b"Xing", 4, 44), data.find(b"Info", 4, 44))
    if at > 0 and len(data) >= at + 12 and data[at + 7] & 1:
        n_frames = int.from_bytes(data[at + 8 : at + 12], "big")
    elif data[36:40] == b"VBRI":
        n_frames = int.from_bytes(data[50:54], "big")
    else:
        return None
    return n_frames * frame.n_samples / frame.sample_rate


def n_lost_frames(data: bytes, mean_length: float) -> int:
    """Frames that bytes which cannot be decoded stand for: none for tags and padding, one or more for others.

    Args:
        data: The bytes, as the demuxer cut them.
        mean_length: Mean length in bytes of the frames that could be decoded.
    """
    rest = without_tags(data)
    if not rest.strip(b"\0") or (is_header_frame(rest) and len(rest) < 2 * max(mean_length, 512)):
        return 0
    return max(1, round(len(rest) / mean_length))


def without_tags(data: bytes) -> bytes:
    """The bytes without ID3v2, ID3v1, APE and Lyrics3 tags in them."""
    at = data.find(b"ID3")
    while at >= 0:
        size = id3_size(data[at : at + 10])
        data = data[:at] + data[at + size :] if size else data
        at = data.find(b"ID3", at + (0 if size else 1))
    at = data.find(b"TAG")
    if at >= 0 and len(data) - at <= _ID3V1_BYTES:
        data = data[:at]
    for name in (b"APETAGEX", b"LYRICSBEGIN"):
        at = data.find(name)
        data = data[:at] if at >= 0 else data
    return data


def id3_size(head: bytes) -> int:
    """Bytes of an ID3v2 tag, 0 without one. Source: ID3v2.4 structure, section 3.1 (seven bits a byte)."""
    if head[:3] != b"ID3" or len(head) < 10 or head[3] == 0xFF or max(head[6:10]) > 0x7F:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte
    return size + (20 if head[5] & 0x10 else 10)  # a footer repeats the header
