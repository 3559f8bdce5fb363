"""Files whose beginning is missing: frames are found again, an MP4's index says where its samples were."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, alignment, by_ffmpeg, by_soundfile, speechlike
from tests.support.av_files import Track, av_file

SAMPLES = speechlike(6.0)


@pytest.mark.parametrize("n_bytes", [100, 777, 5_001])
@pytest.mark.parametrize("name", ["mp3", "adts"])
def test_frames_that_begin_in_the_middle_of_one(name: str, n_bytes: int) -> None:
    data = by_soundfile(SAMPLES, RATE, "MP3") if name == "mp3" else by_ffmpeg(SAMPLES, RATE, "adts", "aac")

    decoded = decode_audio(data[n_bytes:])

    delay, correlation = alignment(SAMPLES, decoded)
    assert -1.5 < delay <= 0  # the beginning is gone, and nothing tells how much it was
    assert correlation > 0.95


@pytest.mark.parametrize("n_bytes", [24, 777, 12_345])
@pytest.mark.parametrize("container", ["ipod", "mp4", "mov"])
def test_an_mp4_that_begins_within_its_samples_keeps_its_times(container: str, n_bytes: int) -> None:
    data, warnings = by_ffmpeg(SAMPLES, RATE, container, "aac"), []
    whole = decode_audio(data)

    decoded = decode_audio(data[n_bytes:], warnings=warnings)

    lost_s = n_bytes / len(data) * 6.0
    assert decoded.size == pytest.approx(whole.size, abs=0.07 * RATE)
    behind = int((lost_s + 0.5) * RATE)
    np.testing.assert_allclose(decoded[behind : whole.size], whole[behind : decoded.size], atol=1e-4)
    if n_bytes > 700:
        assert {warning.kind for warning in warnings} == {"damaged"}
        assert max(warning.end for warning in warnings) < lost_s + 0.5


def test_an_mp4_of_pcm_and_pictures() -> None:
    data = av_file("mov", [Track(SAMPLES, codec="pcm_s16le")], picture_s=2.0)
    warnings: list[AudioWarning] = []

    decoded = decode_audio(data[3_000:], warnings=warnings)

    np.testing.assert_allclose(decoded[2 * RATE :], SAMPLES[2 * RATE :], atol=2**-14)


def test_an_mp4_whose_index_was_at_its_missing_beginning_is_refused() -> None:
    data = by_ffmpeg(SAMPLES, RATE, "ipod", "aac", movflags="faststart")

    with pytest.raises(AudioError, match="not a known audio file"):
        decode_audio(data[data.index(b"mdat") + 100 :])


@pytest.mark.parametrize("front", [b"\r\n\r\n", b"junk" * 300, bytes(2_000)])
def test_an_mp4_behind_other_bytes(front: bytes) -> None:
    data = by_ffmpeg(SAMPLES, RATE, "ipod", "aac")

    np.testing.assert_array_equal(decode_audio(front + data), decode_audio(data))


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), b"APETAGEX" + bytes(64), bytes(1_000), b"\xff" * 40])
def test_an_m4a_with_a_tag_behind_it(tail: bytes) -> None:
    data, warnings = by_ffmpeg(SAMPLES, RATE, "ipod", "aac"), []

    decoded = decode_audio(data + tail, strict=True, warnings=warnings)

    np.testing.assert_array_equal(decoded, decode_audio(data))
    assert warnings == []


@pytest.mark.parametrize("first", [b"moov", b"mdat", b"wide", b"free"])
def test_quicktime_without_ftyp(first: bytes) -> None:
    data = by_ffmpeg(SAMPLES, RATE, "mov", "aac", **({"movflags": "faststart"} if first == b"moov" else {}))
    size = int.from_bytes(data[:4], "big")
    assert data[4:8] == b"ftyp"
    # Positions in the index count from the file's start: another box takes ftyp's room.
    if first in {b"wide", b"free"}:
        old = size.to_bytes(4, "big") + first + bytes(size - 8) + data[size:]
    elif first == b"mdat":
        old = (size.to_bytes(4, "big") + b"mdat").ljust(size, b"\0") + data[size:]
    else:
        moov = data.index(b"moov") - 4
        n_moov = int.from_bytes(data[moov : moov + 4], "big")
        rest = data[moov + n_moov :]
        old = data[moov : moov + n_moov] + (size.to_bytes(4, "big") + b"free").ljust(size, b"\0") + rest

    np.testing.assert_array_equal(decode_audio(old), decode_audio(data))
