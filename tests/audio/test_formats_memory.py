"""Small files whose headers ask for hundreds of megabytes: bounded in memory, read where there is sound.

Each is read in a process of its own, whose peak is measured: allocations of FFmpeg's are not Python's.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from evaluation.studies.files import Outcome, read
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from tests.support.audio_files import RATE, by_soundfile, speechlike
from tests.support.format_files import encoded

_BOUND_MB = 24.0
_LONGEST_FRAME = 16_000_000


def outcome(tmp_path: Path, data: bytes) -> Outcome:
    path = tmp_path / "file"
    path.write_bytes(data)
    return read(path)


def alac_of_long_frames() -> bytes:
    """ALAC in M4A whose header allows frames of 16 million samples, and whose first frame claims as many."""
    data = bytearray(encoded(speechlike(0.5), RATE, "ipod", "alac", "s16p"))
    cookie = data.index(b"alac", data.index(b"alac") + 4)
    struct.pack_into(">I", data, cookie + 8, _LONGEST_FRAME)
    bits = "000" + "0000" + 12 * "0" + "1" + "00" + "0"  # one channel, with a length of its own, compressed
    bits += f"{_LONGEST_FRAME:032b}" + 16 * "0" + "0000" + "1001" + "001" + "00000"  # no prediction
    frame = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    start = data.index(b"mdat") + 4
    data[start : start + 400] = frame.ljust(400, b"\0")
    return bytes(data)


def with_text_of(data: bytes, n_bytes: int) -> bytes:
    """A WAV or AVI whose list of texts claims so many bytes, all of them in one text."""
    changed = bytearray(data)
    at = changed.index(b"INFO")
    struct.pack_into("<I", changed, at - 4, n_bytes + 16)
    struct.pack_into("<I", changed, at + 8, n_bytes)
    return bytes(changed)


def aiff_with_compressed_tags() -> bytes:
    """AIFF with an ID3v2.4 tag of twenty pictures, each 16 MB of zeros in a few kilobytes."""
    size = 16 << 20
    body = zlib.compress(b"\0image/png\0\3\0".ljust(size, b"\0"), 9)
    content = synchsafe(size) + body
    frame = b"APIC" + synchsafe(len(content)) + b"\x00\x09" + content  # compressed, with its length
    tag = b"ID3\x04\0\0" + synchsafe(20 * len(frame)) + 20 * frame
    whole = by_soundfile(speechlike(0.5), RATE, "AIFF", "PCM_16")
    chunk = b"ID3 " + struct.pack(">I", len(tag)) + tag + b"\0" * (len(tag) % 2)
    return whole[:12] + chunk + whole[12:]


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def test_frames_of_alac_are_bounded(tmp_path: Path) -> None:
    found = outcome(tmp_path, alac_of_long_frames())

    assert found.kind == "refused"
    assert found.memory_mb < _BOUND_MB


@pytest.mark.parametrize("container", ["avi", "wav"])
def test_texts_that_claim_a_gigabyte_are_passed_over(tmp_path: Path, container: str) -> None:
    data = encoded(speechlike(0.5), RATE, container, "mp3", "fltp")

    found = outcome(tmp_path, with_text_of(data, 800_000_000))

    assert found.kind in {"decoded", "refused"}
    assert found.memory_mb < _BOUND_MB


def test_compressed_tags_within_an_aiff_are_passed_over(tmp_path: Path) -> None:
    found = outcome(tmp_path, aiff_with_compressed_tags())

    assert (found.kind, found.message, found.seconds) == ("decoded", "", 0.5)
    assert found.memory_mb < _BOUND_MB


def test_a_caf_of_too_many_packets_is_refused() -> None:
    data = bytearray(by_soundfile(speechlike(0.5), RATE, "CAF", "ALAC_16"))
    struct.pack_into(">Q", data, data.index(b"pakt") + 12, 1 << 30)

    with pytest.raises(AudioError, match="a CAF of more than 4000000 packets; cut the recording"):
        decode_audio(bytes(data))


def test_a_caf_of_samples_in_groups_is_refused() -> None:
    data = bytearray(by_soundfile(speechlike(0.5), RATE, "CAF", "PCM_16"))
    data[40] = 121  # of the samples in a group; a call to the decoder for each sample would take minutes

    with pytest.raises(AudioError, match="said to come in groups: its header is damaged"):
        decode_audio(bytes(data))


def test_a_tta_of_too_many_frames_is_refused() -> None:
    data = bytearray(encoded(speechlike(0.5), RATE, "tta", "tta", "s16"))
    struct.pack_into("<II", data, 10, 1, 0xFFFFFFFF)

    with pytest.raises(AudioError, match="a TTA of 4294967295 samples at 1 Hz: its header is damaged"):
        decode_audio(bytes(data))


def test_a_header_of_wma_beyond_its_file_is_refused() -> None:
    data = bytearray(encoded(speechlike(0.5), RATE, "asf", "wmav2", "fltp"))
    struct.pack_into("<Q", data, 16, 1 << 62)

    with pytest.raises(AudioError, match="a WMA whose header takes 4611686018427387904 bytes"):
        decode_audio(bytes(data))
