"""What a live stream is taken for, by its first bytes; and that no speech is taken for a container."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigastt_lab.audio.live.detection import LIVE_CONTAINERS, begun, verdict
from gigastt_lab.audio.live.floats import FloatWatch
from gigastt_lab.errors import AudioError
from tests.support.audio_files import RATE, by_ffmpeg, media_recorder, pcm16, speechlike
from tests.support.live_audio import cut, heard, streams_of


@pytest.fixture(scope="module")
def streams():
    return streams_of(speechlike(1.0))


def outcome(head):
    """The verdict, or the error, and where in the stream it was reached."""
    for n_bytes in range(len(head) + 1):
        try:
            found = verdict(head[:n_bytes])
        except AudioError as error:
            return n_bytes, str(error)
        if found != "undecided":
            return n_bytes, found
    return len(head), "undecided"


@pytest.mark.parametrize("container", LIVE_CONTAINERS)
def test_a_container_is_known_by_its_first_bytes(streams, container):
    n_bytes, found = outcome(streams[container][:8_000])
    assert found == container
    assert n_bytes <= (1_000 if container in {"mp3", "aac"} else 16)


def test_mp3_without_a_tag_is_known_by_three_frames():
    data = by_ffmpeg(speechlike(1.0), RATE, "mp3", "libmp3lame", id3v2_version="0", write_xing="0")
    assert data[0] == 0xFF
    n_bytes, found = outcome(data[:8_000])
    assert found == "mp3"
    assert n_bytes > 200  # two of them are not enough


@pytest.mark.parametrize("word", [b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9", b"\xff\xe3"])
def test_a_sync_word_alone_is_a_sample(word):
    """-1,025 and its like, then silence or speech: as PCM16 often begins."""
    for rest in (bytes(4_000), pcm16(speechlike(1.0)), b"\x90\x64" + bytes(3_000)):
        assert outcome(word + rest[:4_000])[1] == "pcm16"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"#!AMR\n" + bytes(20), "AMR"),
        (b"FORM\0\0\1\0AIFF" + bytes(20), "AIFF"),
        (b"RIFF\0\0\1\0AVI LIST", "AVI"),
        (b"caff\0\1\0\0desc", "CAF"),
        (bytes.fromhex("3026b2758e66cf11a6d9"), "WMA"),
        (b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff", "begins with a cluster"),
        (b"\0\0\0\x68moof\0\0\0\x10mfhd", "begins with a fragment"),
        (b"OggS\0\0\x12\x34\0\0\0\0\0\0", "Ogg that begins in its middle"),
        (b'{"type":"audio","data":"' + 200 * b"QUJD", "text"),
        (300 * b"UklGRiQAAABXQVZF", "text"),
    ],
)
def test_what_a_stream_cannot_be_is_named(head, name):
    with pytest.raises(AudioError, match=name) as refused:
        verdict(head)
    assert "raw PCM16" in str(refused.value)
    assert "WebM" in str(refused.value)


def test_the_rest_of_a_recording_after_a_new_connection_is_named():
    """A page that connects again, and goes on with the recorder that it had: the header is not there."""
    recording = media_recorder(speechlike(3.0))
    block = recording.index(b"\xa3", 3_000)
    while recording[block + 3] != 0x81:  # a block of track 1
        block = recording.index(b"\xa3", block + 1)
    with pytest.raises(AudioError, match="begin a new recording with every connection"):
        verdict(recording[block : block + 3_000])


@given(st.binary(max_size=4_000), st.integers(0, 4_000))
def test_a_verdict_does_not_depend_on_how_much_more_has_come(data, more):
    n_bytes, found = outcome(data[:64])
    if found != "undecided":
        try:
            later = verdict(data[: n_bytes + more])
        except AudioError as error:
            later = str(error)
        assert later == found


# -- raw samples: what comes in comes out


def made_signals():
    """Signals of two seconds as PCM16, by name."""
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE) / RATE
    for level in (1, 30, 1_000, 16_000, 32_000):
        yield f"noise at {level}", level * rng.standard_normal(t.size)
        yield f"offset of {level}", level + 20 * rng.standard_normal(t.size)
        yield f"square wave at {level}", np.where(t * 200 % 1 < 0.5, level, -level)
        for hz in (1, 50, 60, 440, 4_000):  # the last one: every second sample is 0
            yield f"{hz} Hz at {level}", level * np.sin(2 * np.pi * hz * t)
            yield (
                f"{hz} Hz at {level}, and noise",
                level * np.sin(2 * np.pi * hz * t) + rng.normal(0, 30, t.size),
            )
    yield "silence", np.zeros(t.size)
    yield "one impulse", np.where(t == 1, 30_000, 0)


@pytest.mark.parametrize("offset", [0, 1])
def test_made_signals_are_pcm16(offset):
    for name, signal in made_signals():
        data = np.clip(np.round(signal), -(2**15), 2**15 - 1).astype("<i2").tobytes()[offset:]
        found = heard(cut(data, 3_200))
        assert found.rate == RATE, name
        assert found.samples.size == len(data) // 2, name


def test_speech_is_pcm16_at_every_size_of_chunks(clips):
    for index, clip in enumerate(clips):
        data = pcm16(clip.waveform)
        size = (333, 3_200, 96_000)[index % 3]
        found = heard(cut(data, size))
        assert np.array_equal(found.samples, clip.waveform)
        assert found.first_at == min(size, len(data))


# -- float32


def refused_at(data, size):
    """Bytes that had come when the stream was refused; None: it was not."""
    watch = FloatWatch()
    for number, chunk in enumerate(cut(data, size), start=1):
        try:
            watch.look(chunk)
        except AudioError:
            return number * size
    return None


@pytest.mark.parametrize("gain", [0.003, 0.3, 1.0, 2.0**15])
def test_float32_is_told_within_the_first_second_of_sound(clips, gain):
    for clip in clips:
        sound = np.flatnonzero(np.abs(clip.waveform) > 1e-3)[0]
        data = (gain * clip.waveform).astype("<f4").tobytes()
        found = refused_at(data, 4 * 160)
        assert found is not None
        assert found <= 4 * (sound + RATE)


def test_float32_is_told_at_the_same_place_however_it_is_cut(clips):
    data = np.concatenate([np.zeros(5_000), clips[0].waveform]).astype("<f4").tobytes()
    places = {size: refused_at(data, size) for size in (1, 3, 7, 4_096)}
    assert max(places.values()) - min(places.values()) <= 4_096
    assert places[1] <= min(places.values())


def test_an_unbroken_silence_is_no_float32():
    assert refused_at(bytes(400_000), 3_200) is None


def test_a_recording_that_begins_in_the_middle_of_a_stream_is_told_by_its_whole_signature(clips):
    streams = streams_of(clips[0].waveform)
    told = {name: begun(data) for name, data in streams.items()}
    assert told == {name: None if name in {"mp3", "aac"} else name for name in streams}
    assert begun(streams["ogg"][:13]) is None
    assert begun(bytes.fromhex("1a45dfa3") + bytes(100)) is None  # four bytes may be two samples
