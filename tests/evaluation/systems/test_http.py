"""Servers as systems: gigastt's route and OpenAI's, against a stand-in that answers well and badly."""

import email
import email.policy
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evaluation.systems import http as servers
from evaluation.systems.answers import parsed
from evaluation.systems.base import SystemUnavailableError
from evaluation.systems.http import ServerOptions, ServerSystem
from evaluation.systems.registry import SystemSpec, load_system
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, by_soundfile, speechlike
from tests.support.server_process import serving

WORDS = [{"word": "Привет.", "start": 0.1, "end": 0.5, "confidence": 0.75}]
GIGASTT = {"text": "Привет.", "words": WORDS, "duration": 1.5}
OPENAI = {"text": "Привет.", "words": [{"word": "Привет.", "start": 0.1, "end": 0.5}], "duration": 1.5}


class Handler(BaseHTTPRequestHandler):
    """Gives the answers that the server holds, then the usual one; keeps what it was asked."""

    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.asked.append((self.path, self.headers, body))
        status, headers, content = server.answers.pop(0) if server.answers else (200, {}, server.usual)
        if status == "hang":
            server.released.wait(20)
            return
        if status == "break":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.answers = [], []
        server.usual = json.dumps(GIGASTT).encode()
        server.released = threading.Event()
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def waits(monkeypatch):
    """Seconds that would have been waited."""
    seconds = []
    monkeypatch.setattr(servers.time, "sleep", seconds.append)
    return seconds


def system_of(server, **options):
    return load_system(SystemSpec(kind="server", options={"url": server.url, **options}))


def test_a_path_on_the_host_is_part_of_the_name():
    paths = ("", "/a", "/b", "/a/b", "/a-b", "/a.", "/a%2Fb", "/" + "x" * 90, "/" + "x" * 91)
    names = [ServerOptions(url=f"http://h:1{path}").name for path in paths]
    assert len(set(names)) == len(names)
    assert names[:2] == ["server_h-1_gigastt", "server_h-1_a_gigastt"]
    assert all(len(name) < 90 for name in names)
    same = {ServerOptions(url=f"http://h:1/a{rest}").name for rest in ("", "/", "/v1", "/v1/")}
    assert same == {names[1]}


def test_gigastts_route(server, clips):
    system = system_of(server)
    path, headers, body = server.asked[0]
    assert (path, headers["Content-Type"]) == ("/v1/transcribe", "application/octet-stream")
    assert body[:4] == b"RIFF"
    outcome, again = system.transcribe([clips[0].path, b"what it can read, and this machine not"])
    assert server.asked[1][2] == clips[0].path.read_bytes()
    assert (outcome.hypothesis, outcome.error) == ("Привет.", None)
    assert outcome.words == (("Привет.", 0.1, 0.5, 0.75),)
    assert outcome.audio_s == len(clips[0].waveform) / 16_000
    assert again.audio_s == 1.5
    assert outcome.work_s > 0
    assert outcome.encoder_s is None
    port = server.server_address[1]
    assert system.name == f"server_127.0.0.1-{port}_gigastt"
    assert system.info == {"kind": "server", "url": server.url, "route": "gigastt", "warm_up": "1 x 2.8 s"}


def fields_of(headers, body):
    content = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body
    parts = email.message_from_bytes(content, policy=email.policy.HTTP).iter_parts()
    return {
        part.get_param("name", header="content-disposition"): (
            part.get_filename(),
            part.get_payload(decode=True),
        )
        for part in parts
    }


