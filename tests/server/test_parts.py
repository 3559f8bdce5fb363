"""Parts of the server alone: permits, work in threads, rate limits, callers, the inbox."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigastt_lab.errors import WorkCancelledError
from gigastt_lab.runtime.cancellation import check_cancelled
from gigastt_lab.server.config import ServerConfig
from gigastt_lab.server.errors import (
    INFERENCE_TIMEOUT,
    POOL_CLOSED,
    POOL_SATURATED,
    ApiError,
)
from gigastt_lab.server.inbox import GONE, IDLE, Audio, Inbox, Text
from gigastt_lab.server.origins import Callers, host_of
from gigastt_lab.server.pool import Pool
from gigastt_lab.server.rate_limit import RateLimiter, client_address
from gigastt_lab.server.work import ClientGoneError, Job, while_connected

# -- permits ------------------------------------------------------------------------------------------------


def open_pool(size):
    pool = Pool(size)
    pool.open()
    return pool


async def pool_order():
    pool = open_pool(1)
    first = await pool.acquire(1)
    got = []

    async def wait(number):
        with await pool.acquire(60):
            got.append(number)

    waiting = []
    for number in range(5):
        waiting.append(asyncio.create_task(wait(number)))
        await asyncio.sleep(0)
    waiting[2].cancel()
    assert (pool.available, pool.waiters, pool.in_use) == (0, 5, 1)
    first.release()
    first.release()  # once is enough
    await asyncio.wait(waiting)
    assert got == [0, 1, 3, 4]
    assert (pool.available, pool.waiters, pool.in_use) == (1, 0, 0)


def test_permits_go_first_come_first_served():
    asyncio.run(pool_order())


def test_nobody_gets_a_permit_before_the_pool_is_open_or_after_it_is_closed():
    async def scenario():
        pool = Pool(2)
        early = asyncio.create_task(pool.acquire(60))
        await asyncio.sleep(0)
        assert not early.done()
        pool.open()
        permit = await early
        other = await pool.acquire(60)
        late = asyncio.create_task(pool.acquire(60))
        await asyncio.sleep(0)
        pool.close()
        for refused in (late, pool.acquire(60)):
            with pytest.raises(ApiError) as error:
                await refused
            assert error.value.kind is POOL_CLOSED
        assert pool.in_use == 2
        permit.release()
        other.release()
        assert pool.in_use == 0

    asyncio.run(scenario())


def test_a_wait_in_vain_says_when_to_come_again():
    async def scenario():
        pool = open_pool(1)
        with await pool.acquire(1):
            with pytest.raises(ApiError) as error:
                await pool.acquire(0.01)
            assert error.value.kind is POOL_SATURATED
            assert error.value.all_headers == {"Retry-After": "1"}
            assert pool.waiters == 0
        assert pool.available == 1

    asyncio.run(scenario())


@given(st.lists(st.sampled_from(["ask", "leave", "return", "tick"]), max_size=60), st.integers(1, 3))
def test_permits_are_neither_lost_nor_made(steps, size):
    async def scenario():
        pool = open_pool(size)
        asking, held = [], []
        for step in steps:
            if step == "ask":
                asking.append(asyncio.create_task(pool.acquire(60)))
            elif step == "leave" and asking:
                asking.pop(len(asking) // 2).cancel()
            elif step == "return" and held:
                held.pop().release()
            await asyncio.sleep(0)
            held += [task.result() for task in asking if task.done()]
            asking = [task for task in asking if not task.done()]
            assert len(held) <= size
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        for permit in held:
            permit.release()
        assert (pool.available, pool.waiters) == (size, 0)

    asyncio.run(scenario())


# -- work ---------------------------------------------------------------------------------------------------


def job_of(pool, executor, permit, timeout_s=60.0):
    del pool
    return Job(permit, executor, queue_s=0.0, timeout_s=timeout_s)


def until_cancelled(started=None, stopped=None):
    if started is not None:
        started.set()
    try:
        while True:
            check_cancelled()
            time.sleep(0.001)
    finally:
        if stopped is not None:
            stopped.set()


def test_work_gives_control_back_when_it_has_stopped():
    async def scenario():
        pool, stopped, started = open_pool(1), threading.Event(), threading.Event()
        with ThreadPoolExecutor(1) as executor:
            job = job_of(pool, executor, await pool.acquire(1))
            work = asyncio.create_task(job.step(lambda: until_cancelled(started, stopped)))
            await asyncio.to_thread(started.wait)
            for _ in range(3):  # however often it is told
                work.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await work
            assert stopped.is_set()

    asyncio.run(scenario())


def test_work_that_takes_too_long_is_called_off():
    async def scenario():
        pool, stopped = open_pool(1), threading.Event()
        with ThreadPoolExecutor(1) as executor:
            job = job_of(pool, executor, await pool.acquire(1), timeout_s=0.05)
            with pytest.raises(ApiError) as error:
                await job.step(lambda: until_cancelled(stopped=stopped))
            assert error.value.kind is INFERENCE_TIMEOUT
            assert stopped.is_set()
            assert job.work_s >= 0.05

    asyncio.run(scenario())


def test_errors_of_work_come_through():
    async def scenario():
        with ThreadPoolExecutor(1) as executor:
            pool = open_pool(1)
            job = job_of(pool, executor, await pool.acquire(1))
            assert await job.step(lambda: 7) == 7
            with pytest.raises(ZeroDivisionError):
                await job.step(lambda: 1 // 0)
            job.close()
            assert pool.available == 1

    asyncio.run(scenario())


def test_a_client_that_hangs_up_ends_what_is_done_for_it():
    async def scenario():
        hangs_up = asyncio.Event()

        async def receive():
            await hangs_up.wait()
            return {"type": "http.disconnect"}

        async def work():
            async with while_connected(receive):
                hangs_up.set()
                await asyncio.sleep(60)

        with pytest.raises(ClientGoneError):
            await work()
        async with while_connected(asyncio.Event().wait):  # and one that stays does not
            await asyncio.sleep(0)
        stays = asyncio.create_task(cancelled_from_outside())
        await asyncio.sleep(0)
        stays.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stays

    async def cancelled_from_outside():
        async with while_connected(asyncio.Event().wait):
            await asyncio.sleep(60)

    asyncio.run(scenario())


# -- how often, and who -------------------------------------------------------------------------------------


def test_a_bucket_holds_the_burst_and_refills():
    now = [0.0]
    limiter = RateLimiter(30, 3, clock=lambda: now[0])
    assert [limiter.wait_s("a") for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(2.0)]
    assert limiter.wait_s("b") == 0.0
    now[0] = 1.0
    assert limiter.wait_s("a") == pytest.approx(1.0)
    now[0] = 2.0
    assert limiter.wait_s("a") == 0.0
    now[0] = 1_000.0
    assert [limiter.wait_s("a") > 0 for _ in range(4)] == [False, False, False, True]
    assert RateLimiter(0, 0).wait_s("a") == 0.0


def test_buckets_do_not_grow_without_end(monkeypatch):
    monkeypatch.setattr("gigastt_lab.server.rate_limit._MAX_CLIENTS", 10)
    limiter = RateLimiter(1, 1)
    for number in range(1_000):
        limiter.wait_s(str(number))
    assert len(limiter._buckets) == 10


@pytest.mark.parametrize(
    ("peer", "forwarded", "real", "trusts", "expected"),
    [
        ("127.0.0.1", "9.9.9.9", None, False, "127.0.0.1"),
        ("127.0.0.1", "9.9.9.9", None, True, "9.9.9.9"),
        ("10.1.2.3", "9.9.9.9", None, True, "9.9.9.9"),
        ("8.8.8.8", "9.9.9.9", None, True, "8.8.8.8"),
        ("127.0.0.1", "1.1.1.1, 9.9.9.9", None, True, "9.9.9.9"),
        ("127.0.0.1", "1.1.1.1, 9.9.9.9, 192.168.0.1", None, True, "9.9.9.9"),
        ("127.0.0.1", "10.0.0.9", None, True, "10.0.0.9"),
        ("127.0.0.1", "nonsense", "9.9.9.9", True, "9.9.9.9"),
        ("127.0.0.1", None, " 9.9.9.9 ", True, "9.9.9.9"),
        ("127.0.0.1", None, "nonsense", True, "127.0.0.1"),
        ("::1", "2001:db8::1, 2a00::7", None, True, "2a00::7"),
    ],
)
def test_whose_request_it_is(peer, forwarded, real, trusts, expected):
    assert client_address(peer, forwarded, real, trusts_proxy=trusts) == expected


def test_hosts_are_checked_on_loopback_only():
    assert Callers.of(ServerConfig()).hosts == frozenset()
    assert Callers.of(ServerConfig(host="0.0.0.0", bind_all=True)).hosts is None
    assert Callers.of(ServerConfig(cors_allow_any=True)).hosts is None
    named = Callers.of(ServerConfig(allow_origin=("https://A.example:1/",), allow_host=("b.example:2",)))
    assert named.hosts == {"a.example", "b.example"}
    assert named.origins == {"https://a.example:1"}


@given(st.text(max_size=30))
def test_no_header_breaks_the_check_of_callers(text):
    callers = Callers.of(ServerConfig())
    assert isinstance(callers.allows_origins([text]), bool)
    assert isinstance(callers.allows_hosts([text]), bool)
    assert isinstance(host_of(text), str)


# -- the inbox ----------------------------------------------------------------------------------------------


def frames(*messages):
    """A socket that says these, and then nothing."""
    waiting = [{"type": "websocket.receive", **message} for message in messages]
    taken = []

    async def receive():
        if not waiting:
            await asyncio.Event().wait()
        taken.append(waiting[0])
        return waiting.pop(0)

    return receive, taken


def test_no_more_is_read_than_five_seconds():
    async def scenario():
        second = bytes(96_000)
        receive, taken = frames(*[{"bytes": second}] * 20, {"text": "stop"})
        inbox = Inbox(receive)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(taken) == 5
        n_bytes, texts = 0, []
        while not texts:
            message = await inbox.next()
            if isinstance(message, Audio):
                assert len(message.data) <= len(second)
                n_bytes += len(message.data)
                for _ in range(50):
                    await asyncio.sleep(0)
                n_read = sum(len(message.get("bytes", b"")) for message in taken)
                assert n_read - n_bytes <= 5 * len(second)  # what waits
            else:
                texts.append(message)
        assert (n_bytes, texts) == (20 * len(second), [Text("stop")])
        await inbox.cut()

    asyncio.run(scenario())


def test_a_long_frame_is_given_a_second_at_a_time_and_in_order():
    async def scenario():
        data = bytes(range(256)) * 1_500  # four seconds
        receive, _ = frames({"bytes": b"x"}, {"bytes": data}, {"text": "t"}, {"bytes": b"y"})
        inbox = Inbox(receive)
        await asyncio.sleep(0.01)
        found = [await inbox.next() for _ in range(7)]
        assert [len(each.data) for each in found[:5]] == [96_000] * 4 + [1]
        assert b"".join(each.data for each in found[:5]) == b"x" + data
        assert found[5:] == [Text("t"), Audio(b"y")]
        await inbox.cut()

    asyncio.run(scenario())


def test_silence_ends_it_after_what_was_said():
    async def scenario():
        receive, _ = frames({"bytes": b"ab"}, {"text": "x"}, {"bytes": b"c"}, {"bytes": b"d"})
        inbox = Inbox(receive)
        await asyncio.sleep(0.05)  # silence has no limit before a session has begun
        inbox.limit_silence(0.02)
        await asyncio.sleep(0.1)
        found = [await inbox.next() for _ in range(5)]
        assert found == [Audio(b"ab"), Text("x"), Audio(b"cd"), IDLE, IDLE]
        await inbox.cut()

    asyncio.run(scenario())


def test_a_client_that_hung_up_comes_first():
    async def scenario():
        receive, _ = frames({"bytes": b"ab"}, {"text": "x"}, {"type": "websocket.disconnect"})
        inbox = Inbox(receive)
        await inbox.is_gone()
        assert await inbox.next() is GONE
        await inbox.cut()

    asyncio.run(scenario())


def test_called_off_work_says_so():
    from gigastt_lab.runtime.cancellation import Cancellation

    cancellation = Cancellation()
    with cancellation.scope():
        check_cancelled()
        cancellation.cancel()
        with pytest.raises(WorkCancelledError):
            check_cancelled()
    check_cancelled()  # outside of it, nobody minds
