"""How many connections are open, how many bodies held, and how long a connection is kept."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from gigastt_lab.server.admission import Connections, Uploads
from gigastt_lab.server.errors import UPLOADS_SATURATED, ApiError
from tests.support.server_process import ServerProcess, eventually, is_error, serving
from tests.support.websocket_client import said

pytestmark = pytest.mark.slow  # seconds in all; the quick tests hold the parts

MAX = 4
SPARE = 64  # beyond it


@pytest.fixture(scope="module")
def small():
    """A server of few connections and bodies, on which each rests for a second."""
    flags = ("--max-connections", str(MAX), "--max-uploads", "2", "--keep-alive-secs", "1", "--metrics")
    with serving(*flags, "--pool-size", "6") as server:
        yield server
        assert server.end() == 0
        assert "Traceback" not in server.log


def raw(server):
    return closing(socket.create_connection(("127.0.0.1", server.port), timeout=60))


def keeping(server):
    """A connection that goes on after an answer."""
    return closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60))


def asked(connection, path="/v1/models"):
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def is_ended(connection):
    """Whether the server has ended it without a word; a reset, if the last bytes were not read any more."""
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


def half_of(server, stack, wav, path="/v1/transcribe"):
    """A connection on which a body is half sent."""
    half = stack.enter_context(raw(server))
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(wav)}\r\n\r\n"
    half.sendall(head.encode() + wav[: len(wav) // 2])
    return half


def nothing_open(server):
    return lambda: server.metric("gigastt_connections") == 1  # the one that asks


# -- what is counted, without sockets -----------------------------------------------------------------------


class Transport:
    """Stands for a connection; its socket is a real one."""

    def __init__(self):
        self.is_open = True
        self.socket, self.client = socket.socketpair()

    def get_extra_info(self, name):
        return {"socket": self.socket}[name]

    def close(self):
        self.is_open = False

    def __del__(self):
        self.socket.close()
        self.client.close()


def connections(limit, clock=None):
    """Connections whose clock is a second further each time, and what refusals were told."""
    told = []
    return Connections(
        lambda: limit[0], lambda: 1.0, lambda: told.append("refused"), clock or itertools.count().__next__
    ), told


def test_who_rests_longest_makes_room():
    found, told = connections([2])
    first, second, third, fourth = (Transport() for _ in range(4))
    for each in (first, second):
        assert found.enter(each, each.close)
        found.rest(each)
    found.wake(first)
    found.rest(first)  # now the second has rested longer
    assert found.enter(third, third.close)
    assert [first.is_open, second.is_open, third.is_open] == [True, False, True]
    found.wake(first)
    assert not found.enter(fourth, fourth.close)  # nobody rests
    found.rest(fourth)  # a spare one does not count among those that may rest
    assert len(found) == 3
    assert first.is_open
    assert told == []


def test_who_has_just_come_or_been_answered_may_be_about_to_ask():
    now = [0.0]
    found, _ = connections([1], lambda: now[0])
    first, second, third = (Transport() for _ in range(3))
    assert found.enter(first, first.close)
    found.rest(first)
    now[0] = 0.019
    assert not found.enter(second, second.close)
    now[0] = 0.02
    assert found.enter(third, third.close)
    assert [first.is_open, second.is_open, third.is_open] == [False, True, True]


def test_who_has_asked_already_is_read_first():
    found, _ = connections([2])
    first, second, third = (Transport() for _ in range(3))
    for each in (first, second):
        found.enter(each, each.close)
        found.rest(each)
    first.client.send(b"GET")
    assert found.enter(third, third.close)
    assert [first.is_open, second.is_open] == [True, False]


def test_spare_ones_give_way_to_newer_ones():
    found, told = connections([1])
    busy, *spare = (Transport() for _ in range(SPARE + 4))
    assert found.enter(busy, busy.close)
    assert not any(found.enter(each, each.close) for each in spare)
    assert [each.is_open for each in spare] == 3 * [False] + SPARE * [True]
    assert told == 3 * ["refused"]
    assert len(found) == 1 + SPARE
    for each in (busy, *spare, *spare):  # the transport's end is told of each, also of those that gave way
        found.leave(each)
    assert len(found) == 0


def test_a_lower_limit_is_reached_by_those_that_rest():
    limit = [3]
    found, _ = connections(limit)
    old = [Transport() for _ in range(3)]
    for each in old:
        found.enter(each, each.close)
        found.rest(each)
    limit[0] = 1
    assert found.enter(Transport(), old[0].close)
    assert [each.is_open for each in old] == [False, False, False]
    assert len(found) == 1


def test_bodies_are_counted_until_their_request_ends():
    uploads = Uploads(lambda: 1, lambda: 0.0)
    with uploads.one():
        with pytest.raises(ApiError) as caught, uploads.one():
            pass
        assert (caught.value.kind, caught.value.retry_after_s) == (UPLOADS_SATURATED, 1.0)
        assert len(uploads) == 1
    assert len(uploads) == 0
    with pytest.raises(ZeroDivisionError), uploads.one():
        raise ZeroDivisionError
    assert len(uploads) == 0


# -- over sockets -------------------------------------------------------------------------------------------


def test_beyond_the_limit_a_connection_gets_one_answer(small, wav):
    eventually(nothing_open(small))
    with ExitStack() as stack:
        sockets = [stack.enter_context(small.socket()) for _ in range(MAX)]
        assert {said(each)["type"] for each in sockets} == {"ready"}
        for answer in (small.get("/v1/models"), small.post("/v1/transcribe", wav), small.get("/")):
            assert is_error(answer, 503, "connections_saturated")
            assert answer.headers["connection"] == "close"
            assert (answer.headers["retry-after"], answer.json["retry_after_ms"]) == ("5", 5_000)
        with pytest.raises(Exception, match="503"), small.socket():
            pass
        connection = stack.enter_context(keeping(small))
        assert asked(connection, "/health") == asked(connection, "/ready") == 200  # each on its own
        whole = stack.enter_context(raw(small))
        whole.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        answered = b"".join(iter(lambda: whole.recv(4_000), b""))
        assert answered.count(b"HTTP/1.1 200") == 1
    eventually(nothing_open(small))
    assert small.metric("gigastt_connection_rejections_total") == 4
    assert small.post("/v1/transcribe", wav).status == 200


def test_whoever_says_nothing_makes_room(small, wav):
    with ExitStack() as stack:
        silent = [stack.enter_context(raw(small)) for _ in range(MAX)]
        slow = silent[0]
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")  # a head that does not end is no more
        for _ in range(MAX):
            assert eventually(lambda: asked(stack.enter_context(keeping(small))) == 200)
        assert is_ended(slow)
        assert all(is_ended(each) for each in silent[1:])
    eventually(nothing_open(small))


def test_probes_are_answered_whatever_the_flood(small):
    with ExitStack() as stack:
        for _ in range(MAX):
            said(stack.enter_context(small.socket()))
        flood = [stack.enter_context(raw(small)) for _ in range(SPARE + 20)]
        assert [small.get(path).status for path in ("/health", "/ready")] == [200, 200]
        told = flood[0].recv(4_000)
        head, _, body = told.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5" in head
        assert json.loads(body)["code"] == "connections_saturated"
    eventually(nothing_open(small))


def test_beyond_the_limit_no_body_is_held(small, wav):
    before = small.metric("gigastt_upload_rejections_total")
    with ExitStack() as stack:
        halves = [half_of(small, stack, wav) for _ in range(2)]
        eventually(lambda: small.metric("gigastt_uploads") == 2)
        for path in ("/v1/transcribe", "/v1/transcribe/stream", "/v1/audio/transcriptions"):
            answer = small.post(path, wav)
            assert (answer.status, answer.json["code"]) == (503, "uploads_saturated")
            assert answer.headers["retry-after"] == "30"
        chunked = (wav[at : at + 9_000] for at in range(0, len(wav), 9_000))
        answer = small.post("/v1/transcribe", chunked, {"Transfer-Encoding": "chunked"})
        assert (answer.status, answer.json["code"]) == (503, "uploads_saturated")
        assert small.get("/v1/models").status == 200  # what has no body is not in the way
        halves[0].sendall(wav[len(wav) // 2 :])
        assert halves[0].recv(100).startswith(b"HTTP/1.1 200")
        eventually(lambda: small.metric("gigastt_uploads") == 1)
        assert small.post("/v1/transcribe", wav).status == 200
        halves[1].close()  # a client that leaves holds nothing
        eventually(lambda: small.metric("gigastt_uploads") == 0)
    assert small.metric("gigastt_upload_rejections_total") - before == 4


def test_a_connection_is_kept_for_as_long_as_it_says(small):
    with keeping(small) as connection:
        assert asked(connection) == asked(connection) == 200
        assert connection.sock.recv(100) == b""  # it waits for the server to close


@pytest.mark.slow
def test_by_default_a_connection_outlives_what_it_once_did(server):
    """Five seconds, uvicorn's own: proxies keep theirs for a minute, and would send into a closed one."""
    with keeping(server) as connection:
        assert asked(connection) == 200
        connection.sock.settimeout(8)
        with pytest.raises(TimeoutError):
            connection.sock.recv(100)
        connection.sock.settimeout(60)
        assert asked(connection) == 200


