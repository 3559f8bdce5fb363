"""Lengths that headers of AIFF, AU, CAF, W64 and others state: never believed against the data."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, by_soundfile, speechlike
from tests.support.format_files import FORMATS, encoded

SAMPLES = speechlike(0.5)
# By container: name before the length of the samples, distance to it, its format, bytes counted with them.
_LENGTHS = {
    "AIFF": (b"SSND", 4, ">I", 8),
    "AU": (b".snd", 8, ">I", 0),
    "CAF": (b"data", 4, ">q", 4),
    "W64": (b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", 16, "<Q", 24),
}


def stating(container: str, n_bytes: int, data: bytes | None = None) -> bytes:
    """A file of PCM16 whose header states so many bytes of samples."""
    data = by_soundfile(SAMPLES, RATE, container, "PCM_16") if data is None else data
    name, distance, layout, beside = _LENGTHS[container]
    at = data.index(name) + distance
    assert struct.unpack_from(layout, data, at)[0] == 2 * SAMPLES.size + beside
    return data[:at] + struct.pack(layout, n_bytes + beside) + data[at + struct.calcsize(layout) :]


def read(data: bytes) -> tuple[np.ndarray, list[str]]:
    warnings: list[AudioWarning] = []
    return decode_audio(data, warnings=warnings), [warning.kind for warning in warnings]


@pytest.mark.parametrize("container", _LENGTHS)
def test_a_header_that_states_half_is_not_believed(container: str) -> None:
    samples, _ = read(stating(container, SAMPLES.size))

    np.testing.assert_allclose(samples, SAMPLES, atol=1e-4)


@pytest.mark.parametrize(
    ("container", "stated"),
    [
        ("AIFF", 0x7F00_0000),  # SoX to a pipe
        ("AIFF", 0xFFFF_FFFF - 8),
        ("AIFF", -8),  # never filled in
        ("AU", 0xFFFF_FFFF),
        ("AU", 0),
        ("CAF", -5),  # the standard's own "not known" is -1
        ("W64", (1 << 63) - 64),
        ("W64", -24),
    ],
)
def test_a_length_that_stands_for_none_is_none(container: str, stated: int) -> None:
    samples, kinds = read(stating(container, stated))

    np.testing.assert_allclose(samples, SAMPLES, atol=1e-4)
    assert kinds == []


@pytest.mark.parametrize("container", _LENGTHS)
def test_what_is_there_of_a_cut_file_is_read_with_a_warning(container: str) -> None:
    data = by_soundfile(SAMPLES, RATE, container, "PCM_16")
    cut = data[: len(data) - SAMPLES.size]

    samples, kinds = read(cut)

    assert samples.size == pytest.approx(SAMPLES.size / 2, abs=2)
    assert kinds == ["cut"]
    with pytest.raises(AudioError, match="the file was cut"):
        decode_audio(cut, strict=True)


@pytest.mark.parametrize(
    ("container", "codec", "sample_format"),
    [("avi", "pcm_s16le", "s16"), ("avi", "mp3", "fltp"), ("asf", "wmav2", "fltp"), ("tta", "tta", "s16"),
     ("wv", "wavpack", "s16p")],
)  # fmt: skip
def test_a_cut_file_of_packets_is_read_with_a_warning(container: str, codec: str, sample_format: str) -> None:
    seconds = 8.0 if container == "wv" else 3.0  # WavPack's blocks are of 3 s
    data = encoded(speechlike(seconds), RATE, container, codec, sample_format)
    cut = data[: int(0.6 * len(data))]

    samples, kinds = read(cut)

    assert 0.3 * seconds < samples.size / RATE < 0.8 * seconds
    assert kinds[-1] == "cut"
    with pytest.raises(AudioError, match="the file was cut"):
        decode_audio(cut, strict=True)


def test_chunks_behind_the_samples_are_not_heard() -> None:
    note = b"ANNO" + struct.pack(">I", 1_000) + b"text" * 250
    data = by_soundfile(SAMPLES, RATE, "AIFF", "PCM_16") + note

    samples, kinds = read(data)

    assert (samples.size, kinds) == (SAMPLES.size, [])


def test_chunks_of_an_aiff_may_come_in_any_order() -> None:
    data = by_soundfile(SAMPLES, RATE, "AIFF", "PCM_16")
    at = data.index(b"SSND")
    common = data[12:at]

    samples, kinds = read(data[:12] + data[at:] + common)

    np.testing.assert_allclose(samples, SAMPLES, atol=1e-4)
    assert kinds == []


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ("AIFF", r"an AIFF without its sound \(SSND\)"),
        ("CAF", r"a CAF without its sound \(data\)"),
        ("W64", r"a Wave64 without its sound \(data\)"),
    ],
)
def test_a_file_without_its_sound_is_refused(container: str, message: str) -> None:
    data = by_soundfile(SAMPLES, RATE, container, "PCM_16")

    with pytest.raises(AudioError, match=message):
        decode_audio(data[: data.index(_LENGTHS[container][0])])


def test_an_avi_without_its_sound_is_refused() -> None:
    data = FORMATS["avi pcm_s16le"]()

    with pytest.raises(AudioError, match=r"an AVI without its sound \(movi\)"):
        decode_audio(data[: data.index(b"movi") - 8])
