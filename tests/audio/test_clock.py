"""Times are those of the file's clock: late starts, edit lists, holes, clocks that jump."""

from __future__ import annotations

import logging
import struct

import numpy as np
import pytest

from gigastt_lab.audio.decoders.clock import Clock
from gigastt_lab.audio.reading import decode_audio, from_array
from gigastt_lab.audio.report import Report
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, alignment, by_ffmpeg, speechlike
from tests.support.av_files import Track, av_file

FORMATS = {
    "mp4": ("mp4", "aac", "mpeg4", RATE),
    "mov": ("mov", "aac", "mpeg4", RATE),
    "mov with PCM": ("mov", "pcm_s16le", "mpeg4", RATE),
    "mov with PCM of 24 bits": ("mov", "pcm_s24be", "mpeg4", RATE),
    "mkv": ("matroska", "aac", "mpeg4", RATE),
    "mkv with PCM": ("matroska", "pcm_s16le", "mpeg4", RATE),
    "mkv with PCM of 24 bits": ("matroska", "pcm_s24le", "mpeg4", RATE),
    "webm": ("webm", "libopus", "libvpx", 48_000),
}


@pytest.mark.parametrize("start_s", [0.0, 2.0])
@pytest.mark.parametrize("name", FORMATS)
def test_sound_that_starts_after_the_picture_keeps_its_time(name: str, start_s: float) -> None:
    container, codec, picture, rate = FORMATS[name]
    data = av_file(
        container, [Track(speechlike(2.0, rate), start_s, codec, rate)], picture=picture, picture_s=4.0
    )
    warnings: list[AudioWarning] = []

    decoded = decode_audio(data, strict=True, warnings=warnings)

    delay, correlation = alignment(speechlike(2.0), decoded)
    assert delay == pytest.approx(start_s, abs=0.005)
    assert correlation > 0.95
    assert decoded.size / RATE == pytest.approx(start_s + 2.0, abs=0.07)
    assert np.abs(decoded[: max(0, int((start_s - 0.1) * RATE))]).max(initial=0.0) < 1e-3
    assert warnings == []  # nothing is missing


def test_fragments_that_start_late() -> None:
    data = av_file("mp4", [Track(speechlike(2.0), 2.0)], picture_s=4.0, movflags="frag_keyframe+empty_moov")

    delay, correlation = alignment(speechlike(2.0), decode_audio(data))

    assert delay == pytest.approx(2.0, abs=0.005)
    assert correlation > 0.95


@pytest.mark.parametrize("start_s", [0.5, 3.0])
def test_an_empty_edit_is_silence(start_s: float) -> None:
    data = av_file("mp4", [Track(speechlike(2.0), start_s)], picture=None)
    at = data.index(b"elst")
    (n_entries,) = struct.unpack(">I", data[at + 8 : at + 12])
    assert n_entries == 2  # the empty one, and the sound
    duration, media_time = struct.unpack(">Ii", data[at + 12 : at + 20])
    assert media_time == -1
    assert duration == start_s * 1000 - 64  # the codec's own start comes first

    delay, correlation = alignment(speechlike(2.0), decode_audio(data))

    assert delay == pytest.approx(start_s, abs=0.005)
    assert correlation > 0.95


def test_an_edit_that_leaves_out_the_beginning_leaves_it_out() -> None:
    data = bytearray(by_ffmpeg(speechlike(4.0), RATE, "mp4", "aac"))
    at = data.index(b"elst") + 16
    assert struct.unpack(">i", data[at : at + 4]) == (1024,)  # the codec's own start
    data[at : at + 4] = struct.pack(">i", 1024 + RATE)

    decoded = decode_audio(bytes(data))

    delay, correlation = alignment(speechlike(4.0), decoded)
    assert delay == pytest.approx(-1.0, abs=0.005)
    assert correlation > 0.95


@pytest.mark.parametrize("name", ["mp4", "mkv", "mkv with PCM", "webm"])
def test_a_hole_is_silence_of_its_length(name: str) -> None:
    container, codec, picture, rate = FORMATS[name]
    track = Track(speechlike(14.0, rate), 0.0, codec, rate, hole=(2.0, 12.0))
    warnings: list[AudioWarning] = []

    decoded = decode_audio(
        av_file(container, [track], picture=picture, picture_s=14.0), strict=True, warnings=warnings
    )

    (warning,) = warnings
    assert warning.kind == "hole"
    assert warning.start == pytest.approx(2.0, abs=0.07)
    assert warning.end == pytest.approx(12.0, abs=0.07)
    assert not decoded[int(2.1 * RATE) : int(11.9 * RATE)].any()
    assert decoded.size / RATE == pytest.approx(14.0, abs=0.07)
    behind = slice(int(12.3 * RATE), None)
    delay, correlation = alignment(from_array(speechlike(14.0, rate), rate)[behind], decoded[behind])
    assert abs(delay) < 0.07
    assert correlation > 0.95


def clock(**options: float | None) -> tuple[Clock, list[AudioWarning]]:
    warnings: list[AudioWarning] = []
    settings = {"zero_s": 0.0, "end_s": None} | options
    return Clock(Report("file", warnings, strict=False), **settings), warnings  # type: ignore[arg-type]


def test_shaking_time_stamps_are_no_holes() -> None:
    made, warnings = clock()
    rng = np.random.default_rng(0)
    for i in range(500):
        assert made.silence_before(i * 0.02 + rng.uniform(-0.03, 0.03)) == 0
        made.advance(0.02)
    assert warnings == []


def test_small_losses_add_up() -> None:
    made, warnings = clock()
    for i in range(100):  # every tenth packet of 20 ms is lost
        if i % 10 != 9:
            made.silence_before(i * 0.02)
            made.advance(0.02)
    assert made.position_s == pytest.approx(2.0, abs=0.1)
    assert {warning.kind for warning in warnings} == {"hole"}


def test_a_clock_that_goes_back_or_far_beyond_the_end_is_not_believed() -> None:
    made, warnings = clock(end_s=100.0)
    made.advance(10.0)
    assert made.silence_before(2.0) == 0.0
    made.advance(1.0)
    assert made.silence_before(5_000.0) == 0.0
    made.advance(1.0)
    assert made.silence_before(5_003.0) == pytest.approx(2.0)  # what comes then counts from there
    assert [warning.kind for warning in warnings] == ["clock", "clock", "hole"]


def test_no_clock_makes_days_of_silence() -> None:
    made, warnings = clock()
    made.advance(1.0)
    assert made.silence_before(20 * 3600.0) > 0
    assert made.silence_before(40 * 3600.0) == 0.0
    assert [warning.kind for warning in warnings] == ["hole", "clock"]


def test_hopeless_damage_is_refused_early() -> None:
    made, _ = clock(zero_s=None)
    made.advance(5.0)
    made.damage(90.0)
    with pytest.raises(AudioError, match=r"90\.0 of the first 95\.0 s could not be decoded"):
        made.silence_before(None)


def test_a_gap_at_the_start_is_not_lost_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    data = av_file("matroska", [Track(speechlike(1.0), 1.0)], picture_s=2.0)
    with caplog.at_level(logging.WARNING, "gigastt_lab"):
        decode_audio(data)
    assert caplog.text == ""
