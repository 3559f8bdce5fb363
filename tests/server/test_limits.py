"""Limits and safety: who may call, how much, how often, how long."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing, suppress

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus

from tests.support.recordings import RATE, as_wav
from tests.support.server_process import eventually, is_error, serving

EVIL = "https://evil.example.com"


def refused(server, **headers):
    """The error that a WebSocket handshake is refused with; None where it is not."""
    try:
        with server.socket(additional_headers=headers):
            return None
    except InvalidStatus as error:
        return error.response.status_code, json.loads(error.response.body)["code"]


# -- origins and hosts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [EVIL, "null", "http://localhost.evil.example.com", "http://localhost@evil.example.com", "file://",
     "http://192.168.1.10", "https://app.example.com.evil.com", "http://localhost/../evil", "garbage"],
)  # fmt: skip
def test_other_origins_are_denied(server, wav, origin):
    headers = {"Origin": origin}
    assert is_error(server.get("/v1/models", headers), 403, "origin_denied")
    assert is_error(server.post("/v1/transcribe", wav, headers), 403, "origin_denied")
    assert is_error(server.get("/", headers), 403, "origin_denied")
    preflight = headers | {"Access-Control-Request-Method": "POST"}
    assert is_error(server.request("OPTIONS", "/v1/transcribe", headers=preflight), 403, "origin_denied")
    assert refused(server, Origin=origin) == (403, "origin_denied")
    assert server.get("/health", headers).status == server.get("/ready", headers).status == 200


@pytest.mark.parametrize(
    "origin", ["http://localhost", "https://localhost:3000", "HTTP://127.0.0.1:1", "http://[::1]:9876"]
)
def test_loopback_origins_are_allowed(server, origin):
    answer = server.get("/v1/models", {"Origin": origin})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "Origin"
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    allowed = server.request("OPTIONS", "/v1/transcribe", headers=preflight)
    assert allowed.status == 204
    assert allowed.headers["access-control-allow-methods"] == "GET, POST, DELETE, OPTIONS"
    assert refused(server, Origin=origin) is None


@pytest.mark.slow
def test_named_origins_are_allowed_with_their_hosts():
    flags = ("--allow-origin", "https://App.example.com", "--allow-origin", "https://b.example.com:8443",
             "--allow-host", "stt.internal")  # fmt: skip
    with serving(*flags) as server:
        for origin in ("https://app.example.com", "https://b.example.com:8443", "http://localhost"):
            assert server.get("/v1/models", {"Origin": origin}).status == 200
            assert refused(server, Origin=origin) is None
        for origin in ("https://b.example.com", "http://app.example.com", EVIL):
            assert is_error(server.get("/v1/models", {"Origin": origin}), 403, "origin_denied")
        for host in ("app.example.com", "b.example.com:1234", "stt.internal:80", "localhost"):
            assert server.get("/v1/models", {"Host": host}).status == 200
        assert is_error(server.get("/v1/models", {"Host": "evil.example.com"}), 403, "host_denied")


def test_hosts_of_others_are_dns_rebinding(server):
    for host in (
        "evil.example.com",
        "evil.example.com:9876",
        "localhost.evil.example.com",
        "192.168.1.1",
        "",
    ):
        assert is_error(server.get("/v1/models", {"Host": host}), 403, "host_denied")
        assert server.get("/health", {"Host": host}).status == 200
    for host in ("localhost", "LOCALHOST:9876", "127.0.0.1", "127.1.2.3:1", "[::1]:9876"):
        assert server.get("/v1/models", {"Host": host}).status == 200


@pytest.mark.slow
def test_any_origin_only_when_asked_for():
    with serving("--cors-allow-any") as server:
        answer = server.get("/v1/models", {"Origin": EVIL})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*")
        assert refused(server, Origin=EVIL) is None
        server.wait_for_line("every web page")


@pytest.mark.slow
def test_an_address_that_others_can_reach_needs_consent():
    for flags in (["--host", "0.0.0.0"], ["--host", "::"], ["--host", "example.com"]):
        with serving(*flags, wait="nothing") as server:
            assert server.wait() == 2
        assert "--bind-all" in server.log
        assert "GIGASTT_ALLOW_BIND_ANY=1" in server.log
    with serving("--host", "0.0.0.0", "--bind-all") as server:
        assert server.get("/v1/models", {"Host": "192.168.1.5"}).status == 200
        server.wait_for_line("nothing asks callers who they are")
    with serving("--host", "0.0.0.0", GIGASTT_ALLOW_BIND_ANY="1") as server:
        assert server.get("/health").status == 200


# -- bodies -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_bodies_beyond_the_limit(wav):
    with serving("--body-limit-bytes", str(len(wav))) as server:
        assert server.post("/v1/transcribe", wav).status == 200
        for route in ("/v1/transcribe", "/v1/transcribe/stream"):
            assert is_error(server.post(route, wav + b"x"), 413, "payload_too_large")
            pieces = (wav[at : at + 5_000] for at in range(0, len(wav), 5_000))  # no Content-Length
            assert server.post(route, pieces, {"Transfer-Encoding": "chunked"}).status == 200
        endless = (bytes(10_000) for _ in range(100))
        answer = server.post("/v1/transcribe", endless, {"Transfer-Encoding": "chunked"})
        assert is_error(answer, 413, "payload_too_large")
        head = {"Content-Type": "multipart/form-data; boundary=b"}
        form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + 2 * wav
        assert is_error(server.post("/v1/audio/transcriptions", form, head), 413, "payload_too_large")


def test_a_refused_body_is_read_where_the_connection_stays(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(connection):
        for _ in range(3):
            for path, status in (("/v1/transcribe", 413), ("/nowhere", 404)):
                connection.request("POST", path, bytes(60_000_000))
                answer = connection.getresponse()
                assert (answer.status, json.loads(answer.read())["code"][:3]) == (
                    status,
                    {413: "pay", 404: "not"}[status],
                )


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("path", ["/v1/transcribe", "/nowhere"])
def test_a_refused_body_is_read_where_the_connection_closes_behind_it(version, path):
    """As nginx sends it: closed with data unread, a connection is reset, and the answer lost."""
    with serving("--body-limit-bytes", "1000") as server:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
                n_bytes = 20_000_000
                head = f"POST {path} HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n"
                raw.sendall(f"{head}Content-Length: {n_bytes}\r\n\r\n".encode())
                raw.sendall(bytes(n_bytes))
                assert raw.recv(1_000).partition(b" ")[2][:3] in {b"413", b"404"}


@pytest.mark.parametrize("part", [b"X: " + 70_000 * b"a", 9_000 * b"a: bcd\r\n", 40_000 * b"a:b\r\n"])
def test_heads_beyond_64_kib(server, part):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + part)
        assert raw.recv(1_000).startswith(b"HTTP/1.1 431")


def test_an_address_beyond_64_kib_and_endless_heads_take_no_memory(server):
    before = server.rss_kb()
    for start in (b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw, suppress(OSError):
            raw.sendall(start)
            for _ in range(200):
                raw.sendall(100_000 * b"a")
    assert server.rss_kb() < before + 5_000


def test_a_content_length_that_lies(server, wav):
    """Less than it promises: the connection is the client's to close, and nothing is kept for it."""
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(
            b"POST /v1/transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n" + wav
        )
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(1_000) == b""
    assert server.available() == 4


