"""Containers that are decoded while they come: the samples of the whole file, as soon as they can be had."""

from __future__ import annotations

import struct
import threading

import numpy as np
import pytest

from gigastt_lab.audio.live.detection import LIVE_CONTAINERS
from gigastt_lab.audio.live.input import LiveInput
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from tests.support.audio_files import (
    RATE,
    alignment,
    by_ffmpeg,
    by_soundfile,
    media_recorder,
    ogg_pages,
    pcm16,
    speechlike,
    telegram_voice,
    wav_file,
)
from tests.support.live_audio import FRAGMENTED, cut, heard, streams_of, with_pictures
from tests.support.server_process import eventually

pytestmark = pytest.mark.slow  # seconds in all; the quick tests hold the parts

SPEECH = speechlike(4.0)


@pytest.fixture(scope="module")
def streams():
    return streams_of(SPEECH)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    eventually(lambda: not [each for each in threading.enumerate() if each.name == "live decoder"])


@pytest.mark.parametrize("container", LIVE_CONTAINERS)
def test_a_stream_has_the_samples_of_the_file(streams, container):
    found = heard(cut(streams[container], 997))
    expected = decode_audio(streams[container])
    # MP3's header says how much of the last frame is no sound; as a stream, it is known too late.
    slack = 576 if container == "mp3" else 0
    assert expected.size <= found.samples.size <= expected.size + slack
    assert np.array_equal(found.samples[: expected.size], expected)
    assert found.rate == RATE
    assert found.warnings == []
    assert alignment(SPEECH, found.samples) > (-1e-3, 0.95)


@pytest.mark.parametrize("container", LIVE_CONTAINERS)
def test_chunks_of_any_size_give_the_same_samples(streams, container):
    data = streams[container]
    whole = heard([data]).samples
    for size in (13, 400, 5_000):
        assert np.array_equal(heard(cut(data, size)).samples, whole), size


@pytest.mark.slow
@pytest.mark.parametrize("container", LIVE_CONTAINERS)
def test_a_byte_at_a_time_gives_the_same_samples(streams, container):
    data = streams[container]
    assert np.array_equal(heard(cut(data, 1)).samples, heard([data]).samples)


# Seconds of sound that may wait in what was sent: FLAC's parser wants ten frames before it gives one.
WAITS_S = {"webm": 0.07, "ogg": 0.07, "mp4": 0.07, "mp3": 0.4, "aac": 0.07, "flac": 2.6, "wav": 0.01}


@pytest.mark.parametrize("container", LIVE_CONTAINERS)
def test_what_has_come_is_given_at_once(streams, container):
    found = heard(cut(streams[container], 100))
    assert found.samples.size - found.n_before_end <= WAITS_S[container] * RATE
    assert found.longest <= 1.2 * RATE  # pieces of about a second, however long a chunk


def test_the_first_cluster_of_a_media_recorder_is_heard_when_it_has_come(streams):
    data = streams["webm"]
    cluster = data.index(b"\x1f\x43\xb6\x75")
    assert cluster < heard(cut(data, 10)).first_at < cluster + 700  # two packets of 20 ms


def test_a_chunk_of_everything_is_given_in_pieces_of_about_a_second():
    found = heard([media_recorder(speechlike(8.0))])
    assert found.samples.size == 8 * RATE
    assert found.longest <= 1.2 * RATE


