"""Lengths in headers of WAVs: true, stand-ins, wrapped, of another version of the file, of a cut file."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gigastt_lab.audio.containers.wav import as_stated, wav_layout
from gigastt_lab.audio.reading import decode_audio, part_by_place, stated_duration_s
from gigastt_lab.errors import AudioError
from tests.support.audio_files import RATE, by_soundfile, pcm16, speechlike, wav_file

SAMPLES = speechlike(3.0)
PCM = pcm16(SAMPLES)
GIB_4 = 2**32

# 0: never filled in; FFmpeg to a pipe, twice; SoX; arecord; others that were met.
STAND_INS = (0, 0xFFFFFFFF, 0xFFFFFFD3, 0x7FFFF000, 0x80000000, 0x7FFFFFFF, 2_000_000_000, 0x7FFFFFDB)


@pytest.mark.parametrize("data_size", STAND_INS)
def test_a_wav_that_was_recorded_live_is_decoded_to_its_end(data_size: int) -> None:
    warnings: list[object] = []

    decoded = decode_audio(wav_file(PCM, data_size=data_size), strict=True, warnings=warnings)

    np.testing.assert_allclose(decoded, SAMPLES, atol=2**-15)
    assert warnings == []


@pytest.mark.parametrize(("tag", "bits", "dtype"), [(1, 24, "u1"), (3, 32, "<f4"), (3, 64, "<f8")])
def test_a_live_wav_of_other_samples_is_decoded_too(tag: int, bits: int, dtype: str) -> None:
    if bits == 24:
        integers = np.round(SAMPLES * 2**23).astype("<i4")
        data = integers.view("u1").reshape(-1, 4)[:, :3].tobytes()
    else:
        data = SAMPLES.astype(dtype).tobytes()

    decoded = decode_audio(wav_file(data, data_size=0, tag=tag, bits=bits))

    np.testing.assert_allclose(decoded, SAMPLES, atol=2**-23)


@pytest.mark.parametrize(("n_channels", "bits"), [(1, 24), (3, 16), (6, 16), (2, 24), (1, 8)])
def test_sox_rounds_its_stand_in_down_to_a_block(n_channels: int, bits: int) -> None:
    data = bytes(n_channels * bits // 8 * RATE)
    size = 0x7FFFF000 // (n_channels * bits // 8) * (n_channels * bits // 8)
    warnings: list[object] = []

    decoded = decode_audio(
        wav_file(data, n_channels=n_channels, bits=bits, data_size=size), strict=True, warnings=warnings
    )

    assert decoded.shape == (RATE,)
    assert warnings == []


def test_a_gsm_of_a_pipe() -> None:
    whole = bytearray(by_soundfile(SAMPLES[::2], RATE // 2, "WAV", "GSM610"))
    expected, warnings = decode_audio(bytes(whole)), []
    at = whole.index(b"data") + 4
    whole[at : at + 4] = struct.pack("<I", 0x7FFFF000 // 65 * 65)
    fact = whole.index(b"fact") + 8
    whole[fact : fact + 4] = struct.pack("<I", 0x7FFFF000 // 65 * 320 % GIB_4)

    np.testing.assert_array_equal(decode_audio(bytes(whole), strict=True, warnings=warnings), expected)
    assert warnings == []


@pytest.mark.parametrize("data_size", [len(PCM) + 1_000, 2 * len(PCM), 1_000_000_000])
def test_a_length_that_is_no_stand_in_is_a_promise(data_size: int) -> None:
    warnings: list[object] = []

    decoded = decode_audio(wav_file(PCM, data_size=data_size), warnings=warnings)

    np.testing.assert_allclose(decoded, SAMPLES, atol=2**-15)
    assert [warning.kind for warning in warnings] == ["cut"]
    assert warnings[0].end == pytest.approx(data_size / 2 / RATE)


def test_a_large_file_of_which_more_than_half_is_there_was_cut() -> None:
    header = wav_file(b"", data_size=3_000_000_000)

    assert wav_layout(_sparse(header, 1_700_000_000)).is_cut
    assert not wav_layout(_sparse(header, 1_000_000)).is_cut


class _Sparse(io.RawIOBase):
    """A file of zeros behind a header, of any size, that takes no room."""

    def __init__(self, header: bytes, size: int, tail: bytes = b"") -> None:
        self._header, self._size, self._tail, self._at = header, size, tail, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        n_bytes = max(0, min(len(buffer), self._size - self._at))
        data = self._header[self._at : self._at + n_bytes]
        data += b"\1" * (n_bytes - len(data))
        tail_at = self._size - len(self._tail)
        if self._at + n_bytes > tail_at:
            first = max(0, self._at - tail_at)
            keep = max(0, tail_at - self._at)
            data = (data[:keep] + self._tail[first:])[:n_bytes]
        buffer[:n_bytes] = data
        self._at += n_bytes
        return n_bytes


def _sparse(header: bytes, data_size: int, tail: bytes = b"") -> _Sparse:
    return _Sparse(header, len(header) + data_size + len(tail), tail)


@pytest.mark.parametrize("tail", [b"", b"LIST\x04\0\0\0abcd"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_size_that_wrapped_is_unwrapped(tail: bytes, times: int) -> None:
    data_size = times * GIB_4 + 96_000  # three seconds, says the header
    layout = wav_layout(_sparse(wav_file(b"", data_size=96_000), data_size, tail))

    assert layout.data_end - layout.data_start == data_size
    assert not layout.is_cut
    assert not layout.goes_on  # the format cannot say more


def test_the_end_of_a_wav_of_more_than_4_gib_is_heard() -> None:
    data_size = GIB_4 + 2**20
    file = _sparse(wav_file(b"", data_size=2**20 + len(PCM)), data_size, PCM)
    layout = wav_layout(file)

    with soundfile.SoundFile(as_stated(file, layout)) as sound:
        assert sound.frames == (data_size + len(PCM)) // 2
        sound.seek(sound.frames - SAMPLES.size)
        samples = sound.read(dtype="float32")

    np.testing.assert_allclose(samples, SAMPLES, atol=2**-15)
    assert stated_duration_s(file) == pytest.approx(sound.frames / RATE)


@pytest.mark.parametrize("stated", [0.5, 0.01])
def test_a_header_that_states_less_is_read_to_the_end(stated: float) -> None:
    size = int(len(PCM) * stated) // 2 * 2
    warnings: list[object] = []

    decoded = decode_audio(wav_file(PCM, data_size=size), strict=True, warnings=warnings)

    np.testing.assert_allclose(decoded, SAMPLES, atol=2**-15)
    (warning,) = warnings
    assert (warning.kind, warning.start) == ("length", pytest.approx(size / 2 / RATE))
    assert warning.end == pytest.approx(3.0)


def test_a_ds64_that_says_otherwise() -> None:
    rf64 = bytearray(by_soundfile(SAMPLES, RATE, "RF64"))
    at = rf64.index(b"ds64") + 16
    (size,) = struct.unpack("<Q", rf64[at : at + 8])
    assert size == len(PCM)
    expected = decode_audio(bytes(rf64))
    for stated, kinds in ((size // 2, ["length"]), (2 * size, ["cut"]), (2**63, []), (0, [])):
        rf64[at : at + 8] = struct.pack("<Q", stated)
        warnings: list[object] = []
        np.testing.assert_array_equal(decode_audio(bytes(rf64), warnings=warnings), expected)
        assert [warning.kind for warning in warnings] == kinds, stated


@pytest.mark.parametrize(
    "tail",
    [b"LIST\x04\0\0\0abcd", b"id3 \x0a\0\0\0" + b"ID3\x04\0\0\0\0\0\0", b"TAG" + bytes(125), bytes(512),
     b"APETAGEX" + bytes(40), b"bext\x04\0\0\0abcdLIST\x02\0\0\0ab", b"LIST\xff\xff\0\0cut"],
)  # fmt: skip
def test_what_stands_behind_the_samples_is_not_heard(tail: bytes) -> None:
    warnings: list[object] = []

    decoded = decode_audio(wav_file(PCM) + tail, warnings=warnings)

    np.testing.assert_array_equal(decoded, decode_audio(wav_file(PCM)))
    assert warnings == []


def test_a_part_by_place_of_a_file_with_a_wrong_length_is_that_of_the_decoded_file(tmp_path: Path) -> None:
    path = tmp_path / "half.wav"
    path.write_bytes(wav_file(PCM, data_size=len(PCM) // 2))

    assert part_by_place(path, 0, 100) is None  # decoded from its start instead
    assert decode_audio(path).size == SAMPLES.size


def test_a_wav_may_count_its_header_as_data_or_lose_half_a_sample() -> None:
    assert decode_audio(wav_file(PCM, data_size=len(PCM) + 44)).shape == SAMPLES.shape
    assert decode_audio(wav_file(PCM)[:-1]).size == SAMPLES.size - 1


def test_a_wav_with_chunks_before_and_after_its_data() -> None:
    plain = wav_file(PCM)
    odd_chunk = b"note\x03\x00\x00\x00abc\x00"  # padded to an even length
    data = plain[:12] + odd_chunk + plain[12:] + b"LIST\x04\x00\x00\x00abcd"

    np.testing.assert_array_equal(decode_audio(data), decode_audio(plain))


@pytest.mark.parametrize("end", [4, 12, 20, 30, 36, 40, 44])
@pytest.mark.parametrize("data_size", [0, None])
def test_a_wav_of_a_header_only_is_refused(end: int, data_size: int | None) -> None:
    with pytest.raises(AudioError):
        decode_audio(wav_file(PCM, data_size=data_size)[:end])


def test_a_wav_of_endless_chunks_is_refused() -> None:
    data = wav_file(PCM)

    with pytest.raises(AudioError, match="more than 100000 chunks"):
        decode_audio(data[:12] + b"note\x00\x00\x00\x00" * 100_000 + data[12:])


def test_a_wav_that_counts_in_the_other_byte_order() -> None:
    little = wav_file(PCM)
    fields = struct.unpack("<HHIIHH", little[20:36])
    big = b"RIFX" + struct.pack(">I", len(little) - 8) + b"WAVEfmt " + struct.pack(">I", 16)
    big += struct.pack(">HHIIHH", *fields) + b"data" + struct.pack(">I", len(PCM) * 2)  # and cut
    big += np.frombuffer(PCM, "<i2").astype(">i2").tobytes()
    warnings: list[object] = []

    np.testing.assert_array_equal(decode_audio(big, warnings=warnings), decode_audio(little))
    assert [warning.kind for warning in warnings] == ["cut"]