def test_openais_route(server, clips, monkeypatch):
    monkeypatch.setenv("THE_KEY", "secret")
    server.usual = json.dumps(OPENAI).encode()
    system = system_of(server, route="openai", model="whisper", api_key_variable="THE_KEY")
    [outcome] = system.transcribe([clips[0].path])
    path, headers, body = server.asked[-1]
    assert path == "/v1/audio/transcriptions"
    assert headers["Authorization"] == "Bearer secret"
    assert "secret" not in json.dumps(system.info)
    fields = fields_of(headers, body)
    assert fields.pop("file") == ("audio.flac", clips[0].path.read_bytes())
    assert {name: value for name, (_, value) in fields.items()} == {
        "model": b"whisper", "response_format": b"verbose_json", "timestamp_granularities[]": b"word",
        "language": b"ru",
    }  # fmt: skip
    assert (outcome.hypothesis, outcome.words) == ("Привет.", ())
    assert (system.info["model"], system.info["language"]) == ("whisper", "ru")


def test_plain_json_is_asked_for_where_it_is_wanted(server):
    server.usual = b'{"text": ""}'
    system_of(server, route="openai", response_format="json", language=None)
    fields = fields_of(*server.asked[0][1:])
    assert sorted(fields) == ["file", "model", "response_format"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h:1", "/v1/transcribe"),
        ("http://h:1/", "/v1/transcribe"),
        ("https://h/v1", "/v1/transcribe"),
        ("https://h/asr/v1/", "/asr/v1/transcribe"),
    ],
)
def test_urls_with_and_without_v1(url, path):
    assert ServerOptions(url=url).path == path


@pytest.mark.parametrize(
    "options",
    [
        {"url": "localhost:9876"},
        {"url": "ftp://localhost"},
        {"url": "http://me:key@localhost"},
        {"url": "http://localhost?key=1"},
        {"url": "http://localhost", "route": "vosk"},
        {"url": "http://localhost", "timeout_s": 0},
    ],
)
def test_options_that_make_no_sense(options):
    with pytest.raises(ValueError, match=r"url is|route is|timeout_s"):
        ServerOptions(**options)


def test_a_busy_server_is_waited_for_as_it_asks(server, waits):
    busy = b'{"code": "pool_saturated", "message": "busy"}'
    system = system_of(server)
    server.answers = [
        (503, {"Retry-After": "7"}, busy), (429, {}, busy), (503, {"Retry-After": "soon"}, busy),
        (503, {"Retry-After": "9999"}, busy),
    ]  # fmt: skip
    [outcome] = system.transcribe([b"a"])
    assert (outcome.hypothesis, waits) == ("Привет.", [7.0, 1.0, 1.0, 60.0])


def test_a_server_that_stays_busy_ends_the_run(server, waits):
    system = system_of(server, max_wait_s=10)
    server.answers = [(503, {"Retry-After": "30"}, b"busy")]
    with pytest.raises(SystemUnavailableError, match=r"is busy \(HTTP 503: busy\), for longer than 10 s"):
        system.transcribe([b"a"])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((413, {}, b'{"code":"payload_too_large"}'), 'HTTP 413: {"code":"payload_too_large"}'),
        ((500, {}, b""), "HTTP 500: nothing"),
        ((302, {"Location": "/"}, b""), "HTTP 302: nothing"),
        ((200, {}, b"<html>\n" + b"x" * 500), "the answer is no transcript: <html> xxx"),
        ((200, {}, b"[1]"), "the answer is no transcript"),
        ((200, {}, b'{"text": null}'), "the answer is no transcript"),
        ((200, {}, b'{"text": "a", "words": [{"confidence": 1}]}'), "the answer is no transcript"),
        ((200, {}, b'{"text": "\xff"}'), "the answer is no transcript"),
    ],
)
def test_other_errors_are_the_utterances(server, answer, error):
    system = system_of(server)
    server.answers = [answer]
    bad, good = system.transcribe([b"a", b"b"])
    assert bad.error.startswith(error)
    assert (bad.hypothesis, good.hypothesis) == (None, "Привет.")
    assert len(bad.error) < 250


def test_a_server_that_hangs(server):
    system = system_of(server, timeout_s=0.2)
    server.answers = [("hang", {}, b"")]
    bad, good = system.transcribe([b"a", b"b"])
    assert bad.error == "no answer: TimeoutError: the server kept silent for 0.2 s"
    assert good.hypothesis == "Привет."


