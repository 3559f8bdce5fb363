"""A widget's own JavaScript in a browser, without a notebook: the test plays the kernel."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gigastt_lab.widgets import assets
from tests.support.browser import Browser

PAGE = """<!doctype html><meta charset="utf-8"><title>widget</title><link rel="icon" href="data:,">
<style>%(style)s</style>
<body><div id="out"></div>
<script>
  const listeners = new Map();
  window.traits = %(traits)s;
  window.sent = [];
  window.onSent = () => {};
  window.model = {
    get: (name) => traits[name],
    on: (name, listener) => listeners.set(listener, name),
    off: (name, listener) => listeners.delete(listener),
    send: (content, callbacks, buffers) => {
      sent.push({...content, nBytes: buffers?.[0].byteLength ?? 0});
      onSent(content);
    },
  };
  window.say = (message) => [...listeners.keys()].forEach((listener) => listener(message, []));
</script>
<script type="module">
  import made from "/widget.js";
  const widget = typeof made === "function" ? await made() : made;
  window.leave = [widget.initialize?.({model})];
  window.show = async () => {
    const el = document.createElement("div");
    document.getElementById("out").append(el);
    leave.push(await widget.render({model, el}));
  };
  await show();
  document.body.dataset.isReady = "yes";
</script>
"""


class Harness:
    """A widget in a page of its own."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def find(self, selector: str) -> Any:
        return self.browser.driver.find_element("css selector", f".gigastt {selector}")

    def all(self, selector: str) -> list[Any]:
        return self.browser.driver.find_elements("css selector", f".gigastt {selector}")

    def text(self, selector: str) -> str:
        return str(self.find(selector).text)

    def evaluate(self, script: str, *arguments: Any) -> Any:
        return self.browser.evaluate(script, *arguments)

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """What the kernel was told, of one kind."""
        return [each for each in self.evaluate("return sent") if each["type"] == kind]

    def say(self, **message: Any) -> None:
        """What the kernel tells."""
        self.evaluate("say(arguments[0])", message)

    def wait_until(self, is_so: Any, what: str) -> Any:
        return self.browser.wait_until(is_so, what)


@contextmanager
def shown(
    browser: Browser,
    scripts: tuple[str, ...],
    traits: dict[str, Any],
    headers: dict[str, str] | None = None,
    before: str = "",
) -> Iterator[Harness]:
    """A widget in a fresh page; fails in the end if the browser complained.

    Args:
        browser: Shows it.
        scripts: What the widget is made of.
        traits: What its model has.
        headers: That the page is served with.
        before: JavaScript that the module begins with: it makes the browser another one.
    """
    module = before + assets.module(*scripts)
    page = PAGE % {"style": assets.style(), "traits": json.dumps(traits)}
    with serving({"/": (page, "text/html"), "/widget.js": (module, "text/javascript")}, headers or {}) as url:
        browser.open(url)
        browser.wait_until(
            lambda: browser.evaluate("return document.body?.dataset.isReady"), "the widget's module"
        )
        yield Harness(browser)
        assert browser.complaints() == []


@contextmanager
def serving(files: dict[str, tuple[str, str]], headers: dict[str, str]) -> Iterator[str]:
    """A server of a few texts on loopback: its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text, media_type = files[self.path]
            self.send_response(200)
            for name, value in {"Content-Type": f"{media_type}; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
