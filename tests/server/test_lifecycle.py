"""From the first line of the log to the exit code: loading, signals, clients that leave, what is logged."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import threading

import pytest

from tests.support.recordings import RATE, as_pcm16
from tests.support.server_process import eventually, is_error, serving
from tests.support.websocket_client import finals, rest_of, said, tell

pytestmark = pytest.mark.slow


def test_while_the_model_loads_everybody_waits(wav, tmp_path):
    """The Hub takes the connection and never answers, so that the model never comes."""
    (tmp_path / "models").mkdir()  # else nothing is fetched into it
    with socket.create_server(("127.0.0.1", 0)) as hub:
        endpoint = f"http://127.0.0.1:{hub.getsockname()[1]}"
        with serving(
            "--model-dir", str(tmp_path / "models"), "--model", "gigaam-v3-e2e-rnnt",
            "--pool-checkout-timeout-secs", "0.3", wait="listening", HF_ENDPOINT=endpoint, HF_HUB_OFFLINE="0",
        ) as server:  # fmt: skip
            answer = server.get("/ready")
            assert (answer.status, answer.json["reason"]) == (503, "loading")
            assert server.get("/health").json["status"] == "ok"
            assert server.get("/v1/models").json["encoder"] == "loading"
            assert is_error(server.post("/v1/transcribe", wav), 503, "pool_saturated")
            with server.socket() as stream:
                (error,), code, _ = rest_of(stream)
            assert (error["code"], code) == ("pool_saturated", 1013)
            server.signal(signal.SIGTERM)
            assert server.wait() == 0


def test_a_model_that_cannot_be_loaded_ends_the_process(tmp_path):
    with serving("--model-dir", str(tmp_path), "--model", "demo", wait="nothing") as server:
        assert server.wait() == 3
    assert "ERROR" in server.log
    assert "Traceback" not in server.log


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving("--port", str(port), wait="nothing") as server:
            assert server.wait() == 1
    assert f"port {port}" in server.log
    assert "Traceback" not in server.log


def test_sigterm_flushes_streams_and_refuses_newcomers(heard, speech):
    pcm16 = as_pcm16(speech[: 5 * RATE])
    session = heard.stream()
    expected = [r.text for r in (*session.accept(pcm16), *session.finish()) if r.kind == "final"]
    with serving("--pool-size", "2", "--shutdown-drain-secs", "30") as server:
        with server.socket() as stream, server.socket() as waiting_for_no_one:
            said(stream)
            said(waiting_for_no_one)
            with server.socket() as third:  # waits for a permit
                tell(stream, type="configure", sample_rate=RATE)
                stream.send(pcm16)  # worked on a second at a time
                assert said(stream)["type"] == "partial"
                server.signal(signal.SIGTERM)
                messages, code, _ = rest_of(stream)
                assert code == 1001
                assert messages[-1]["type"] == "final"
                assert [m["text"] for m in finals(messages) if m["text"]] == expected
                (empty,), code, _ = rest_of(waiting_for_no_one)
                assert (empty["type"], empty["text"], code) == ("final", "", 1001)
                (error,), code, _ = rest_of(third)
                assert (error["code"], code) == ("pool_closed", 1001)
        assert server.wait() == 0
    assert "Traceback" not in server.log


def test_sigterm_lets_a_file_finish(long_wav, wav):
    with serving("--pool-size", "1", "--shutdown-drain-secs", "60") as server:
        answers = []
        client = threading.Thread(target=lambda: answers.append(server.post("/v1/transcribe", long_wav)))
        client.start()
        assert eventually(lambda: server.available() == 0)
        server.signal(signal.SIGTERM)
        server.wait_for_line("shutting down: 1 at work")
        answer = server.get("/ready")
        assert (answer.status, answer.json["reason"]) == (503, "shutting_down")
        assert is_error(server.post("/v1/transcribe", wav), 503, "pool_closed")
        client.join()
        assert answers[0].status == 200
        assert len(answers[0].json["words"]) > 300
        assert server.wait() == 0


def test_after_the_drain_work_is_broken_off(long_wav):
    with serving("--pool-size", "1", "--shutdown-drain-secs", "1", "--threads", "1") as server, \
         socket.create_connection(("127.0.0.1", server.port)) as raw:  # fmt: skip
        with server.socket() as stuck:
            said(stuck)
            head = (
                f"POST /v1/transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(long_wav)}\r\n\r\n"
            )
            raw.sendall(head.encode() + long_wav[: len(long_wav) // 2])  # the rest never comes
            server.signal(signal.SIGTERM)
            assert rest_of(stuck)[1] == 1001
        assert server.wait() == 0


def test_a_file_that_is_broken_off_is_told_why(long_wav):
    with serving("--pool-size", "1", "--shutdown-drain-secs", "1", "--threads", "1") as server:
        answers = []
        clients = [
            threading.Thread(target=lambda: answers.append(server.post("/v1/transcribe", long_wav)))
            for _ in range(2)  # one works, one waits
        ]
        for client in clients:
            client.start()
        assert eventually(lambda: server.available() == 0)
        server.signal(signal.SIGTERM)
        for client in clients:
            client.join()
        assert server.wait() == 0
        for answer in answers:
            assert answer.status == 200 or is_error(answer, 503, "pool_closed")
        assert "Traceback" not in server.log


def test_whoever_hangs_or_reads_nothing_does_not_hold_the_process(long_wav):
    """Handshakes that cannot be read, one that never ends, and a reader of events that reads nothing."""
    handshake = b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    events = "POST /v1/transcribe/stream HTTP/1.1\r\nHost: localhost\r\n"
    unreadable = [b"Cookie: " + 9_000 * b"a" + b"\r\n\r\n", b"Content-Length: 5\r\n\r\n12345"]
    with serving("--shutdown-drain-secs", "1") as server, contextlib.ExitStack() as stack:
        for start in (
            *(handshake + key + rest for rest in unreadable),
            handshake + key,
            f"{events}Content-Length: {len(long_wav)}\r\n\r\n".encode() + long_wav,
        ):
            raw = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
            raw.sendall(start)
            if start.endswith(tuple(unreadable)):
                assert raw.recv(100).startswith(b"HTTP/1.1 400")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    assert "Traceback" not in server.log


def test_two_signals_end_it_at_once(long_wav):
    with serving("--pool-size", "1", "--shutdown-drain-secs", "600") as server:
        client = threading.Thread(target=lambda: abandoned(server, long_wav))
        client.start()
        assert eventually(lambda: server.available() == 0)
        server.signal(signal.SIGINT)
        server.wait_for_line("shutting down: 1 at work")
        server.signal(signal.SIGINT)
        assert server.wait() == 0
        client.join()


def abandoned(server, body):
    with contextlib.suppress(OSError, http.client.HTTPException):
        server.post("/v1/transcribe", body)


def test_the_work_of_a_client_that_goes_away_is_called_off(long_wav):
    with serving("--pool-size", "1", "--metrics") as server:
        for route in ("/v1/transcribe", "/v1/transcribe/stream"):
            with socket.create_connection(("127.0.0.1", server.port)) as raw:
                head = f"POST {route} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(long_wav)}\r\n\r\n"
                raw.sendall(head.encode() + long_wav)
                assert eventually(lambda: server.available() == 0)
            assert eventually(lambda: server.available() == 1)
            server.wait_for_line(f"POST {route}.*the client went away|the client went away after")
        # Of two times nine minutes; what was recognised of the event stream is counted.
        assert server.metric("gigastt_audio_seconds_total") < 540


def test_a_client_that_leaves_the_queue_leaves_its_place(wav):
    with serving("--pool-size", "1", "--metrics") as server, server.socket() as holder:
        said(holder)
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            head = f"POST /v1/transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(wav)}\r\n\r\n"
            raw.sendall(head.encode() + wav)
            assert eventually(lambda: server.metric("gigastt_pool_waiters") == 1)
        assert eventually(lambda: server.metric("gigastt_pool_waiters") == 0)


def test_sighup_reads_the_limits_again(tmp_path, wav):
    file = tmp_path / "server.toml"
    file.write_text("body_limit_bytes = 10\nrate_limit_per_minute = 0\n", encoding="utf-8")
    with serving("--config", str(file), "--max-audio-secs", "100") as server:
        assert is_error(server.post("/v1/transcribe", wav), 413, "payload_too_large")
        file.write_text(
            "body_limit_bytes = 99_000_000\nmax_audio_secs = 1.0\nport = 1\nrate_limit_per_minute = 1\n"
            "rate_limit_burst = 2\n",
            encoding="utf-8",
        )
        server.signal(signal.SIGHUP)
        server.wait_for_line("limits read again")
        assert server.post("/v1/transcribe", wav).status == 200  # the flag goes before the file
        assert server.get("/v1/models").status == 200
        assert is_error(server.get("/v1/models"), 429, "rate_limit_exceeded")
        file.write_text("body_limit_bytes = 'many'", encoding="utf-8")
        server.signal(signal.SIGHUP)
        server.wait_for_line("the limits stay as they were: .*body_limit_bytes is 'many'")


def test_the_log_is_json_where_asked_for_and_holds_no_transcript(wav, heard):
    text = heard.transcribe(wav).text
    for level in ("info", "debug"):
        with serving("--log-format", "json", "--log-level", level) as server:
            server.post("/v1/transcribe", wav, {"X-Request-Id": "mine"})
            with server.socket() as socket_:
                said(socket_)
                tell(socket_, type="configure", sample_rate=RATE)
                socket_.send(wav[44:])
                tell(socket_, type="stop")
                rest_of(socket_)
        entries = [json.loads(line) for line in server.lines]
        assert all({"time", "level", "logger", "message", "request_id"} <= set(entry) for entry in entries)
        assert [entry for entry in entries if entry["request_id"] == "mine"]
        heard_in_log = any(text in entry["message"] for entry in entries)
        assert heard_in_log == (level == "debug")


def test_metrics(wav, speech):
    with serving("--metrics") as server:
        server.post("/v1/transcribe", wav)
        server.get("/somewhere/else")
        server.request("PURGE", "/v1/transcribe")
        with server.socket() as stream:
            said(stream)
            assert server.metric("gigastt_ws_active_connections") == 1
            assert server.metric("gigastt_pool_available") == 3
            tell(stream, type="configure", sample_rate=RATE)
            stream.send(as_pcm16(speech[: 3 * RATE]))
            tell(stream, type="stop")
            rest_of(stream)
        eventually(lambda: server.metric("gigastt_ws_active_connections") == 0)
        requests = "gigastt_http_requests_total"
        assert server.metric(f'{requests}{{method="POST",path="/v1/transcribe",status="200"}}') == 1
        assert server.metric(f'{requests}{{method="GET",path="other",status="404"}}') == 1
        assert server.metric(f'{requests}{{method="other",path="/v1/transcribe",status="405"}}') == 1
        assert server.metric(f'{requests}{{method="GET",path="/v1/ws",status="101"}}') == 1
        assert server.metric("gigastt_inference_duration_seconds_count") >= 4
        assert server.metric("gigastt_pool_checkout_duration_seconds_count") == 2
        assert server.metric("gigastt_pool_waiters") == server.metric("gigastt_pool_timeouts_total") == 0
        assert server.metric("gigastt_audio_seconds_total") == pytest.approx(3 + len(wav[44:]) / 32_000)
        assert server.metric("gigastt_real_time_factor_count") == 2
        answer = server.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    with serving() as server:
        assert is_error(server.get("/metrics"), 404, "metrics_disabled")


def test_both_ways_to_start_are_one_program(capsys):
    from gigastt_lab import __main__, serve

    helps = []
    for main, arguments in ((__main__.main, ["serve", "--help"]), (serve.main, ["--help"])):
        with pytest.raises(SystemExit):
            main(arguments)
        helps.append(capsys.readouterr().out)
    assert helps[0] == helps[1]
    assert "--shutdown-drain-secs" in helps[0]
