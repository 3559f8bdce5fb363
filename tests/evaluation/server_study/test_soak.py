"""The soak: a short one against the real server, and servers that leak, fail, or keep silent."""

import json
import random
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evaluation.server_study.client import Address
from evaluation.server_study.clips import Material
from evaluation.server_study.job_book import JobBook, jobs_left
from evaluation.server_study.mix import MIX, mix_of, perform
from evaluation.server_study.operations import Limits, Scene
from evaluation.studies import soak
from tests.support.server_process import serving

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

SHORT = "0.12"  # minutes: seven seconds, and three until the last operation is over
A_SECOND = str(1 / 60)
PERMITS = "Every permit was given back."
ANSWERS = "Every answer was one that is allowed."


@pytest.fixture(scope="module")
def material():
    return Material.made()


class Stub(BaseHTTPRequestHandler):
    """Answers like the server, but for what its server object says: `status`, and whether it `leaks`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        content = {"id": "stub", "pool_size": 4, "pool_available": self.server.available, "status": "ready"}
        self.answer(200, content)

    do_HEAD = do_DELETE = do_GET  # noqa: N815 - so the base class finds them

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > 10_000_000:
            self.close_connection = True
            self.answer(413, {"code": "payload_too_large", "message": "too much"})
            return
        self.rfile.read(length)
        self.server.released.wait(self.server.silent_s)
        if self.server.leaks:
            self.server.available = max(0, self.server.available - 1)
        self.answer(self.server.status, {"text": "Раз.", "code": "stub", "message": "as it is told"})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class StubServer(ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    daemon_threads = True

    def handle_error(self, *_):
        pass


@contextmanager
def stub(*, status=200, leaks=False, silent_s=0.0):
    with StubServer(("127.0.0.1", 0), Stub) as server:
        server.status, server.leaks, server.silent_s, server.available = status, leaks, silent_s, 4
        server.released = threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


def soaked(folder, *arguments):
    """The exit code, and what was written."""
    code = soak.main([*arguments, "--out", str(folder)])
    return code, json.loads((folder / "soak.json").read_text())


def met(content):
    return {each["what"]: each["is_met"] for each in content["checks"]}


@pytest.mark.slow
def test_the_server_stands_a_short_soak(tmp_path, capsys):
    code, content = soaked(tmp_path, "--minutes", SHORT, "--rate", "6", "--seed", "1")
    assert code == 0, capsys.readouterr().out
    assert content["passed"]
    assert None not in (met(content)[PERMITS], met(content)[ANSWERS])
    counted = [sum(each["outcomes"].values()) for each in content["operations"].values()]
    assert counted == [each["n"] for each in content["operations"].values()]
    assert sum(counted) == content["n_operations"] > 30
    assert set(content["operations"]) <= {each.name for each in MIX}
    assert content["samples"][-1]["pool_available"] is not None
    assert all(each["probe_status"] in {200, 503} for each in content["samples"])
    assert any(each["footprint"]["n_descriptors"] > 3 for each in content["samples"])
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")
    shown = capsys.readouterr().out
    assert "Every permit was given back." in shown
    assert "transcribe" in shown


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(soak, "_SETTLE_S", 0.1)
    monkeypatch.setattr(soak, "DEADLINE_S", 5.0)


@pytest.mark.slow
def test_permits_that_are_not_given_back_are_found(tmp_path, impatient, capsys):
    with stub(leaks=True) as url:
        code, content = soaked(tmp_path, "--minutes", A_SECOND, "--rate", "40", "--url", url)
    assert code == 1
    assert met(content)[PERMITS] is False
    assert "0 of 4 free" in capsys.readouterr().out


@pytest.mark.slow
def test_answers_that_no_server_should_give_are_found(tmp_path, impatient, capsys):
    with stub(status=500) as url:
        code, content = soaked(tmp_path, "--minutes", A_SECOND, "--rate", "40", "--url", url)
    assert code == 1
    assert met(content)[ANSWERS] is False
    assert met(content)[PERMITS] is True
    assert content["wrong"][0]["detail"]
    assert "500 (" in capsys.readouterr().out


def test_a_server_that_is_not_there_ends_the_soak(tmp_path):
    assert soak.main(["--url", "http://127.0.0.1:9", "--out", str(tmp_path)]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["transcribe", "events", "openai", "malformed body"])
def test_silence_is_a_hang(name, material):
    [operation] = [each for each in MIX if each.name == name]
    with stub(silent_s=5.0) as url:
        scene = Scene(address=Address.of(url), material=material, deadline_s=0.2)
        found = perform(operation, scene, random.Random(0))
    assert (found.outcome, found.is_allowed) == ("hang", False)


def test_a_text_that_changes_is_wrong(material):
    [operation] = [each for each in MIX if each.name == "openai"]
    with stub() as url:
        texts = dict.fromkeys(material.files, "Два.")
        scene = Scene(address=Address.of(url), material=material, texts=texts)
        details = {perform(operation, scene, random.Random(seed)).detail for seed in range(8)}
    assert any("before, it was 'Два.'" in detail for detail in details)


def test_nobody_waits_for_minutes(material):
    address = Address("localhost", 1)
    near = Scene(address=address, material=material, limits=Limits(idle_timeout_s=5.0))
    far = Scene(address=address, material=material)
    assert {each.name for each in mix_of(near)} - {each.name for each in mix_of(far)} == {"idle stream"}


def test_a_large_disk_is_not_filled(material):
    near = Scene(address=Address("localhost", 1, key="k"), material=material, limits=Limits(idle_timeout_s=5))
    far = {"jobs beyond queue", "jobs beyond bytes"}
    assert {each.name for each in MIX} - {each.name for each in mix_of(near)} == far


@pytest.mark.slow
def test_jobs_are_held_against_the_book(tmp_path, material):
    with serving("--jobs-dir", str(tmp_path)) as server:
        scene = Scene(address=Address("127.0.0.1", server.port), material=material)
        [operation] = [each for each in MIX if each.name == "job"]
        done = [perform(operation, scene, random.Random(seed)) for seed in range(6)]
        assert {each.outcome for each in done} == {"done"}
        n_left = len(scene.jobs.left())
        assert 0 < n_left < 6
        scene.jobs.accept("lost")
        found = jobs_left(scene.address, scene.jobs, tmp_path, keep_s=3600, patience_s=5)
        assert (found.n_accepted, found.lost, found.n_swept) == (7, ("lost",), 0)
        assert (found.stuck, found.unswept, found.n_after, found.n_recordings) == ((), (), 0, 0)
        again = jobs_left(scene.address, scene.jobs, tmp_path, keep_s=0, patience_s=5)
        assert (again.lost, again.n_swept) == ((), n_left + 1)
    with serving() as server:
        assert jobs_left(Address("127.0.0.1", server.port), JobBook(), None, keep_s=1, patience_s=5) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("broken file", "has the warnings []"),
        ("openai events", "the events of the"),
        ("job", "200 ("),
        ("wrong key", "without a key"),
    ],
)
def test_answers_that_lack_something_are_wrong(name, told, material):
    [operation] = [each for each in MIX if each.name == name]
    with stub() as url:
        scene = Scene(address=replace(Address.of(url), key="k" * 16), material=material)
        details = [perform(operation, scene, random.Random(seed)).detail for seed in range(8)]
    assert any(told in detail for detail in details), details


@pytest.mark.slow
def test_a_wrong_key_is_refused_and_the_right_one_is_not(tmp_path, material):
    keys = tmp_path / "keys"
    keys.write_text("k" * 16)
    keys.chmod(0o600)
    [wrong_key] = [each for each in MIX if each.name == "wrong key"]
    [transcribe] = [each for each in MIX if each.name == "transcribe"]
    [questions] = [each for each in MIX if each.name == "questions"]
    with serving("--api-key-file", str(keys)) as server:
        scene = Scene(address=Address("127.0.0.1", server.port, key="k" * 16), material=material)
        found = [perform(wrong_key, scene, random.Random(seed)) for seed in range(40)]
        assert {each.outcome for each in found} == {"401 unauthorized", "free"}, found
        assert perform(transcribe, scene, random.Random(0)).outcome == "200"
        asked = [perform(questions, scene, random.Random(seed)) for seed in range(20)]
        assert {each.outcome for each in asked} == {"ready 200"}, asked
        stranger = replace(scene, address=replace(scene.address, key=None))
        assert "401" in perform(transcribe, stranger, random.Random(0)).detail