def stereo_webm(left, right):
    return by_ffmpeg(np.stack([left, right]), RATE, "webm", "libopus", live=True, layout="stereo")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda x: by_soundfile(x, RATE, "OGG", "VORBIS"), id="Vorbis"),
        pytest.param(lambda x: by_ffmpeg(x, RATE, "ogg", "flac", live=True), id="FLAC in Ogg"),
        pytest.param(lambda x: by_ffmpeg(x, 48_000, "matroska", "libopus", live=True), id="48 kHz"),
        pytest.param(lambda x: stereo_webm(x, x), id="stereo"),
        pytest.param(lambda x: stereo_webm(x, -x), id="opposite phase"),
        pytest.param(telegram_voice, id="without an end"),
        pytest.param(with_pictures, id="pictures"),
        pytest.param(lambda x: by_ffmpeg(x, RATE, "matroska", "pcm_f32le", live=True), id="PCM in Matroska"),
        pytest.param(lambda x: by_ffmpeg(x, RATE, "mp4", "libopus", live=True, strict="-2", **FRAGMENTED),
                     id="Opus in MP4"),
        pytest.param(lambda x: by_ffmpeg(x, RATE, "mp4", "aac", movflags="faststart"), id="MP4, index first"),
        *(pytest.param(lambda x, kind=kind: by_soundfile(x, RATE, "WAV", kind), id=f"WAV {kind}")
          for kind in ("PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "PCM_U8")),
        pytest.param(lambda x: by_soundfile(np.stack([x, x], 1), RATE, "WAVEX"), id="WAV extensible, stereo"),
        pytest.param(lambda x: wav_file(pcm16(x), data_size=0), id="WAV never closed"),
        pytest.param(lambda x: wav_file(pcm16(x), data_size=0xFFFFFFFF), id="WAV to a pipe"),
        pytest.param(lambda x: wav_file(pcm16(x), data_size=x.size), id="WAV whose header says half"),
    ],
)  # fmt: skip
def test_other_codecs_and_layouts_are_heard_as_the_file(make):
    data = make(SPEECH)
    found, expected = heard(cut(data, 700)).samples, decode_audio(data)
    assert found.size == expected.size
    assert np.abs(found - expected).max() <= 1e-6  # float64 is rounded before it is mixed, or after
    assert np.abs(found).max() > 0.1


def test_tags_and_pictures_in_front_of_an_mp3_are_passed_over(streams):
    tag = b"ID3\x04\0\0" + bytes((0, 1, 10, 0)) + b"APIC" + bytes(17_660)
    plain = by_ffmpeg(SPEECH, RATE, "mp3", "libmp3lame", id3v2_version="0", write_xing="0")
    assert np.array_equal(heard(cut(tag + plain, 900)).samples, heard(cut(plain, 900)).samples)


@pytest.mark.parametrize("container", LIVE_CONTAINERS)
def test_recordings_one_after_the_other_are_one_stream(streams, container):
    """A page that stops its recorder and starts it anew, on the same connection."""
    once, twice = heard([streams[container]]), heard(cut(2 * streams[container], 1_500))
    assert abs(twice.samples.size - 2 * once.samples.size) <= 0.08 * RATE
    again = twice.samples[-once.samples.size :]
    assert alignment(SPEECH, again)[1] > 0.9
    assert abs(alignment(SPEECH, again)[0]) < 0.09
    assert twice.warnings == []


# -- holes and damage: times go on


def webm_without(data, start_s, end_s):
    """A recording of a MediaRecorder without the clusters that begin between two times."""
    places = [at for at in range(len(data)) if data.startswith(b"\x1f\x43\xb6\x75", at)]
    kept = [data[: places[0]]]
    for at, following in zip(places, [*places[1:], len(data)], strict=True):
        stamp = data.index(b"\xe7", at + 5)
        size = data[stamp + 1] & 0x7F
        time_s = int.from_bytes(data[stamp + 2 : stamp + 2 + size], "big") / 1000
        if not start_s <= time_s < end_s:
            kept.append(data[at:following])
    return b"".join(kept)


def test_what_was_not_sent_is_silence_of_its_length(streams):
    found = heard(cut(webm_without(streams["webm"], 1.0, 2.4), 700))
    assert found.samples.size == pytest.approx(4 * RATE, abs=0.05 * RATE)
    assert [warning.kind for warning in found.warnings] == ["hole"]
    assert found.warnings[0].end - found.warnings[0].start == pytest.approx(1.5, abs=0.6)
    assert alignment(SPEECH[3 * RATE :], found.samples[3 * RATE :])[0] == pytest.approx(0, abs=0.03)


def test_a_clock_that_was_set_makes_no_silence_of_days(streams):
    data = bytearray(streams["webm"])
    last = data.rindex(b"\x1f\x43\xb6\x75")
    stamp = data.index(b"\xe7", last + 5)
    size = data[stamp + 1] & 0x7F
    data[stamp + 1 : stamp + 2 + size] = b"\x84\x70\0\0\0"  # three weeks
    assert heard(cut(bytes(data), 700)).samples.size <= 4.1 * RATE