@pytest.mark.slow
def test_sighup_changes_all_three_limits(tmp_path, wav):
    file = tmp_path / "server.toml"
    file.write_text("keep_alive_secs = 600\nmax_uploads = 1\nmax_connections = 2\n", encoding="utf-8")
    with serving("--config", str(file), "--metrics") as server, ExitStack() as stack:
        half_of(server, stack, wav)
        eventually(lambda: server.metric("gigastt_uploads") == 1)
        assert server.post("/v1/transcribe", wav).json["code"] == "uploads_saturated"
        said(stack.enter_context(server.socket()))
        assert is_error(server.get("/v1/models"), 503, "connections_saturated")
        file.write_text("keep_alive_secs = 1\nmax_uploads = 2\nmax_connections = 9\n", encoding="utf-8")
        server.signal(signal.SIGHUP)
        server.wait_for_line("limits read again")
        assert server.post("/v1/transcribe", wav).status == 200
        connection = stack.enter_context(keeping(server))
        assert asked(connection) == 200
        assert connection.sock.recv(100) == b""


@pytest.mark.slow
def test_a_body_that_waits_for_a_permit_is_held(wav):
    with serving("--pool-size", "1", "--max-uploads", "1", "--metrics") as server, ExitStack() as stack:
        holder = stack.enter_context(server.socket())
        said(holder)
        waiting = stack.enter_context(raw(server))
        head = f"POST /v1/transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(wav)}\r\n\r\n"
        waiting.sendall(head.encode() + wav)
        eventually(lambda: server.metric("gigastt_pool_waiters") == 1)
        assert is_error(server.post("/v1/transcribe", wav), 503, "uploads_saturated")
        holder.close()
        assert waiting.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.slow
@pytest.mark.parametrize(("limits", "n_allowed"), [("ulimit -S -n 256", 1_768), ("ulimit -n 300", 300)])
def test_as_many_files_may_be_open_as_the_limits_need(limits, n_allowed):
    """The usual soft limit is what a thousand connections alone would use up."""
    serve = [sys.executable, "-m", "gigastt_lab.serve", "--port", "0", "--model", "demo"]
    shell = ["sh", "-c", f'{limits} && exec "$0" "$@"', *serve]
    with subprocess.Popen(shell, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
        server = ServerProcess(process)
        try:
            server.wait_for_line("ready after")
            found = Path(f"/proc/{server.pid}/limits").read_text(encoding="ascii")
            assert int(re.search(r"Max open files +(\d+)", found)[1]) == n_allowed
        finally:
            assert server.end() == 0
    is_warned = f"only {n_allowed} files and sockets may be open here" in server.log
    assert is_warned == (n_allowed < 1_768)
