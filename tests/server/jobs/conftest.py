"""A server with jobs for the tests that leave it without any."""

from __future__ import annotations

import pytest

from tests.support.jobs_client import serving_jobs
from tests.support.server_process import eventually


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of `client`'s server."""
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def client(folder):
    """A client of a server for the tests that leave it without jobs."""
    with serving_jobs(folder, "--metrics", "--precision", "int8", "--jobs-max-audio-secs", "600") as client:
        yield client


@pytest.fixture
def clean(client, folder):
    """The same; afterwards its jobs are deleted, and nothing of them is left."""
    yield client
    for _ in range(2):  # once to cancel, once to delete
        for job in client.server.get("/v1/jobs").json["jobs"]:
            assert client.remove(job["job_id"]).status == 204
    assert eventually(lambda: not list((folder / "uploads").iterdir()))
    assert client.server.metric("gigastt_jobs_bytes") == 0
