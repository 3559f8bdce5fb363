"""Chains of headers: formats that have but a sync word are told by several headers that agree.

A sync word alone is no sign: 0xFF 0xFB, of an MP3, is also a sample of -1,025. Three headers that each say
where the next one is, and agree on what may not change, are met by chance in one of 2^40 streams.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, Protocol

from gigastt_lab.audio.containers.mpeg import frame_at

_N_HEADERS: Final = 3
_HEADER_BYTES: Final = 7  # of ADTS, and of a block; one of MP3 has four

Chained = Literal["mp3", "aac", "webm blocks"]


class _Header(NamedTuple):
    """A header: bytes to the next one, and what all have to share."""

    length: int
    shared: tuple[object, ...]


class _Parser(Protocol):
    def __call__(self, fields: bytes, /) -> tuple[Chained, _Header] | None: ...


def chain_of(head: bytes) -> Chained | Literal["undecided"] | None:
    """The chain that a stream begins with; "undecided" while more bytes are needed to say so."""
    for first, parse in ((0xFF, _frame), (0xA3, _webm_block)):
        if head and head[0] == first:
            return _followed(head, parse)
    return None


def _followed(head: bytes, parse: _Parser) -> Chained | Literal["undecided"] | None:
    at, before = 0, None
    for _ in range(_N_HEADERS):
        fields = head[at : at + _HEADER_BYTES]
        if fields[:1] not in {b"", head[:1]} or (head[0] == 0xFF and len(fields) > 1 and fields[1] < 0xE0):
            return None
        if len(fields) < _HEADER_BYTES:
            return "undecided"
        found = parse(fields)
        if found is None or before not in {None, (found[0], found[1].shared)}:
            return None
        before = found[0], found[1].shared
        at += found[1].length
    return None if before is None else before[0]


def _frame(fields: bytes) -> tuple[Chained, _Header] | None:
    frame = frame_at(fields, 0)
    if frame is None or frame.layer not in {0, 3} or frame.length < _HEADER_BYTES:
        return None
    version = fields[1] & 0xFE  # with the layer, without the bit that says if there is a checksum
    return frame.container, _Header(frame.length, (version, frame.sample_rate))


def _webm_block(fields: bytes) -> tuple[Chained, _Header] | None:
    """SimpleBlock of a size of one or two bytes, without lacing. Source: RFC 9559, 10.2."""
    if fields[1] & 0x80:
        size, at = fields[1] & 0x7F, 2
    elif fields[1] & 0x40:
        size, at = (fields[1] & 0x3F) << 8 | fields[2], 3
    else:
        return None
    track, flags = fields[at], fields[at + 3]
    if size < 5 or not track & 0x80 or flags & 0x7F:
        return None
    return "webm blocks", _Header(at + size, (track,))
