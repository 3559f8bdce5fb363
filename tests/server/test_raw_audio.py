"""Raw audio of telephone systems over HTTP: what it is says its content type, on every route."""

from __future__ import annotations

import time

import numpy as np
import pytest

from gigastt_lab.audio.raw import RawAudio
from tests.support.audio_files import by_soundfile
from tests.support.nonsense import form
from tests.support.server_process import is_error, serving

pytestmark = pytest.mark.slow  # seconds in all; the quick tests hold the parts


@pytest.fixture(scope="module")
def alaw(clear_clips):
    """An utterance as A-law at 8 kHz, without a header."""
    wav = by_soundfile(clear_clips[0].waveform[::2], 8_000, "WAV", "ALAW")
    return wav[wav.index(b"data") + 8 :]


@pytest.fixture(scope="module")
def text(heard, alaw):
    """What the engine hears in it: some words at least."""
    found = heard.transcribe(alaw, raw=RawAudio("alaw", 8_000)).text
    assert len(found.split()) > 2
    return found


def test_a_body_is_what_its_type_says(server, alaw, text):
    answer = server.post("/v1/transcribe", alaw, {"Content-Type": "audio/PCMA"})
    assert (answer.status, answer.json["text"]) == (200, text)
    assert answer.json["duration"] == pytest.approx(len(alaw) / 8_000, abs=0.001)


def test_as_a_form_and_by_openais_route(server, alaw, text):
    body, headers = form([], alaw)
    body = body.replace(b"Content-Type: audio/wav", b"Content-Type: audio/PCMA;rate=8000")
    for route in ("/v1/transcribe", "/v1/audio/transcriptions"):
        assert server.post(route, body, headers).json["text"] == text
    streamed, headers = form([("stream", "true")], alaw)
    streamed = streamed.replace(b"Content-Type: audio/wav", b"Content-Type: audio/PCMA;rate=8000")
    assert text in server.post("/v1/audio/transcriptions", streamed, headers).text


def test_as_an_event_stream(server, heard, clear_clips):
    samples = (clear_clips[0].waveform * 32767).astype(">i2")
    answer = server.post(
        "/v1/transcribe/stream", samples.tobytes(), {"Content-Type": "audio/L16; rate=16000"}
    )
    assert answer.status == 200
    assert heard.transcribe(samples.astype(np.int16), sample_rate=16_000).text in answer.text


@pytest.mark.parametrize(
    "kind", ["audio/L16", "audio/L16;rate=x", "audio/PCMU;rate=10", "audio/PCMA;channels=99"]
)
def test_what_cannot_be_is_refused(server, alaw, kind):
    assert is_error(server.post("/v1/transcribe", alaw, {"Content-Type": kind}), 400, "bad_request")


def test_a_file_with_a_header_knows_better(server, heard, wav):
    answer = server.post("/v1/transcribe", wav, {"Content-Type": "audio/PCMA"})
    assert answer.json["text"] == heard.transcribe(wav).text


def test_a_job_of_raw_audio(tmp_path, alaw, text):
    with serving("--precision", "int8", "--jobs-dir", str(tmp_path / "jobs")) as server:
        raw = server.post("/v1/jobs", alaw, {"Content-Type": "audio/PCMA"})
        body, headers = form([], alaw)
        body = body.replace(b"Content-Type: audio/wav", b"Content-Type: audio/PCMA;rate=8000")
        jobs = [raw.json["job_id"], server.post("/v1/jobs", body, headers).json["job_id"]]
        deadline = time.monotonic() + 60
        while {server.get(f"/v1/jobs/{job}").json["status"] for job in jobs} != {"done"}:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for job in jobs:
            assert server.get(f"/v1/jobs/{job}/result?format=txt").text.strip() == text
