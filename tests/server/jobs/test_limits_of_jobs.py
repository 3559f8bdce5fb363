"""Limits of jobs: off, full, too many, too long kept; and two servers in one place."""

from __future__ import annotations

import signal
import socket

import pytest

from tests.support.jobs_client import serving_jobs
from tests.support.server_process import eventually, is_error, serving


def test_jobs_are_off_unless_they_are_turned_on(server, wav):
    routes = [
        ("POST", ""),
        ("GET", ""),
        ("GET", "/x"),
        ("GET", "/x/result"),
        ("GET", "/x/events"),
        ("DELETE", "/x"),
    ]
    for method, path in routes:
        assert is_error(server.request(method, f"/v1/jobs{path}", wav), 503, "jobs_disabled")
    assert "--jobs-dir" in server.get("/v1/jobs").json["message"]


@pytest.mark.slow
def test_a_full_queue_a_full_disk_and_a_body_that_is_too_large(tmp_path, wav):
    n_max = 2 * (len(wav) + 1024) + 1024 + len(wav) // 2
    flags = [
        "--jobs-max-queued",
        "3",
        "--jobs-max-bytes",
        str(n_max),
        "--jobs-body-limit-bytes",
        str(len(wav)),
    ]
    with serving_jobs(tmp_path, *flags) as client, client.nobody_works():
        assert is_error(client.server.post("/v1/jobs", wav + b"."), 413, "payload_too_large")
        ids = [client.submit(wav), client.submit(wav)]
        for body, headers in ((wav, {}), (iter([wav[:9], wav[9:]]), {"Transfer-Encoding": "chunked"})):
            answer = client.server.post("/v1/jobs", body, headers)
            assert is_error(answer, 507, "storage_full")
            assert (answer.headers["retry-after"], answer.json["retry_after_ms"]) == ("60", 60_000)
        assert len(list((tmp_path / "uploads").iterdir())) == 2
        # What is promised to an upload under way is nobody else's, and comes back when it ends.
        client.remove(ids[0])
        with socket.create_connection(("127.0.0.1", client.server.port)) as raw:
            head = f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(wav)}\r\n\r\n"
            raw.sendall(head.encode() + b"RIFF")
            assert eventually(lambda: len(list((tmp_path / "uploads").iterdir())) == 2)
            assert client.server.post("/v1/jobs", wav).status == 507
        assert eventually(lambda: client.server.post("/v1/jobs", wav).status == 202)
        assert client.remove(ids[0]).status == 204
        small = wav[: len(wav) // 8]
        client.submit(small)
        answer = client.server.post("/v1/jobs", small)
        assert is_error(answer, 429, "queue_full")
        assert answer.headers["retry-after"] == "30"


@pytest.mark.slow
def test_limits_are_read_again_and_what_ended_is_swept(tmp_path, wav):
    config = tmp_path / "server.toml"
    config.write_text("jobs_keep_secs = 3600\n", encoding="utf-8")
    with serving_jobs(tmp_path / "jobs", "--config", str(config)) as client:
        job_id = client.submit(wav)
        job = client.ended(job_id)
        assert job["expires_at"] - job["finished_at"] == pytest.approx(3600, abs=60)
        config.write_text("jobs_keep_secs = 1\njobs_max_queued = 1\n", encoding="utf-8")
        client.server.signal(signal.SIGHUP)
        client.server.wait_for_line("limits read again")
        job = client.job(job_id)
        assert job["expires_at"] - job["finished_at"] < 60
        with client.nobody_works():
            client.submit(wav)
            assert is_error(client.server.post("/v1/jobs", wav), 429, "queue_full")
    with serving_jobs(tmp_path / "jobs", "--config", str(config)) as client:
        assert eventually(lambda: client.server.get(f"/v1/jobs/{job_id}").status == 404)
        client.server.wait_for_line("swept [12] jobs")


@pytest.mark.slow
def test_two_servers_of_one_folder(tmp_path, wav):
    with serving_jobs(tmp_path) as client:
        with serving("--jobs-dir", str(tmp_path), wait="nothing") as second:
            assert second.wait() == 2
        assert f"--jobs-dir {tmp_path} is another server's, which is running; give each its own" in second.log
        assert "Traceback" not in second.log
        assert client.ended(client.submit(wav))["status"] == "done"


@pytest.mark.slow
def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    with serving("--jobs-dir", str(tmp_path / "file" / "jobs"), wait="nothing") as server:
        assert server.wait() == 2
    assert (
        "cannot be used: Not a directory; give a directory in which the server may make files" in server.log
    )
    assert "Traceback" not in server.log


@pytest.mark.slow
def test_many_jobs_at_once_are_all_done_in_their_order(tmp_path, wav):
    from concurrent.futures import ThreadPoolExecutor

    with serving_jobs(tmp_path, "--jobs-workers", "2") as client, ThreadPoolExecutor(20) as clients:
        ids = list(clients.map(lambda _: client.submit(wav), range(100)))
        assert len(set(ids)) == 100
        for job_id in ids:
            assert client.ended(job_id)["status"] == "done"
        jobs = client.server.get("/v1/jobs?limit=1000").json["jobs"]
        begun = [job["started_at"] for job in reversed(jobs)]
        assert begun == sorted(begun)
        texts = {text.text for text in clients.map(client.result, ids)}
        assert texts == {client.server.post("/v1/transcribe", wav).text}
        for answer in clients.map(client.remove, ids):
            assert answer.status == 204
        assert client.server.get("/v1/jobs").json["jobs"] == []
        assert list((tmp_path / "uploads").iterdir()) == []
