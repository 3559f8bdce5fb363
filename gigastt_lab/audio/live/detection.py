"""Detection of what a live stream consists of, by its first bytes: raw PCM16, a container, or neither.

Raw PCM16 has no header, and any bytes may be samples. So a container is only what no speech looks like: long
signatures, and for formats that have but a sync word several headers that follow one another and agree.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NoReturn

from gigastt_lab.audio.live.chains import chain_of
from gigastt_lab.errors import AudioError

LiveContainer = Literal["webm", "ogg", "mp4", "mp3", "aac", "flac", "wav"]
LIVE_CONTAINERS: Final[tuple[LiveContainer, ...]] = ("webm", "ogg", "mp4", "mp3", "aac", "flac", "wav")

Verdict = LiveContainer | Literal["pcm16", "undecided"]

# Bytes in hexadecimal; ".." is any byte.
_CONTAINERS: Final[tuple[tuple[LiveContainer, str], ...]] = (
    ("wav", "52 49 46 46 .. .. .. .. 57 41 56 45"),  # RIFF, size, WAVE
    ("wav", "52 46 36 34 .. .. .. .. 57 41 56 45"),  # RF64, for more than 4 GB
    ("ogg", "4f 67 67 53 00 02 00 00 00 00 00 00 00 00"),  # OggS, a first page at time 0
    ("webm", "1a 45 df a3"),  # EBML: WebM and Matroska
    ("flac", "66 4c 61 43 00 00 00 22"),  # fLaC, and STREAMINFO
    ("flac", "66 4c 61 43 80 00 00 22"),
    *(("mp4", f"00 00 .. .. {name.encode().hex(' ')}") for name in ("ftyp", "moov", "wide", "mdat")),
)  # fmt: skip
_BEGIN_ANEW: Final = "so its header is missing: begin a new recording with every connection"
_REFUSED: Final[tuple[tuple[str, str], ...]] = (
    (f"WebM that begins with a cluster, {_BEGIN_ANEW}", "1f 43 b6 75"),
    (f"MP4 that begins with a fragment, {_BEGIN_ANEW}", "00 00 .. .. 6d 6f 6f 66"),
    (f"Ogg that begins in its middle, {_BEGIN_ANEW}", "4f 67 67 53 00 00"),
    ("AVI", "52 49 46 46 .. .. .. .. 41 56 49 20"),
    ("AMR", "23 21 41 4d 52"),
    ("AIFF", "46 4f 52 4d .. .. .. .. 41 49 46"),
    ("CAF", "63 61 66 66 00 01 00 00"),
    ("WMA", "30 26 b2 75 8e 66 cf 11"),
    ("Sun AU", "2e 73 6e 64 00 00 00"),
    ("Wave64", "72 69 66 66 2e 91 cf 11"),
    ("FLV", "46 4c 56 01"),
    ("gzip", "1f 8b 08 00"),
    ("a ZIP archive", "50 4b 03 04"),
)  # fmt: skip

_WHOLE: Final = [
    (
        container,
        re.compile(
            b"".join(b"." if each == ".." else re.escape(bytes.fromhex(each)) for each in signature.split()),
            re.DOTALL,
        ),
    )
    for container, signature in _CONTAINERS
]
_WEBM_HEADER: Final = 64  # bytes, within which it says which kind of EBML it is
_WEBM_TYPE: Final = re.compile(rb"webm|matroska")
_TEXT_BYTES: Final = 128  # so much text at the beginning is text: samples would all be loud and positive
_TEXT: Final = re.compile(rb"[\t\n\r\x20-\x7e]*")
_ID3: Final = "49 44 33 0[2-4] 00"  # the tag in front of an MP3, rarely of ADTS or FLAC


def verdict(head: bytes) -> Verdict:
    """Verdict on the first bytes of a stream: a container, "pcm16", or "undecided" until more has come.

    Raises:
        AudioError: something that a stream cannot be, by its name.
    """
    found: Verdict = "pcm16"
    for container, signature in _CONTAINERS:
        matched = _matched(head, signature)
        if matched == "whole":
            return container
        if matched == "so far":
            found = "undecided"
    for name, signature in _REFUSED:
        matched = _matched(head, signature)
        if matched == "whole":
            _refuse(name)
        if matched == "so far":
            found = "undecided"
    tag = _matched(head, _ID3)
    if tag == "whole":
        return "mp3"
    chained = _chained(head)
    if chained != "pcm16":
        return chained
    if _is_text(head):
        if len(head) >= _TEXT_BYTES:
            _refuse("text (JSON or Base64, perhaps)")
        return "undecided"
    return "undecided" if tag == "so far" else found


def begun(data: bytes) -> LiveContainer | None:
    """Container whose recording begins with these bytes, by its whole signature; None: of none.

    For messages in the middle of a stream, where raw samples pass: of WebM, the type within its header has to
    be there, too.
    """
    for container, signature in _WHOLE:
        if signature.match(data):
            named = container != "webm" or _WEBM_TYPE.search(data[:_WEBM_HEADER]) is not None
            return container if named else None
    return None


def allowed() -> str:
    """Names of all that a stream may consist of, for messages."""
    return "raw PCM16 (16-bit little-endian samples, mono), WebM, Ogg, fragmented MP4, MP3, ADTS, FLAC, WAV"


def _refuse(name: str) -> NoReturn:
    raise AudioError(f"the stream is {name}; a live stream takes {allowed()}")


def _matched(head: bytes, signature: str) -> Literal["whole", "so far", "no"]:
    wanted = signature.split()
    for byte, want in zip(head, wanted, strict=False):
        if not re.fullmatch(want, f"{byte:02x}"):
            return "no"
    return "whole" if len(head) >= len(wanted) else "so far"


def _chained(head: bytes) -> Verdict:
    """Verdict on formats without a signature, by headers that follow one another."""
    chain = chain_of(head)
    if chain == "webm blocks":
        _refuse(f"WebM that begins within a cluster, {_BEGIN_ANEW}")
    return "pcm16" if chain is None else chain


def _is_text(head: bytes) -> bool:
    found = _TEXT.match(head[:_TEXT_BYTES])
    return found is not None and found.end() == min(len(head), _TEXT_BYTES)
