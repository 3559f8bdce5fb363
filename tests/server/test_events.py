"""Event streams alone: comments while nothing comes, errors as the last event, permits that come back."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import pytest

from gigastt_lab.errors import AudioError
from gigastt_lab.runtime.cancellation import check_cancelled
from gigastt_lab.server import events, messages
from gigastt_lab.server.config import ServerConfig
from gigastt_lab.server.errors import api_error
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.work import Job


class Told:
    """A source that tells these messages, raises these errors, calls these functions."""

    def __init__(self, *steps):
        self.heard_s = 1.0
        self._steps = list(steps)

    @property
    def has_ended(self):
        return not self._steps

    def next(self):
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else [step]

    def finish_now(self):
        self._steps = [{"cut": True}]

    def error(self, told):
        return messages.error(told)


async def streamed(source, *, before=None, during=None):
    """The body of a stream, and whether its permit came back; it has to whatever happens."""
    state = ServerState(ServerConfig(pool_size=1))
    state.pool.open()
    sent = []
    hangs_up = asyncio.Event()

    async def receive():
        await hangs_up.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    with ThreadPoolExecutor(1) as executor:
        permit = await state.pool.acquire(1)
        job = Job(permit, executor, queue_s=0.0, timeout_s=60.0)
        async with AsyncExitStack() as stack:
            stack.callback(job.close)
            answer = events.EventStream(state, job, source, [], stack.pop_all())
        if before:
            before(state)
        running = asyncio.create_task(answer({"type": "http"}, receive, send))
        if during:
            await during(state, running, hangs_up)
        await asyncio.wait({running})
        assert state.pool.in_use == 0
    body = b"".join(message.get("body", b"") for message in sent)
    return running, sent, body.decode()


def data(body):
    return [json.loads(line.removeprefix("data: ")) for line in body.split("\n") if line.startswith("data: ")]


def test_what_is_told_comes_in_order_and_the_body_ends():
    _, sent, body = asyncio.run(streamed(Told({"n": 1}, {"n": "два"}, "[DONE]")))
    assert body == 'data: {"n":1}\n\ndata: {"n":"два"}\n\ndata: [DONE]\n\n'
    assert [message["type"] for message in sent[:1]] == ["http.response.start"]
    assert sent[-1]["more_body"] is False


def test_comments_come_while_nothing_else_does(monkeypatch):
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.01)

    def slow():
        time.sleep(0.1)
        return [{"n": 1}]

    _, _, body = asyncio.run(streamed(Told(slow)))
    assert body.startswith(":\n\n")
    assert body.endswith('data: {"n":1}\n\n')


@pytest.mark.parametrize(
    ("error", "code"), [(AudioError("damaged"), "bad_request"), (ZeroDivisionError(), "internal_error")]
)
def test_what_fails_after_the_status_is_the_last_event(error, code):
    _, sent, body = asyncio.run(streamed(Told({"n": 1}, error, {"n": 2})))
    assert data(body) == [{"n": 1}, {"type": "error", **api_error(error).content}]
    assert data(body)[-1]["code"] == code
    assert sent[-1]["more_body"] is False


def test_a_client_that_leaves_stops_the_work():
    async def leave(state, running, hangs_up):
        del state, running
        await asyncio.sleep(0.02)
        hangs_up.set()

    running, _, body = asyncio.run(streamed(Told(forever), during=leave))
    assert (running.exception(), data(body)) == (None, [])


def test_what_is_broken_off_after_the_drain_says_so():
    async def break_off(state, running, hangs_up):
        del hangs_up
        await asyncio.sleep(0.02)
        state.stop()
        running.cancel()

    running, sent, body = asyncio.run(streamed(Told(forever), during=break_off))
    assert running.cancelled()
    assert sent[-1]["more_body"] is False
    assert [event["code"] for event in data(body)] == ["pool_closed"]


def test_a_source_learns_once_that_the_server_stops():
    _, _, body = asyncio.run(streamed(Told({"n": 1}, {"n": 2}), before=ServerState.stop))
    assert data(body) == [{"cut": True}]


def forever():
    while True:
        check_cancelled()
        time.sleep(0.001)
