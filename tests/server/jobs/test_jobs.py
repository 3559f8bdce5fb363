"""Jobs over HTTP: given, watched, fetched, cancelled, listed; and what is refused."""

from __future__ import annotations

import json
import socket

import numpy as np
import pytest

from gigastt_lab import load_engine
from gigastt_lab.formats import FORMATS
from tests.support.audio_files import flac_that_states
from tests.support.recordings import RATE, as_wav
from tests.support.server_process import eventually, is_error

ODD_IDS = [
    "nothing",
    22 * "a",
    "a%00b",
    "%FF",
    "..%2F..%2Fetc%2Fpasswd",
    "%0A",
    "🎵".encode().hex(),
    5000 * "x",
]


def test_a_job_gives_what_a_request_gives_in_every_format(clean, wav):
    job_id = clean.submit(wav)
    assert clean.ended(job_id)["status"] == "done"
    for name in FORMATS:
        job, request = (
            clean.result(job_id, f"?format={name}"),
            clean.server.post(f"/v1/transcribe?format={name}", wav),
        )
        assert job.status == request.status == 200
        assert (job.text, job.headers["content-type"]) == (request.text, request.headers["content-type"])
    assert clean.result(job_id).json["text"]


def test_a_job_ends_with_its_recording_whatever_the_header_states(clean, speech):
    long = np.tile(speech, 1 + 40 * RATE // len(speech))
    wanted = clean.server.post("/v1/transcribe", as_wav(long)).json
    engine = load_engine("demo", precision="int8")
    first = next(engine.transcribe_parts(long, sample_rate=RATE))
    job_id = clean.submit(flac_that_states(long, RATE, round(first.done_s * RATE)))
    assert clean.ended(job_id)["duration_seconds"] == pytest.approx(len(long) / RATE, abs=0.001)
    assert clean.result(job_id).json["text"] == wanted["text"]


def test_a_form_and_a_format_of_ones_own(clean, wav):
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        + wav
        + b"\r\n--x--\r\n"
    )
    job_id = clean.submit(form, "?format=srt", {"Content-Type": "multipart/form-data; boundary=x"})
    assert clean.ended(job_id)["format"] == "srt"
    assert clean.result(job_id).text == clean.server.post("/v1/transcribe?format=srt", wav).text
    assert clean.result(job_id).text.startswith("1\n00:00:00")


def test_a_body_of_unknown_length(clean, wav):
    pieces = iter([wav[:1], wav[1:70_000], wav[70_000:]])
    job_id = clean.submit(pieces, "", {"Transfer-Encoding": "chunked"})
    assert clean.ended(job_id)["status"] == "done"


def test_the_states_of_a_job(clean, wav):
    with clean.nobody_works():
        first, second = clean.submit(wav), clean.submit(wav, "?format=md")
        job = clean.job(second)
        assert (job["job_id"], job["status"], job["format"]) == (second, "queued", "md")
        assert (job["queue_position"], job["attempts"], job["percent"]) == (2, 0, 0)
        assert job["started_at"] is job["finished_at"] is job["expires_at"] is job["duration_seconds"] is None
        assert is_error(clean.result(first), 409, "job_not_finished")
        assert clean.server.get("/ready").json["pool_available"] == 0
    job = clean.ended(second)
    seconds = len(wav[44:]) / 32_000
    assert (job["status"], job["percent"], job["attempts"]) == ("done", 100, 1)
    assert job["processed_seconds"] == job["duration_seconds"] == pytest.approx(seconds, abs=0.001)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    assert job["expires_at"] == pytest.approx(job["finished_at"] + 86_400, abs=60)
    assert "error" not in job