@pytest.mark.slow
def test_a_body_that_stops_coming(wav):
    with (
        serving("--idle-timeout-secs", "0.5") as server,
        socket.create_connection(("127.0.0.1", server.port)) as raw,
    ):
        raw.sendall(
            b"POST /v1/transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n" + wav
        )
        assert raw.recv(1_000).startswith(b"HTTP/1.1 408")


@pytest.mark.slow
def test_audio_that_lasts_too_long(speech):
    content = as_wav(np.tile(speech, 3))
    with serving("--max-audio-secs", "20") as server:
        assert server.post("/v1/transcribe", as_wav(speech)).status == 200
        answer = server.post("/v1/transcribe", content)
        assert is_error(answer, 400, "bad_request")
        assert "allowed are 20 s" in answer.json["message"]
        events = server.post("/v1/transcribe/stream", content).text.strip().split("\n\n")
        assert json.loads(events[-1].removeprefix("data: "))["code"] == "bad_request"
    ten_minutes = np.zeros(600 * RATE + 1, np.float32)
    with serving() as server:  # gigastt's ten minutes
        assert is_error(server.post("/v1/transcribe", as_wav(ten_minutes)), 400, "bad_request")
        assert server.post("/v1/transcribe", as_wav(ten_minutes[:-1])).status == 200


@pytest.mark.slow
def test_a_small_file_that_decodes_to_hours_is_stopped_on_the_way(server):
    from tests.support.audio_files import by_soundfile

    hours = by_soundfile(np.zeros(3 * 3600 * 8_000, np.float32), 8_000, "FLAC")
    assert len(hours) < 2_000_000
    before = server.rss_kb()
    assert is_error(server.post("/v1/transcribe", hours), 400, "bad_request")
    assert server.rss_kb() < before + 100_000


@pytest.mark.slow
def test_work_that_takes_too_long(long_wav):
    with serving("--inference-timeout-secs", "0.3", "--threads", "1", "--pool-size", "1") as server:
        assert is_error(server.post("/v1/transcribe", long_wav), 503, "inference_timeout")
        assert server.available() == 1
        events = server.post("/v1/transcribe/stream", long_wav).text.strip().split("\n\n")
        assert json.loads(events[-1].removeprefix("data: "))["code"] == "inference_timeout"
        assert eventually(lambda: server.available() == 1)


# -- how often ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_rate_limit():
    with serving("--rate-limit-per-minute", "6", "--rate-limit-burst", "3", "--metrics") as server:
        statuses = [server.get("/v1/models").status for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        answer = server.get("/v1/models")
        assert is_error(answer, 429, "rate_limit_exceeded")
        assert 1 <= int(answer.headers["retry-after"]) <= 10
        assert 0 < answer.json["retry_after_ms"] <= 10_000
        assert refused(server) == (429, "rate_limit_exceeded")
        assert {server.get(path).status for path in ("/health", "/ready", "/metrics") for _ in range(9)} == {
            200
        }
        assert server.metric("gigastt_rate_limit_rejections_total") == 4
        spoofed = {"X-Forwarded-For": "9.9.9.9", "X-Real-IP": "9.9.9.9"}
        assert server.get("/v1/models", spoofed).status == 429  # nobody vouches for it


@pytest.mark.slow
def test_behind_a_proxy_clients_are_told_apart():
    flags = ("--rate-limit-per-minute", "1", "--rate-limit-burst", "1", "--trust-proxy")
    with serving(*flags) as server:
        for address in ("9.9.9.1", "9.9.9.2"):
            for name in ("X-Forwarded-For", "X-Real-IP"):
                header = {name: address}
                expected = 200 if name == "X-Forwarded-For" else 429  # one client, whatever header names it
                assert server.get("/v1/models", header).status == expected
        assert server.get("/v1/models", {"X-Forwarded-For": "1.1.1.1, 9.9.9.1"}).status == 429
        assert server.get("/v1/models", {"X-Forwarded-For": "garbage"}).status == 200  # the proxy itself