def test_floats_that_are_no_sound_are_silence():
    samples = np.stack([SPEECH, SPEECH])
    samples[:, 30_000:30_100] = np.nan
    samples[1, 31_000] = 1e30
    found = heard(cut(by_soundfile(samples.T, RATE, "WAV", "FLOAT"), 700))
    assert found.samples.size == SPEECH.size
    assert not found.samples[30_000:30_100].any()
    assert {warning.kind for warning in found.warnings} == {"damaged"}
    assert found.warnings[0].start == pytest.approx(30_000 / RATE, abs=0.1)


@pytest.mark.parametrize("container", ["webm", "ogg", "mp3", "aac", "mp4", "wav"])
@pytest.mark.parametrize("what", ["zeros", "noise", "missing"])
def test_damage_in_the_middle_ends_no_stream(streams, container, what):
    data = bytearray(streams[container])
    middle = len(data) // 2
    data[middle : middle + 60] = {"zeros": bytes(60), "noise": bytes(range(7, 67)), "missing": b""}[what]
    found = heard(cut(bytes(data), 700))
    assert found.samples.size == pytest.approx(4 * RATE, abs=0.6 * RATE)
    start, end = slice(0, round(0.9 * RATE)), slice(-RATE, None)
    assert alignment(SPEECH[start], found.samples[start])[1] > 0.95
    assert alignment(SPEECH[end], found.samples[end])[1] > 0.95


def test_a_lost_page_of_ogg_keeps_the_times():
    pages = ogg_pages(by_soundfile(speechlike(8.0), RATE, "OGG", "OPUS"))
    found = heard(cut(b"".join(pages[:4] + pages[5:]), 500))
    assert found.samples.size == pytest.approx(8 * RATE, abs=0.05 * RATE)
    assert found.warnings


# -- what cannot be heard is refused by name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: by_ffmpeg(SPEECH, RATE, "mp4", "aac"), r"MP4 whose index \(moov\) comes after its audio"),
        (lambda: by_ffmpeg(SPEECH, RATE, "matroska", "mp2"), "mp2"),
        (lambda: wav_file(bytes(4_000), tag=2, bits=4), "WAV of format 2 with 4 bits"),
        (lambda: wav_file(bytes(4_000), rate=5), "sample rate of 5 Hz"),
        (lambda: wav_file(bytes(4_000), n_channels=99), "99 channels"),
        (lambda: media_recorder(SPEECH)[:300], "WEBM"),
        (lambda: b"OggS\0\2" + bytes(300), "OGG"),
        (lambda: b"\x1a\x45\xdf\xa3" + bytes(5_000), "WEBM"),
        (
            lambda: bytes.fromhex("0000001c667479706d703432") + bytes(16) + b"\0\0\0\4free",
            "where a box should be",
        ),
    ],
)
def test_what_cannot_be_heard_is_refused_by_name(make, message):
    with pytest.raises(AudioError, match=message):
        heard(cut(make(), 700))


def test_an_mp4_that_claims_millions_of_frames_is_refused_before_it_is_opened():
    run = b"\0\0\0\x14trun\0\0\0\0" + struct.pack(">II", 100_000_000, 0)
    fragment = struct.pack(">I4s", 8 + len(run), b"moof") + run
    start = by_ffmpeg(SPEECH[:RATE], RATE, "mp4", "aac", live=True, **FRAGMENTED)
    with pytest.raises(AudioError, match="100000000 frames"):
        heard([start[: start.index(b"moof") - 4] + fragment])


def test_a_stream_that_is_given_up_leaves_no_thread(streams):
    for container in LIVE_CONTAINERS:
        live = LiveInput(RATE)
        pieces = live.accept(streams[container])
        next(pieces)  # the decoder waits, with more in its hands
        live.close()
        live.close()


def test_nothing_is_nothing():
    assert heard([]).samples.size == 0
    assert heard([b"", b"\x01"]).samples.size == 0
    assert heard([b"R", b"I", b"FF"]).samples.size == 2  # two samples, then: no container is so short