def test_a_connection_that_breaks_is_tried_once_more(server):
    system = system_of(server)
    server.answers = [("break", {}, b"")]
    assert system.transcribe([b"a"])[0].hypothesis == "Привет."
    server.answers = [("break", {}, b"")] * 2
    bad, good = system.transcribe([b"a", b"b"])
    assert bad.error.startswith("no answer: RemoteDisconnected")
    assert good.hypothesis == "Привет."


def test_a_file_that_cannot_be_read_is_not_sent(server, tmp_path):
    [outcome] = system_of(server).transcribe([tmp_path / "missing.wav"])
    assert outcome.error.startswith("FileNotFoundError")
    assert len(server.asked) == 1


def closed_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return holder.getsockname()[1]


def test_no_server_there(waits):
    url = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(SystemUnavailableError, match=f"{url} cannot be reached .*is it running"):
        load_system(SystemSpec(kind="server", options={"url": url}))
    assert waits == []


def test_a_server_that_vanishes_is_waited_for_then_ends_the_run(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(servers.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(servers.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    system = ServerSystem(ServerOptions(url=f"http://127.0.0.1:{closed_port()}", max_wait_s=3))
    system.info["warm_up"] = "done"
    with pytest.raises(SystemUnavailableError, match="run again when it is back"):
        system.transcribe([b"a"])
    assert now == [3.0]


def test_a_wrong_route_is_found_before_the_run(server):
    server.answers = [(404, {}, b"not found")]
    with pytest.raises(SystemUnavailableError, match=r"packaged clip.*HTTP 404: not found"):
        system_of(server)


def test_a_key_that_is_not_set(monkeypatch):
    monkeypatch.delenv("THE_KEY", raising=False)
    with pytest.raises(SystemUnavailableError, match=r"\$THE_KEY is not set"):
        ServerSystem(ServerOptions(url="http://localhost", api_key_variable="THE_KEY"))


def test_what_the_server_warns_of_is_told_where_nothing_was_found_here(server):
    """A server may decode what is refused here; of what it says beside, nothing is taken."""
    cut = {"kind": "cut", "message": "the file was cut", "start": 1.5, "end": None}
    other = [{"kind": "deprecated", "message": "x"}, "text", {"message": "y"}, {"kind": "cut"}, None]
    other.append({"kind": "hole", "message": "z", "start": float("nan")})
    server.answers = [
        (200, {}, json.dumps({**GIGASTT, "warnings": warnings}).encode())
        for warnings in ([cut, *other], "all well", 5, {"cut": 1})
    ]
    system = ServerSystem(ServerOptions(url=server.url))
    first, *rest = (outcome for _ in range(4) for outcome in system.transcribe([b"no audio that we know"]))
    assert first.warnings == (AudioWarning("cut", "the file was cut", 1.5, None),)
    assert [outcome.warnings for outcome in rest] == [()] * 3
    assert {outcome.hypothesis for outcome in (first, *rest)} == {"Привет."}


def test_what_was_found_here_goes_before_what_the_server_says(server, tmp_path):
    data = by_soundfile(speechlike(2.0), RATE, "FLAC")
    server.answers = [(200, {}, json.dumps({**GIGASTT, "warnings": []}).encode())]
    [outcome] = ServerSystem(ServerOptions(url=server.url)).transcribe([data[: len(data) // 2]])
    [warning] = outcome.warnings
    assert (warning.kind, warning.start) == ("cut", pytest.approx(outcome.audio_s, abs=0.01))


@pytest.mark.slow
def test_this_packages_server_is_understood():
    clip = min(DEMO_CLIPS_DIRECTORY.glob("*.flac")).read_bytes()
    with serving() as process:
        answer = process.post("/v1/transcribe", clip[: len(clip) // 2])
    assert answer.status == 200
    assert [each.kind for each in parsed(answer.body, None, 0.1).warnings] == ["cut"]
