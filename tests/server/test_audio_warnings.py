"""Files that are cut, damaged or of several tracks, over HTTP: what is said where, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.support.audio_files import flac_that_states
from tests.support.av_files import Track, av_file
from tests.support.nonsense import form
from tests.support.recordings import RATE, as_wav
from tests.support.server_process import is_error

pytestmark = pytest.mark.slow  # seconds in all; the quick tests hold the parts


@pytest.fixture(scope="module")
def cut(clear_clips):
    """A WAV of an utterance whose last third is missing, and the seconds that are there."""
    data = as_wav(clear_clips[0].waveform)
    data = data[: 44 + (len(data) - 44) * 2 // 3 // 2 * 2]
    return data, (len(data) - 44) / 32_000


def test_a_cut_file_is_heard_and_said_to_be_cut(server, heard, cut):
    data, there_s = cut
    answer = server.post("/v1/transcribe", data)
    assert answer.status == 200
    (warning,) = answer.json["warnings"]
    assert (warning["kind"], warning["start"]) == ("cut", pytest.approx(there_s, abs=0.001))
    assert warning["end"] == pytest.approx(there_s * 3 / 2, abs=0.001)
    assert "was cut" in warning["message"]
    assert answer.json["text"] == heard.transcribe(data).text
    times = f"start={warning['start']:.3f};end={warning['end']:.3f}"
    assert answer.headers["x-audio-warnings"] == f"cut;{times}"


@pytest.mark.parametrize("name", ["txt", "srt", "vtt", "md"])
def test_formats_without_room_for_it_say_it_in_the_header(server, cut, name):
    answer = server.post(f"/v1/transcribe?format={name}", cut[0])
    assert answer.headers["x-audio-warnings"].startswith("cut;")


def test_a_header_that_states_where_a_window_ends_is_not_the_end(server, heard, speech):
    long = np.tile(speech, 1 + 40 * RATE // len(speech))
    first, *others = heard.transcribe_parts(long, sample_rate=RATE)
    assert others
    file = flac_that_states(long, RATE, round(first.done_s * RATE))
    begun = next(heard.transcribe_parts(file))
    assert (begun.done_s, begun.duration_s, begun.is_last) == (first.done_s, first.done_s, False)
    assert server.post("/v1/transcribe", file).json["text"] == heard.transcribe(file).text


def test_a_whole_file_has_no_warnings(server, wav):
    answer = server.post("/v1/transcribe?strict=true", wav)
    assert answer.status == 200
    assert "warnings" not in answer.json
    assert "x-audio-warnings" not in answer.headers


@pytest.mark.parametrize("route", ["/v1/transcribe", "/v1/transcribe/stream"])
def test_strict_refuses_it(server, cut, route):
    answer = server.post(f"{route}?strict=true", cut[0])
    assert is_error(answer, 400, "bad_request")
    assert "the file was cut" in answer.json["message"]


def test_an_event_stream_says_it_in_its_last_final(server, cut):
    answer = server.post("/v1/transcribe/stream", cut[0])
    messages = [json.loads(line[6:]) for line in answer.text.split("\n") if line.startswith("data: ")]
    finals = [message for message in messages if message["type"] == "final"]
    assert [warning["kind"] for warning in finals[-1]["warnings"]] == ["cut"]


def test_openais_route_says_it_in_the_header(server, cut):
    answer = server.post("/v1/audio/transcriptions", *form([], cut[0]))
    assert answer.status == 200
    assert answer.headers["x-audio-warnings"].startswith("cut;")


def test_openais_route_can_be_strict_and_take_a_track(server, heard, cut, clear_clips):
    for fields in ([("strict", "true")], [("strict", "1"), ("stream", "true")]):
        answer = server.post("/v1/audio/transcriptions", *form(fields, cut[0]))
        assert is_error(answer, 400, "bad_request")
        assert "the file was cut" in answer.json["error"]["message"]
    second = clear_clips[1].waveform
    film = av_file("matroska", [Track(each.waveform, codec="flac") for each in clear_clips[:2]], picture=None)
    answer = server.post("/v1/audio/transcriptions", *form([("track", "2")], film))
    assert answer.json["text"] == heard.transcribe(second, sample_rate=RATE).text


def test_a_track_is_chosen(server, heard, clear_clips):
    first, second = (each.waveform for each in clear_clips[:2])
    film = av_file("matroska", [Track(first, codec="flac"), Track(second, codec="flac")], picture=None)
    for track, waveform in ((1, first), (2, second)):
        answer = server.post(f"/v1/transcribe?track={track}", film)
        assert answer.json["text"] == heard.transcribe(waveform, sample_rate=16_000).text
    assert server.post("/v1/transcribe", film).headers["x-audio-warnings"] == "track"
    refused = server.post("/v1/transcribe?track=3", film)
    assert is_error(refused, 400, "bad_request")
    assert "there are 2 audio tracks" in refused.json["message"]
    assert is_error(server.post("/v1/transcribe?track=0", film), 400, "bad_request")
