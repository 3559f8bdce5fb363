"""A client of a server's jobs, and servers that have them."""

from __future__ import annotations

from contextlib import contextmanager

from tests.support.server_process import eventually, serving
from tests.support.websocket_client import said

ENDED = {"done", "failed", "cancelled"}


class Client:
    """A client of one server's jobs."""

    def __init__(self, server):
        self.server = server

    def submit(self, body, query="", headers=None):
        answer = self.server.post(f"/v1/jobs{query}", body, headers)
        assert answer.status == 202, answer
        assert answer.headers["location"] == f"/v1/jobs/{answer.json['job_id']}"
        return answer.json["job_id"]

    def job(self, job_id):
        answer = self.server.get(f"/v1/jobs/{job_id}")
        assert answer.status == 200, answer
        return answer.json

    def result(self, job_id, query=""):
        return self.server.get(f"/v1/jobs/{job_id}/result{query}")

    def remove(self, job_id):
        return self.server.request("DELETE", f"/v1/jobs/{job_id}")

    def ended(self, job_id):
        return eventually(lambda: (job := self.job(job_id))["status"] in ENDED and job)

    def under_way(self, job_id):
        """The job, as soon as some of it is recognised."""
        return eventually(lambda: (job := self.job(job_id))["processed_seconds"] > 0 and job)

    @contextmanager
    def nobody_works(self):
        """Scope in which jobs stay in the queue: the one permit of the server is a WebSocket's."""
        with self.server.socket() as holder:
            assert said(holder)["type"] == "ready"
            yield
        eventually(self.server.available)


@contextmanager
def serving_jobs(directory, *flags, **environment):
    """A server with one permit and jobs, and its client."""
    with serving("--jobs-dir", str(directory), "--pool-size", "1", *flags, **environment) as server:
        yield Client(server)
        if server.process.poll() is None:
            server.end()
        assert "Traceback" not in server.log, server.log
