"""The routes for files, driven over HTTP: what they answer, in which shape, for audio of every container."""

from __future__ import annotations

import json
import socket

import numpy as np
import pytest

from gigastt_lab.formats import FORMATS, render
from tests.support.audio_files import by_ffmpeg, by_soundfile
from tests.support.nonsense import form
from tests.support.recordings import as_wav
from tests.support.server_process import is_error

RATE = 16_000


def events(answer):
    lines = answer.text.split("\n\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def test_health_ready_models(server):
    health = server.get("/health").json
    assert (health["status"], health["model"], health["version"]) == ("ok", "gigaam-demo", "2.0.13")
    assert server.get("/ready").json == {"status": "ready", "pool_available": 4, "pool_total": 4}
    models = server.get("/v1/models").json
    assert models.pop("object") == "list"  # what OpenAI's clients read: tests/server/test_openai.py
    assert [each["id"] for each in models.pop("data")] == ["gigaam-demo"]
    assert models["supported_formats"][:7] == ["wav", "mp3", "m4a", "ogg", "flac", "webm", "aac"]
    assert {"amr", "wma", "aiff"} < set(models["supported_formats"])
    assert models == {
        "id": "gigaam-demo",
        "name": "gigaam-demo",
        "version": "2.0.13",
        "encoder": "int8",
        "provider": "cpu",
        "vocab_size": 193,
        "sample_rate": 16_000,
        "pool_size": 4,
        "pool_available": 4,
        "supported_formats": models["supported_formats"],
        "supported_rates": [8_000, 16_000, 24_000, 44_100, 48_000],
        "diarization": False,
    }


def test_head_answers_as_get_does(server):
    answer = server.request("HEAD", "/health")
    assert (answer.status, answer.body) == (200, b"")


def test_a_file_is_what_the_engine_hears(server, heard, wav):
    answer = server.post("/v1/transcribe", wav)
    transcript = heard.transcribe(wav)
    assert answer.status == 200
    assert answer.json == json.loads(render(transcript, "json"))
    assert [set(word) for word in answer.json["words"]] == [{"word", "start", "end", "confidence"}] * len(
        transcript.words
    )
    assert transcript.text
    assert "queue;dur=" in answer.headers["server-timing"]


CONTAINERS = {
    "wav": lambda samples: by_soundfile(samples, RATE, "WAV"),
    "flac": lambda samples: by_soundfile(samples, RATE, "FLAC"),
    "mp3": lambda samples: by_soundfile(samples, RATE, "MP3"),
    "ogg-vorbis": lambda samples: by_soundfile(samples, RATE, "OGG"),
    "ogg-opus": lambda samples: by_ffmpeg(samples, RATE, "ogg", "libopus"),
    "webm": lambda samples: by_ffmpeg(samples, RATE, "webm", "libopus"),
    "m4a": lambda samples: by_ffmpeg(samples, RATE, "mp4", "aac"),
    "aac": lambda samples: by_ffmpeg(samples, RATE, "adts", "aac"),
}


@pytest.mark.slow
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("as_form", [False, True])
def test_every_container_raw_and_as_a_form(server, heard, clear_clips, container, as_form):
    content = CONTAINERS[container](clear_clips[1].waveform)
    body, headers = form([], content) if as_form else (content, {})
    answer = server.post("/v1/transcribe", body, headers)
    assert answer.status == 200, answer.text
    assert answer.json["text"] == heard.transcribe(content).text != ""


@pytest.mark.parametrize("name", FORMATS)
def test_formats(server, heard, wav, name):
    answer = server.post(f"/v1/transcribe?format={name}", wav)
    expected = render(heard.transcribe(wav), name)
    assert answer.text.strip() == expected.strip() if name != "json" else answer.json == json.loads(expected)
    kinds = {"json": "application/json", "txt": "text/plain", "vtt": "text/vtt", "md": "text/markdown"}
    assert answer.headers["content-type"].startswith(kinds.get(name, "application/x-subrip"))


def test_silence_and_too_little_audio_are_empty_texts(server):
    for n_samples in (1, 319, RATE):
        answer = server.post("/v1/transcribe", by_soundfile(np.zeros(n_samples, np.float32), RATE, "WAV"))
        assert (answer.status, answer.json["text"], answer.json["words"]) == (200, "", [])


def test_a_chunked_body_is_taken(server, heard, wav):
    pieces = (wav[at : at + 1000] for at in range(0, len(wav), 1000))
    answer = server.post("/v1/transcribe", pieces, {"Transfer-Encoding": "chunked"})
    assert answer.json["text"] == heard.transcribe(wav).text


def test_a_stream_of_a_file_has_partials_and_finals(server, heard, speech):
    content = as_wav(speech)
    answer = server.post("/v1/transcribe/stream", content)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    found = events(answer)
    finals = [event for event in found if event["type"] == "final"]
    assert [event["type"] for event in found].count("partial") >= 3
    assert len(finals) == 3
    joined = " ".join(event["text"] for event in finals)
    assert joined == heard.transcribe(content).text
    for event in found:
        assert {"text", "timestamp", "words", "utterance", "stable"} <= set(event)
        assert " ".join(word["word"] for word in event["words"]) == event["text"]
    times = [word["start"] for event in finals for word in event["words"]]
    assert times == sorted(times)


def test_a_stream_of_silence_is_one_empty_final(server):
    (final,) = events(server.post("/v1/transcribe/stream", as_wav(np.zeros(5 * RATE, np.float32))))
    assert (final["type"], final["text"], final["words"]) == ("final", "", [])


def test_a_stream_of_a_damaged_file_hears_the_rest_and_says_what_is_missing(server, speech):
    content = by_soundfile(np.tile(speech, 4), RATE, "FLAC")
    damaged = bytearray(content)
    damaged[len(content) // 2 : len(content) // 2 + 300] = bytes(300)
    answer = server.post("/v1/transcribe/stream", bytes(damaged))
    finals = [event for event in events(answer) if event["type"] == "final"]
    told = [warning for event in finals for warning in event.get("warnings", [])]
    assert answer.status == 200
    assert {warning["kind"] for warning in told} == {"damaged"}
    at = told[0]["start"]
    assert 0 < at < len(speech) * 4 / RATE
    assert finals[0]["start"] < at < finals[-1]["end"]  # what comes behind is heard


@pytest.mark.parametrize("route", ["/v1/transcribe", "/v1/transcribe/stream"])
def test_what_is_no_audio_is_a_bad_request(server, route):
    for body in (b"", b"x", b"RIFF1234WAVE", bytes(10_000), "слова".encode()):
        assert is_error(server.post(route, body), 400, "bad_request")


def test_forms_that_lack_something(server, wav):
    route = "/v1/transcribe"
    body, headers = form([("other", "1")], wav)
    body = body.replace(b'name="file"', b'name="audio"')
    assert is_error(server.post(route, body, headers), 400, "bad_request")
    body, headers = form([], b"")
    assert is_error(server.post(route, body, headers), 400, "bad_request")
    assert is_error(
        server.post(route, b"--x\r\nno form", {"Content-Type": "multipart/form-data; boundary=x"}),
        400,
        "bad_request",
    )
    assert is_error(server.post(route, b"x", {"Content-Type": "multipart/form-data"}), 400, "bad_request")
    assert is_error(server.post("/v1/audio/transcriptions", wav), 400, "bad_request")


def test_the_frameworks_own_errors_have_our_shape(server, wav):
    assert is_error(server.get("/nowhere"), 404, "not_found")
    assert is_error(server.get("/v1/transcribe"), 405, "method_not_allowed")
    assert server.get("/v1/transcribe").headers["allow"] == "POST"
    assert is_error(server.post("/health", b""), 405, "method_not_allowed")
    assert is_error(server.post("/v1/transcribe?format=pdf", wav), 400, "bad_request")
    assert is_error(server.get("/v1/ws"), 426, "upgrade_required")


def test_errors_tell_nothing_of_the_machine(server):
    heads = [b"RIFF\0\0\0\0WAVEfmt ", b"OggS", b"fLaC", b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftypM4A ",
             b"ID3\x04",             b"\xff\xfb\x90\x00"]  # fmt: skip
    bodies = [head + bytes(n_bytes) for head in heads for n_bytes in (0, 99, 5_000)]
    for body in bodies:
        text = server.post("/v1/transcribe", body).text.lower()
        for word in ("/", "traceback", "libsndfile", "soundfile", "ffmpeg", "onnx", "python", "pyav", "av."):
            assert word not in text.replace("m4a/mp4/3gp/mov", "").replace("webm/mkv", ""), text


def test_an_upgrade_that_nobody_knows_is_ignored(server, heard, wav):
    """Java's client asks for HTTP/2 each time."""
    headers = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAEAAEAAAAIAAAAB",
    }
    assert server.post("/v1/transcribe", wav, headers).json["text"] == heard.transcribe(wav).text


def test_an_http_1_0_client_gets_events_it_can_read(server, wav):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        head = f"POST /v1/transcribe/stream HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len(wav)}\r\n\r\n"
        raw.sendall(head.encode() + wav)
        answer = b"".join(iter(lambda: raw.recv(65_536), b""))
    assert b"chunked" not in answer.lower()
    assert answer.partition(b"\r\n\r\n")[2].startswith(b"data: {")


def test_paths_and_ids_cannot_forge_lines_of_the_log(server):
    path = "/x%0aCRITICAL%20forged%1b[31m"
    server.get(path, {"Host": "evil.example.com"})
    server.get(path, {"X-Request-Id": "a\tCRITICAL"})
    assert not [line for line in server.lines if line.startswith("CRITICAL") or "\x1b" in line]


def test_requests_have_ids(server):
    given = server.get("/health", {"X-Request-Id": "mine-1.2_3"}).headers["x-request-id"]
    assert given == "mine-1.2_3"
    for bad in ("x" * 129, "two words", "semi;colon", ""):
        made = server.get("/health", {"X-Request-Id": bad}).headers["x-request-id"]
        assert len(made) == 32
        assert made != bad
    assert server.get("/nowhere").headers["x-request-id"]


@pytest.mark.parametrize("query", ["format=&strict=&track=", "format=", "strict=&format=json"])
def test_empty_parameters_are_none(server, wav, query):
    answer = server.post(f"/v1/transcribe?{query}", wav)
    assert answer.status == 200
    assert answer.json == server.post("/v1/transcribe", wav).json


def test_a_parameter_without_a_value_is_not_passed_over(server, wav):
    assert is_error(server.post("/v1/transcribe?strict", wav), 400, "bad_request")
