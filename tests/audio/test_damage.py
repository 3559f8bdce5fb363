"""Damage: what cannot be decoded becomes silence of its length, said with its time; the rest keeps its."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.audio.reading import audio_blocks, decode_audio
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import (
    RATE,
    alignment,
    by_ffmpeg,
    by_soundfile,
    media_recorder,
    ogg_pages,
    speechlike,
)

pytestmark = pytest.mark.slow  # seconds in all; the quick tests hold the parts

SECONDS = 12.0
SAMPLES = speechlike(SECONDS)
ID3 = b"ID3\x04\0\0\0\0\x20\0" + bytes(4096)  # as behind a song's cover: zeros are no frames
APE = b"APETAGEX" + bytes(24) + b"Title\0Song"

FILES = {
    "mp3": lambda: by_soundfile(SAMPLES, RATE, "MP3"),
    "mp3 44.1 kHz": lambda: by_ffmpeg(speechlike(SECONDS, 44_100), 44_100, "mp3", "libmp3lame"),
    "adts": lambda: by_ffmpeg(SAMPLES, RATE, "adts", "aac"),
    "m4a": lambda: by_ffmpeg(SAMPLES, RATE, "ipod", "aac"),
    "flac": lambda: by_soundfile(SAMPLES, RATE, "FLAC"),
    "ogg opus": lambda: by_soundfile(SAMPLES, RATE, "OGG", "OPUS"),
    "webm": lambda: media_recorder(SAMPLES),
}
# Seconds that the damage may take away, beyond its own bytes: frames, an Ogg page, a cluster of WebM.
UNIT_S = {"ogg opus": 1.1, "webm": 0.6, "flac": 0.3}


def damaged(data: bytes, n_bytes: int, at: float, seed: int = 0) -> bytes:
    start = int(len(data) * at)
    return data[:start] + np.random.default_rng(seed).bytes(n_bytes) + data[start + n_bytes :]


@pytest.mark.parametrize("n_bytes", [200, 2_000])
@pytest.mark.parametrize("name", FILES)
def test_damage_costs_its_own_time_and_no_more(name: str, n_bytes: int) -> None:
    data, warnings = FILES[name](), []
    whole = decode_audio(data)
    lost_s = n_bytes / len(data) * SECONDS

    decoded = decode_audio(damaged(data, n_bytes, 0.5), warnings=warnings)

    assert decoded.size == pytest.approx(whole.size, abs=0.07 * RATE)  # one frame of AAC
    unit = UNIT_S.get(name, 0.25)
    before = slice(int(RATE * (SECONDS / 2 - 1.6)))
    behind = slice(int(RATE * (SECONDS / 2 + lost_s + unit + 1.0)), None)
    np.testing.assert_allclose(decoded[before], whole[before], atol=1e-4)
    delay, correlation = alignment(whole[behind][: -RATE // 4], decoded[behind][: -RATE // 4])
    assert abs(delay) <= 0.066
    assert correlation > 0.98
    for warning in warnings:
        assert warning.kind in {"damaged", "hole"}
        assert SECONDS / 2 - 1.6 < warning.start <= warning.end < SECONDS / 2 + lost_s + unit + 1.0
    if n_bytes == 2_000:
        assert warnings
        assert sum(each.end - each.start for each in warnings) < lost_s + unit + 0.5


@pytest.mark.parametrize("name", ["mp3", "mp3 44.1 kHz", "adts"])
@pytest.mark.parametrize("seed", range(4))
def test_sixteen_bytes_do_not_kill_a_recording(name: str, seed: int) -> None:
    data = FILES[name]()

    decoded = decode_audio(damaged(data, 16, 0.2 + seed / 7, seed))

    assert decoded.size == pytest.approx(SECONDS * RATE, abs=0.12 * RATE)


def test_the_silence_is_silent_and_the_warning_says_where(caplog: pytest.LogCaptureFixture) -> None:
    warnings: list[AudioWarning] = []

    with caplog.at_level("WARNING", "gigastt_lab"):
        decoded = decode_audio(damaged(FILES["flac"](), 50, 0.5), warnings=warnings)

    (warning,) = warnings
    assert warning.kind == "damaged"
    assert not decoded[round(warning.start * RATE) : round(warning.end * RATE)].any()
    assert decoded[round(warning.start * RATE) - 1] != 0
    assert f"{warning.start:.2f} to {warning.end:.2f} s could not be decoded" in warning.message
    assert warning.message in caplog.text


@pytest.mark.parametrize("name", ["mp3", "mp3 44.1 kHz", "adts", "flac", "m4a"])
def test_strict_refuses_damage(name: str) -> None:
    with pytest.raises(AudioError, match=r"could not be decoded \(damaged\).* leave out `strict`"):
        decode_audio(damaged(FILES[name](), 2_000, 0.5), strict=True)


@pytest.mark.parametrize("name", ["mp3", "mp3 44.1 kHz", "adts", "flac"])
def test_a_file_of_which_most_is_broken_is_refused(name: str) -> None:
    data = FILES[name]()

    with pytest.raises(AudioError, match="most of it is damaged"):
        decode_audio(damaged(data, int(len(data) * 0.75), 0.2))


@pytest.mark.parametrize("between", [b"", ID3, APE], ids=["nothing", "ID3v2", "APE"])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_joined_mp3s_are_one_recording(between: bytes, rate: int) -> None:
    first = by_ffmpeg(speechlike(3.0, rate), rate, "mp3", "libmp3lame")
    second = by_ffmpeg(speechlike(3.0, rate, seed=1), rate, "mp3", "libmp3lame")
    warnings: list[AudioWarning] = []

    decoded = decode_audio(first + between + second, strict=True, warnings=warnings)

    assert warnings == []
    # What encoders add at a beginning and an end stays in: below 0.2 s.
    assert 6.0 <= decoded.size / RATE <= 6.2
    for seed, start in ((0, 0), (1, 3)):
        part = decoded[start * RATE : (start + 3) * RATE + RATE // 5]
        delay, correlation = alignment(speechlike(3.0, seed=seed), part)
        assert 0 <= delay < 0.2
        assert correlation > 0.95


def test_joined_mp3s_of_different_rates_and_channels() -> None:
    first = by_soundfile(speechlike(3.0, 44_100), 44_100, "MP3")
    second = by_soundfile(np.stack([speechlike(3.0, seed=1)] * 2, axis=1), RATE, "MP3")

    decoded = decode_audio(first + ID3 + second)

    assert 6.0 <= decoded.size / RATE <= 6.2
    delay, correlation = alignment(speechlike(3.0, seed=1), decoded[3 * RATE :])
    assert 0 <= delay < 0.2
    assert correlation > 0.95
    np.testing.assert_array_equal(np.concatenate(list(audio_blocks(first + ID3 + second))), decoded)


def test_a_lost_ogg_page_is_silence_of_its_length() -> None:
    pages = ogg_pages(FILES["ogg opus"]())
    whole = decode_audio(b"".join(pages))
    warnings: list[AudioWarning] = []

    decoded = decode_audio(b"".join(pages[:4] + pages[5:]), warnings=warnings)

    (warning,) = warnings
    assert warning.kind == "hole"
    assert warning.end - warning.start == pytest.approx(1.0, abs=0.05)
    assert decoded.size == pytest.approx(whole.size, abs=RATE // 50)
    inside = slice(round(warning.start * RATE) + 100, round(warning.end * RATE) - 100)  # beyond the resampler
    assert np.abs(decoded[inside]).max() < 1e-4
    behind = round(warning.end * RATE) + RATE // 5  # Opus needs a moment to find its way
    assert np.corrcoef(decoded[behind : whole.size], whole[behind : decoded.size])[0, 1] > 0.99


def test_a_thousand_places_give_few_warnings_and_one_sum() -> None:
    pages = ogg_pages(by_ffmpeg(speechlike(30.0), RATE, "ogg", "libopus", page_duration="100000"))
    kept = [page for i, page in enumerate(pages) if i < 4 or i % 4]
    warnings: list[AudioWarning] = []

    decoded = decode_audio(b"".join(kept), warnings=warnings)

    assert decoded.size == pytest.approx(30 * RATE, abs=RATE)
    assert len(warnings) == 21
    assert "further places" in warnings[-1].message