def test_events_tell_the_progress_and_the_end(clean, speech):
    job_id = clean.submit(as_wav(np.resize(speech, 150 * RATE)))
    answer = clean.server.get(f"/v1/jobs/{job_id}/events")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line[:1] == "d"]
    assert events[-1] == {"type": "done"}
    progress = [event["processed_seconds"] for event in events[:-1]]
    assert {event["type"] for event in events[:-1]} == {"progress"}
    assert progress == sorted(progress)
    assert len(set(progress)) > 2
    assert 0 < events[-2]["percent"] < 100
    again = clean.server.get(f"/v1/jobs/{job_id}/events")
    assert again.text == 'data: {"type": "done"}\n\n'


def test_a_job_that_waits_is_cancelled_then_deleted(clean, wav, folder):
    with clean.nobody_works():
        first, second = clean.submit(wav), clean.submit(wav)
        assert clean.remove(first).status == 204
        job = clean.job(first)
        assert (job["status"], job["queue_position"], clean.job(second)["queue_position"]) == (
            "cancelled",
            None,
            1,
        )
        assert [path.name for path in (folder / "uploads").iterdir()] == [f"{second}.audio"]
        assert is_error(clean.result(first), 409, "job_cancelled")
        assert clean.server.get(f"/v1/jobs/{first}/events").text == 'data: {"type": "cancelled"}\n\n'
        assert clean.remove(first).status == 204
        assert is_error(clean.server.get(f"/v1/jobs/{first}"), 404, "job_not_found")
        assert is_error(clean.remove(first), 404, "job_not_found")


def test_a_job_is_cancelled_in_the_middle(clean, long_wav):
    job_id = clean.submit(long_wav)
    clean.under_way(job_id)
    assert clean.remove(job_id).status == 204
    assert eventually(lambda: clean.server.available() == 1)
    job = clean.job(job_id)
    assert (job["status"], job["duration_seconds"]) == ("cancelled", 540)
    assert 0 < job["processed_seconds"] < 540
    assert is_error(clean.result(job_id), 409, "job_cancelled")


def test_a_job_makes_room_for_requests_between_two_parts(clean, long_wav, wav):
    """One permit, which the job has: a request gets it long before the job is done."""
    first, second = clean.submit(long_wav), clean.submit(long_wav)
    clean.under_way(first)
    assert clean.server.get("/ready").status == 200
    for _ in range(2):
        assert clean.server.post("/v1/transcribe", wav).status == 200
    assert {clean.job(job_id)["status"] for job_id in (first, second)} >= {"queued"}
    with clean.nobody_works():
        done = clean.job(first)["processed_seconds"]
        assert (clean.job(first)["status"], clean.job(second)["status"]) == ("processing", "queued")
        assert clean.remove(first).status == 204  # while it waits for its permit
        assert clean.job(first)["processed_seconds"] == done < 540
    assert clean.remove(second).status == 204


def test_jobs_are_listed_in_pages_the_newest_first(clean, wav):
    with clean.nobody_works():
        ids = [clean.submit(wav) for _ in range(5)]
        clean.remove(ids[1])
        page = clean.server.get("/v1/jobs?limit=2").json
        found = [page["jobs"]]
        while page["next_cursor"]:
            page = clean.server.get(f"/v1/jobs?limit=2&cursor={page['next_cursor']}").json
            found.append(page["jobs"])
        assert [[job["job_id"] for job in jobs] for jobs in found] == [ids[:2:-1], ids[2:0:-1], ids[:1]]
        queued = clean.server.get("/v1/jobs?status=queued").json
        assert [job["queue_position"] for job in queued["jobs"]] == [4, 3, 2, 1]
        assert queued["counts"] == {"queued": 4, "processing": 0, "done": 0, "failed": 0, "cancelled": 1}
        assert queued["jobs"][0] == clean.job(ids[4])
        assert clean.server.metric('gigastt_jobs{status="queued"}') == 4
        assert clean.server.metric("gigastt_jobs_bytes") > 4 * len(wav)


