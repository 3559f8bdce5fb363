"""The soak: a short one against the real server, and servers that leak, fail, or keep silent."""

import json
import random
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from evaluation.server_study.client import Address
from evaluation.server_study.clips import Material
from evaluation.server_study.mix import MIX, Done, mix_of, perform
from evaluation.server_study.operations import Limits, Scene
from evaluation.server_study.process import Footprint
from evaluation.server_study.sampling import Sample, memory_change
from evaluation.server_study.verdict import Evidence, checks
from evaluation.studies import soak

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


def evidence(*, sizes=(100,) * 40, seconds=400.0, after=10, log=None, exit_code=None):
    samples = [
        Sample(
            at_s=seconds * place / (len(sizes) - 1), footprint=Footprint(size, size, 8, 10, 0.0),
            pool_available=4, probe_status=200, probe_s=0.02,
        )
        for place, size in enumerate(sizes)
    ]  # fmt: skip
    return Evidence(
        seconds=seconds, done=[Done("transcribe", "200", True, "", 0.1)], samples=samples, pool_size=4,
        pool_available=4, before=Footprint(1, 1, 8, 10, 0.0), after=Footprint(1, 1, 8, after, 0.0),
        exit_code=exit_code, log=log,
    )  # fmt: skip


def failed(found):
    return [each.what for each in checks(found) if each.is_met is False]


def test_memory_that_grows_is_found():
    assert failed(evidence()) == []
    [what] = failed(evidence(sizes=range(100, 140)))
    assert "memory grew" in what
    assert failed(evidence(sizes=range(100, 140), seconds=60.0)) == []  # too short to judge


def test_memory_that_settles_during_the_warm_up_has_not_grown():
    change = memory_change(evidence(sizes=(50, 60, 80, *(100,) * 37)).samples, 400.0)
    assert (change.growth, round(change.bytes_per_hour)) == (0.0, 0)


def test_descriptors_that_stay_open_are_found():
    [what] = failed(evidence(after=100))
    assert "Descriptors" in what


def test_the_log_is_read(tmp_path):
    log = Path(tmp_path / "log")
    log.write_text("ERROR - a model that cannot be loaded\n")
    assert failed(evidence(log=log, exit_code=0)) == []
    log.write_text(log.read_text() + "ERROR a stream failed\nTraceback (most recent call last):\n")
    assert len(failed(evidence(log=log, exit_code=1))) == 2
