"""Jobs across restarts: killed, stopped, and killed again."""

from __future__ import annotations

import http.client
import signal

import pytest

from tests.support.jobs_client import serving_jobs
from tests.support.server_process import is_error

pytestmark = pytest.mark.slow


def killed(client):
    client.server.signal(signal.SIGKILL)
    client.server.wait()


def test_a_killed_server_loses_no_job(tmp_path, wav, long_wav):
    with serving_jobs(tmp_path) as client:
        done = client.submit(wav, "?format=srt")
        client.ended(done)
        text = client.result(done).text
        running, waiting = client.submit(long_wav), client.submit(wav)
        client.under_way(running)
        killed(client)
    orphan = tmp_path / "uploads" / f"{22 * 'o'}.audio"
    orphan.write_bytes(wav)  # as of an upload that was under way
    with serving_jobs(tmp_path) as client:
        assert client.result(done).text == text
        first, second = client.ended(running), client.ended(waiting)
        assert (first["status"], first["attempts"], first["duration_seconds"]) == ("done", 2, 540)
        assert (second["status"], second["attempts"]) == ("done", 1)
        assert second["started_at"] >= first["finished_at"]
        assert client.result(running).json == client.server.post("/v1/transcribe", long_wav).json
        assert list((tmp_path / "uploads").iterdir()) == []
        client.server.wait_for_line(f"WARNING .*job {running} is begun again")
        client.server.wait_for_line("deleted 1 recordings")


def test_a_job_that_ended_the_server_twice_fails(tmp_path, wav, long_wav):
    with serving_jobs(tmp_path) as client:
        job_id = client.submit(long_wav)
        client.under_way(job_id)
        killed(client)
    with serving_jobs(tmp_path) as client:
        assert client.under_way(job_id)["attempts"] == 2
        killed(client)
    with serving_jobs(tmp_path) as client:
        job = client.job(job_id)
        assert (job["status"], job["code"]) == ("failed", "job_crashed")
        assert is_error(client.result(job_id), 409, "job_failed")
        assert list((tmp_path / "uploads").iterdir()) == []
        assert client.ended(client.submit(wav))["status"] == "done"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_is_stopped_works_on_after_the_restart(tmp_path, long_wav, workers):
    flags = ["--jobs-workers", workers, "--shutdown-drain-secs", "600"]
    with serving_jobs(tmp_path, *flags) as client:
        ids = [client.submit(long_wav), client.submit(long_wav)]
        client.under_way(ids[0])
        watching = http.client.HTTPConnection("127.0.0.1", client.server.port)
        watching.request("GET", f"/v1/jobs/{ids[0]}/events")
        events = watching.getresponse()
        assert b'"type": "progress"' in events.readline()
        client.server.signal(signal.SIGTERM)
        assert client.server.wait() == 0  # at once, not after the drain
        client.server.wait_for_line(f"job {ids[0]} waits for the next start")
        assert "still at work" not in client.server.log
        assert b'"type": "done"' not in events.read()  # it ends whole
        watching.close()
    with serving_jobs(tmp_path, *flags) as client:
        for job_id in ids:
            job = client.ended(job_id)
            assert (job["status"], job["attempts"]) == ("done", 1)


def test_jobs_come_in_while_the_model_is_loaded_and_are_kept_where_it_cannot_be(tmp_path, wav):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as hub:  # takes the connection, and never answers
        endpoint = f"http://127.0.0.1:{hub.getsockname()[1]}"
        (tmp_path / "models").mkdir()
        with serving_jobs(
            tmp_path / "jobs", "--model-dir", str(tmp_path / "models"), "--model", "gigaam-v3-e2e-rnnt",
            wait="listening", HF_ENDPOINT=endpoint, HF_HUB_OFFLINE="0",
        ) as client:  # fmt: skip
            job_id = client.submit(wav)
            assert client.job(job_id)["status"] == "queued"
            client.server.signal(signal.SIGTERM)
            assert client.server.wait() == 0
    with serving_jobs(tmp_path / "jobs") as client:
        assert client.ended(job_id)["status"] == "done"