@pytest.mark.parametrize(
    "query",
    [
        "status=waiting",
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=x",
        "cursor=-1",
        "cursor=" + 30 * "9",
        "cursor=%D9%A3",
    ],
)
def test_a_list_that_cannot_be(client, query):
    answer = client.server.get(f"/v1/jobs?{query}")
    assert is_error(answer, 400, "bad_request")
    assert query.partition("=")[0] in answer.json["message"]


@pytest.mark.parametrize("job_id", ODD_IDS)
def test_there_is_no_such_job(client, job_id):
    for path in (job_id, f"{job_id}/result", f"{job_id}/events"):
        answer = client.server.get(f"/v1/jobs/{path}")
        assert answer.status == 404
        assert answer.json["code"] in {"job_not_found", "not_found"}  # a slash makes it another route
    assert client.server.request("DELETE", f"/v1/jobs/{job_id}").status in {404, 405}


@pytest.mark.parametrize(
    ("body", "query", "complaint"),
    [
        (b"", "", "The body is empty"),
        (b"This is no audio, though it is long enough.", "", "not a known audio file"),
        (b"RIFF....WAVEfmt ", "?format=pdf", "format: Input should be"),
    ],
)
def test_what_is_no_recording_is_refused_at_once(clean, body, query, complaint):
    answer = clean.server.post(f"/v1/jobs{query}", body)
    assert is_error(answer, 400, "bad_request")
    assert complaint in answer.json["message"]
    assert clean.server.get("/v1/jobs").json["jobs"] == []


def test_a_recording_that_cannot_be_decoded_fails_with_the_cause(clean, wav):
    job_id = clean.submit(b"fLaC" + 2_000 * b"\0")
    job = clean.ended(job_id)
    assert (job["status"], job["code"]) == ("failed", "bad_request")
    assert (
        job["message"]
        == job["error"]
        == clean.server.post("/v1/transcribe", b"fLaC" + 2_000 * b"\0").json["message"]
    )
    result = clean.result(job_id)
    assert is_error(result, 409, "job_failed")
    assert job["message"] in result.json["message"]
    (event,) = clean.server.get(f"/v1/jobs/{job_id}/events").text.split("\n\n")[:-1]
    told = json.loads(event.removeprefix("data: "))
    assert (told["type"], told["error"], told["code"]) == ("failed", job["error"], "bad_request")
    assert clean.ended(clean.submit(wav))["status"] == "done"


def test_a_recording_that_is_too_long_fails(clean):
    job = clean.ended(clean.submit(as_wav(np.zeros(601 * 8_000, np.float32), 8_000)))
    assert (job["status"], job["code"]) == ("failed", "bad_request")
    assert "600" in job["message"]


def test_a_recording_that_was_cut_says_so_with_its_result_or_is_refused(clean, wav):
    half = wav[: len(wav) // 2]
    request = clean.server.post("/v1/transcribe", half)
    warned, strict, other = (clean.submit(half, query) for query in ("", "?strict=true", "?track=7"))
    assert clean.ended(warned)["status"] == "done"
    result = clean.result(warned)
    assert result.json == request.json
    assert [warning["kind"] for warning in result.json["warnings"]] == ["cut"]
    assert (
        clean.result(warned, "?format=srt").headers["x-audio-warnings"] == request.headers["x-audio-warnings"]
    )
    for job_id, complaint in ((strict, "cut"), (other, "track")):
        job = clean.ended(job_id)
        assert (job["status"], job["code"]) == ("failed", "bad_request")
        assert complaint in job["message"]


def test_half_an_upload_leaves_nothing(clean, wav, folder):
    for hold in (True, False):
        with socket.create_connection(("127.0.0.1", clean.server.port)) as raw:
            head = f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(wav)}\r\n\r\n"
            raw.sendall(head.encode() + wav[: len(wav) // 2])
            if hold:
                eventually(lambda: list((folder / "uploads").iterdir()))
        assert eventually(lambda: not list((folder / "uploads").iterdir()))
    assert clean.server.get("/v1/jobs").json["jobs"] == []
