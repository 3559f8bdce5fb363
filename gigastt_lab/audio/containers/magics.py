"""Beginnings of files: magic numbers of containers, frames and packets in a row, and of what is no audio.

Source: EA IFF 85 and AIFF-C; Apple's CAF specification 1.0; Sony's Wave64; RFC 4867, section 5 (AMR);
Microsoft's ASF 1.2, section 3.1; ATSC A/52, sections 5.3 and E.1.2 (AC-3, E-AC-3); ISO/IEC 13818-1 (TS).
"""

from __future__ import annotations

from typing import Final

from gigastt_lab.audio.containers.kinds import Container

_MAGICS: Final[tuple[tuple[bytes, Container], ...]] = (
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"\x1a\x45\xdf\xa3", "webm"),
    (b"caff\x00\x01", "caf"),
    (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00", "w64"),
    (b"#!AMR\n", "amr"),
    (b"#!AMR-WB\n", "amr"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "asf"),
    (b"TTA1", "tta"),
)
# Beginnings of files that people send, and that are not read.
_NOT_READ: Final = (
    (b"MAC ", "Monkey's Audio"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b".RMF", "RealMedia"),
    (b".ra\xfd", "RealAudio"),
    (b"FLV\x01", "Flash video"),
    (b"\x00\x00\x01\xba", "an MPEG program stream"),
    (b"\x00\x00\x01\xb3", "MPEG video"),
    (b"DSD ", "DSD audio"),
    (b"FRM8", "DSD audio"),
    (b"tBaK", "TAK"),
    (b"OFR ", "OptimFROG"),
    (b"ADIF", "AAC in ADIF"),
    (b"TTA2", "TTA of version 2"),
    (b"Creative Voice F", "a VOC"),
    (b"MThd", "MIDI, which holds notes and no sound"),
    (b"#EXTM3U", "a playlist, which holds addresses and no sound"),
    (b"%PDF", "a PDF"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"PK\x03\x04", "a ZIP"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"Rar!", "a RAR"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "XML"),
    (b"{", "text (JSON?)"),
    (b"version https://", "a pointer of Git LFS, not the file itself"),
)
_TS_PACKET: Final = 188
_TS_STAMPED: Final = 192  # with a time stamp of four bytes before each packet, as cameras and Blu-rays have
_N_IN_A_ROW: Final = 3
# kbit/s of AC-3, and bytes of a frame for each of them at 48 and 32 kHz, in units of kbit/s.
_AC3_KBITS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)


def container_by_magic(head: bytes) -> Container | None:
    """The container that a magic number announces; None without one of these.

    Args:
        head: First 16 bytes of a file.
    """
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "aiff"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:4] == b".snd" and 24 <= int.from_bytes(head[4:8], "big") <= 1 << 20:
        return "au"
    if head[:4] == b"wvpk" and 0x402 <= int.from_bytes(head[8:10], "little") <= 0x410:
        return "wavpack"
    return next((container for magic, container in _MAGICS if head.startswith(magic)), None)


def container_by_sync(data: bytes) -> Container | None:
    """The container of frames or packets that follow each other from the first byte on; None without them.

    Args:
        data: First bytes of a file, at least 4 KiB where there are as many.
    """
    if _is_transport_stream(data):
        return "ts"
    return "ac3" if _are_ac3_frames(data) else None


def name_of_unread(head: bytes) -> str | None:
    """Name of what the bytes are, no audio or audio that is not read; None where that is not known."""
    return next(
        (name for magic, name in _NOT_READ if head.lstrip(b" \r\n\t\xef\xbb\xbf").startswith(magic)), None
    )


def _is_transport_stream(data: bytes) -> bool:
    """True if packets begin at once or within one: a recording of a broadcast starts anywhere."""
    for size in (_TS_PACKET, _TS_STAMPED):
        for first in range(size):
            places = range(first, len(data), size)[: 2 * _N_IN_A_ROW]
            if len(places) >= _N_IN_A_ROW and all(data[at] == 0x47 for at in places):
                return True
    return False


def _are_ac3_frames(data: bytes) -> bool:
    at = 0
    for n_frames in range(_N_IN_A_ROW):
        if at + 6 > len(data):
            return n_frames > 0 and at >= len(data) - 6
        length = _ac3_length(data[at : at + 6])
        if not length:
            return False
        at += length
    return True


def _ac3_length(head: bytes) -> int:
    """Bytes of a frame of AC-3 or E-AC-3; 0 where there is none."""
    if head[:2] != b"\x0b\x77":
        return 0
    if head[5] >> 3 > 10:  # bsid: up to 10 is AC-3, 11 to 16 E-AC-3
        return ((head[2] & 7) << 8 | head[3]) * 2 + 2 if head[5] >> 3 <= 16 else 0
    rate, size = head[4] >> 6, head[4] & 0x3F
    if rate == 3 or size >= 2 * len(_AC3_KBITS):
        return 0
    kbits = _AC3_KBITS[size >> 1]
    if rate == 1:  # 44.1 kHz: 1536 samples of so many kbit/s, in words of 16 bits, rounded down or up
        return 2 * (kbits * 1_000 * 1_536 // (16 * 44_100) + (size & 1))
    return kbits * 4 if rate == 0 else kbits * 6
