"""Live streams that end badly or are damaged: what was heard stays, and no loss is silent."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.audio_files import RATE, by_ffmpeg, by_soundfile, media_recorder, speechlike
from tests.support.live_audio import FRAGMENTED, cut, heard, streams_of, with_pictures

SPEECH = speechlike(4.0)


@pytest.fixture(scope="module")
def streams():
    return streams_of(SPEECH)


def boxes_of(data, name):
    """Starts of the boxes of a name, and their lengths in bytes."""
    places = [at - 4 for at in range(len(data)) if data.startswith(name, at)]
    return [(at, int.from_bytes(data[at : at + 4], "big")) for at in places]


@pytest.mark.parametrize("n_missing", [1, 40, 200])
@pytest.mark.parametrize("number", [5, -1])
def test_an_mp4_that_is_cut_within_its_last_packet_is_heard_to_there(streams, number, n_missing):
    data = streams["mp4"]
    at, length = boxes_of(data, b"mdat")[number]
    end = at + length - n_missing
    found, whole = heard(cut(data[:end], 700)), heard([data[: at + length]])
    assert abs(found.samples.size - whole.samples.size) <= 1_100  # a packet of AAC, and the resampler's
    n_same = min(found.samples.size, whole.samples.size) - 1_100
    assert np.allclose(found.samples[:n_same], whole.samples[:n_same], atol=1e-4)
    assert "cut" in {warning.kind for warning in found.warnings}
    assert found.warnings[0].message.startswith(f"the stream ends {n_missing} bytes before")
    assert found.warnings[0].start == pytest.approx(found.samples.size / RATE, abs=0.3)


@pytest.mark.parametrize("n_kept", [3, 8, 60])
def test_an_mp4_that_is_cut_in_a_fragments_index_says_so(streams, n_kept):
    data = streams["mp4"]
    at, _ = boxes_of(data, b"moof")[4]
    found = heard(cut(data[: at + n_kept], 700))
    assert found.samples.size == pytest.approx(heard([data[:at]]).samples.size, abs=2)
    assert [warning.kind for warning in found.warnings] == ["cut"]


def test_an_mp4_that_is_cut_between_boxes_is_whole(streams):
    data = streams["mp4"]
    at, _ = boxes_of(data, b"moof")[4]
    assert heard(cut(data[:at], 700)).warnings == []


VOID, BLOCK = b"\xec", b"\xa3"


def with_element(data, at, name, size):
    """The bytes with the head of an element of Matroska written over them, that claims so many."""
    element = name + (0x1000_0000 | size).to_bytes(4, "big")
    return data[:at] + element + data[at + len(element) :]


def blocks_of(data):
    """Starts of the blocks of track 1."""
    return [at for at in range(len(data)) if data[at] == 0xA3 and data[at + 3 : at + 4] == b"\x81"]


@pytest.mark.parametrize("size", [997, 10**6])
def test_damage_that_hides_the_rest_of_a_webm_is_told(streams, size):
    data = streams["webm"]
    at = next(place for place in blocks_of(data) if place > len(data) // 2)
    found = heard(cut(with_element(data, at, BLOCK, 10**7), size))
    assert found.samples.size < 2.5 * RATE
    (warning,) = found.warnings
    assert (warning.kind, warning.end) == ("damaged", None)
    assert warning.start == pytest.approx(found.samples.size / RATE, abs=0.1)
    assert str(len(data) - at)[:3] in warning.message


def test_a_short_time_of_webm_that_is_skipped_is_told(streams):
    """0.2 s: no hole by the clock of the container, which may drift by more."""
    data = streams["webm"]
    blocks = blocks_of(data)
    first = next(number for number, place in enumerate(blocks) if place > len(data) // 2)
    at, following = blocks[first], blocks[first + 10]
    found = heard(cut(with_element(data, at, VOID, following - at - 5), 997))
    assert [warning.kind for warning in found.warnings] == ["damaged"]
    assert str(following - at)[:2] in found.warnings[0].message
    assert found.samples.size == pytest.approx(3.8 * RATE, abs=0.05 * RATE)


def test_a_page_of_ogg_that_is_damaged_is_told(streams):
    data = bytearray(streams["ogg"])
    data[len(data) // 2] ^= 0x55
    found = heard(cut(bytes(data), 997))
    assert [warning.kind for warning in found.warnings] == ["damaged", "hole"]


@pytest.mark.parametrize(("number", "size"), [(4, 700), (-1, 700), (4, 10**6)])
def test_what_is_no_box_of_an_mp4_is_counted(streams, number, size):
    """A fragment whose name is damaged is left out; the last one, to the end."""
    data = bytearray(streams["mp4"])
    at, length = boxes_of(bytes(data), b"moof")[number]
    data[at + 4 : at + 8] = b"\xff\0\xff\0"
    end = boxes_of(bytes(data), b"moof")[number][0] if number != -1 else len(data)
    found = heard(cut(bytes(data), size))
    assert "damaged" in {warning.kind for warning in found.warnings}
    assert found.warnings[0].message.startswith(f"{end - at} bytes of the MP4")
    assert end - at > length


def test_a_box_of_an_mp4_that_claims_the_rest_is_told(streams):
    data = bytearray(streams["mp4"])
    at, _ = boxes_of(bytes(data), b"mdat")[6]
    data[at] = 1  # 16 MB more than it has
    found = heard(cut(bytes(data), 700))
    assert [warning.kind for warning in found.warnings] == ["cut", "damaged"]
    assert found.samples.size < 2.5 * RATE


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda x: by_ffmpeg(x, RATE, "webm", "libopus"), id="WebM with an index behind"),
        pytest.param(lambda x: by_ffmpeg(x, RATE, "mp4", "aac", live=True,
                     **FRAGMENTED | {"frag_duration": "9000000"}), id="MP4 with long fragments"),
        pytest.param(lambda x: by_soundfile(x, RATE, "OGG", "VORBIS") * 2, id="Vorbis twice"),
        pytest.param(lambda x: media_recorder(x) * 2, id="WebM twice"),
        pytest.param(lambda x: by_ffmpeg(np.random.default_rng(0).uniform(-1, 1, x.size), RATE, "ogg", "flac",
                     live=True), id="packets of Ogg over several pages"),
        pytest.param(with_pictures, id="pictures between the sound"),
        pytest.param(lambda x: with_pictures(np.concatenate([x[: RATE // 2], 0 * x])), id="pictures"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [700, 10**6])
def test_a_stream_that_is_well_has_no_warning(make, size):
    assert heard(cut(make(SPEECH), size)).warnings == []
