"""Cross-origin calls of an allowed page: preflights, headers, and a real browser."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager

import pytest

from tests.support.browser import chromium
from tests.support.server_process import is_error, serving

LOCAL = "http://localhost:3000"
# Of OpenAI's client for JavaScript, in a browser.
STAINLESS = ("authorization", "content-type", "x-stainless-arch", "x-stainless-lang", "x-stainless-os",
             "x-stainless-package-version", "x-stainless-retry-count", "x-stainless-runtime",
             "x-stainless-runtime-version", "x-stainless-timeout")  # fmt: skip


def preflight(server, asked="", *, method="POST", path="/v1/transcribe", **headers):
    named = {"Access-Control-Request-Headers": asked} if asked else {}
    given = {"Origin": LOCAL, "Access-Control-Request-Method": method} | named | headers
    return server.request("OPTIONS", path, headers=given)


def names(value):
    return {name.strip().lower() for name in value.split(",")}


def test_a_preflight_names_what_was_asked_for_and_authorization(server):
    answer = preflight(server, ",".join(STAINLESS), path="/v1/audio/transcriptions")
    assert (answer.status, answer.body) == (204, b"")
    allowed = answer.headers["access-control-allow-headers"]
    assert names(allowed) >= {*STAINLESS, "x-request-id"}
    assert "*" not in names(allowed)  # it would not cover Authorization
    assert names(answer.headers["access-control-allow-methods"]) == {"get", "post", "delete", "options"}
    assert answer.headers["access-control-allow-origin"] == LOCAL
    assert int(answer.headers["access-control-max-age"]) == 7_200
    assert names(answer.headers["vary"]) == {"origin", "access-control-request-headers"}
    assert "authorization" in names(preflight(server).headers["access-control-allow-headers"])


@pytest.mark.parametrize(
    "asked",
    ["x y", "x:y", "ü", "x\t", '"x"', "a(b)", ",,, ,", 65 * "x", ", ".join(f"x-{i}" for i in range(500))],
)
def test_what_is_no_name_is_not_named(server, asked):
    answer = preflight(server, asked.encode("latin-1") if asked.isascii() else asked.encode())
    allowed = names(answer.headers["access-control-allow-headers"])
    assert answer.status == 204
    assert allowed - {"authorization", "content-type", "x-request-id", "x"} <= {f"x-{i}" for i in range(64)}


def test_an_answer_lets_an_allowed_page_read_its_headers(server):
    answer = server.get("/v1/models", {"Origin": LOCAL})
    exposed = names(answer.headers["access-control-expose-headers"])
    assert exposed == {"x-request-id", "retry-after", "server-timing", "x-audio-warnings", "location"}
    assert "access-control-max-age" not in answer.headers
    assert "access-control-allow-origin" not in server.get("/v1/models").headers


def test_a_private_network_is_let_in_where_the_browser_asks(server):
    asking = {"Access-Control-Request-Private-Network": "true"}
    assert preflight(server, **asking).headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-private-network" not in preflight(server).headers
    evil = preflight(server, **asking, Origin="https://evil.example.com")
    assert is_error(evil, 403, "origin_denied")
    assert not [name for name in evil.headers if name.startswith("access-control")]


@contextmanager
def site(folder):
    """An empty page on a port of its own."""
    (folder / "index.html").write_text("<!doctype html><title>app</title>", encoding="utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as pages:
        thread = threading.Thread(target=pages.serve_forever)
        thread.start()
        try:
            yield pages.server_port
        finally:
            pages.shutdown()
            thread.join()


CALL = """
    const [url, method, headers, done] = arguments;
    fetch(url, {method, headers, body: method === "POST" ? "no audio" : undefined})
      .then(async (answer) => [answer.status, (await answer.json()).code, answer.headers.get("x-request-id")])
      .then(done)
      .catch((error) => done([0, String(error), null]));
"""


@pytest.mark.slow
def test_a_page_of_another_origin_calls_with_a_key_and_openais_headers(tmp_path):
    """As OpenAI's client for JavaScript does in a page; the name stands for another machine's."""
    key = "0123456789abcdef-page"
    file = tmp_path / "keys"
    file.write_text(key, encoding="ascii")
    headers = {name: "1" for name in STAINLESS if name.startswith("x-")}
    headers |= {"Authorization": f"Bearer {key}", "X-Request-Id": "from-the-page"}
    flags = ["--host-resolver-rules=MAP *.test 127.0.0.1"]
    with (
        site(tmp_path) as port,
        serving("--api-key-file", str(file), "--allow-origin", f"http://app.test:{port}") as server,
        chromium(tmp_path, tmp_path, flags) as browser,
    ):

        def call(method, path, given):
            return browser.driver.execute_async_script(CALL, f"{server.url}{path}", method, given)

        browser.open(f"http://app.test:{port}/index.html")
        assert call("GET", "/v1/models", headers) == [200, None, "from-the-page"]
        assert call("POST", "/v1/audio/transcriptions", headers)[:2] == [400, "bad_request"]
        assert call("DELETE", "/v1/models", headers)[:2] == [405, "method_not_allowed"]
        assert call("GET", "/v1/models", {})[:2] == [401, "unauthorized"]  # and the page may read it
        browser.open(f"http://evil.test:{port}/index.html")
        assert call("GET", "/v1/models", headers)[0] == 0
