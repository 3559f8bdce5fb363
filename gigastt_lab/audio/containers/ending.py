"""End of a file: whether its bytes promise more than there is, one rule for all containers."""

from __future__ import annotations

from typing import BinaryIO

from gigastt_lab.audio.containers import mpeg
from gigastt_lab.audio.containers.kinds import Container, Ending, read_at, size_of
from gigastt_lab.audio.containers.matroska import matroska_ending
from gigastt_lab.audio.containers.mp4 import mp4_ending
from gigastt_lab.audio.containers.ogg import ogg_is_cut

_FIRST_FRAME_BYTES = 4096
_TS_PACKET_BYTES = 188  # Source: ISO/IEC 13818-1, section 2.4.3.2


def ending_of(file: BinaryIO, container: Container) -> Ending:
    """End of a file, as far as its bytes tell before it is decoded.

    Of a FLAC and of frames without a container (MP3, ADTS) only decoding tells the rest.

    Args:
        file: File at whose start the container begins; left anywhere.
        container: Container that it is.

    Raises:
        AudioError: what is there of the file cannot be decoded at all.
    """
    match container:
        case "mp4":
            return mp4_ending(file)
        case "webm":
            return matroska_ending(file)
        case "ogg":
            return Ending(ogg_is_cut(file))
        case "mp3":
            return Ending(duration_s=mpeg.stated_duration_s(read_at(file, 0, _FIRST_FRAME_BYTES)))
        case "ts":
            return Ending(_ts_is_cut(file))
        case _:
            return Ending()


def _ts_is_cut(file: BinaryIO) -> bool:
    """True if a transport stream ends within a packet; its packets begin with a sync byte each."""
    head = read_at(file, 0, 2 * _TS_PACKET_BYTES + 1)
    begins = [head[at : at + 1] for at in (0, _TS_PACKET_BYTES, 2 * _TS_PACKET_BYTES)]
    return begins == [b"G"] * 3 and size_of(file) % _TS_PACKET_BYTES != 0
