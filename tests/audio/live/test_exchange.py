"""A stream that is fed and a decoder that reads, which take turns."""

from __future__ import annotations

import threading

import pytest

from gigastt_lab.audio.live.exchange import ClosedError, Exchange
from gigastt_lab.errors import WorkCancelledError
from gigastt_lab.runtime.cancellation import Cancellation
from tests.support.server_process import eventually


def n_decoders():
    return sum(each.name == "live decoder" for each in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    eventually(lambda: n_decoders() == 0)


def lines(exchange):
    """A decoder that gives whole lines."""
    line = b""
    while data := exchange.read(3):
        line += data
        while b"\n" in line:
            one, _, line = line.partition(b"\n")
            exchange.put(one)
    exchange.put(line)


def test_each_piece_of_input_gives_what_it_completes():
    exchange = Exchange(lines)
    assert list(exchange.send(b"one\ntwo\nth")) == [b"one", b"two"]
    assert list(exchange.send(b"")) == []
    assert list(exchange.send(b"ree\n")) == [b"three"]
    assert not exchange.has_ended
    assert list(exchange.send(b"rest", is_last=True)) == [b"rest"]
    assert exchange.has_ended
    assert list(exchange.send(b"more")) == []


def test_a_decoder_runs_only_while_it_is_waited_for():
    made = []

    def decode(exchange):
        for number in range(3):
            made.append(number)
            exchange.put(number)

    exchange = Exchange(decode)
    assert made == []
    items = exchange.send(b"x")
    for number in range(3):
        assert next(items) == number
        assert made == list(range(number + 1))  # no further: nothing piles up
    assert next(items, None) is None
    exchange.close()


def test_what_a_decoder_raises_is_raised_here_once():
    def decode(exchange):
        exchange.put(exchange.read(1))
        raise ValueError("damaged")

    exchange = Exchange(decode)
    items = exchange.send(b"x")
    assert next(items) == b"x"
    with pytest.raises(ValueError, match="damaged"):
        next(items)
    assert exchange.has_ended
    assert list(exchange.send(b"y")) == []


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_close_ends_a_decoder_wherever_it_is(steps):
    """Not begun, in `put`, and in `read`."""
    ended = []

    def decode(exchange):
        try:
            lines(exchange)
        except ClosedError:
            ended.append(True)
            raise

    exchange = Exchange(decode)
    items = exchange.send(b"one\n")
    assert [next(items, None) for _ in range(steps)] == [b"one", None][:steps]
    exchange.close()
    exchange.close()
    eventually(lambda: n_decoders() == 0)
    assert ended == [True] * bool(steps)
    with pytest.raises(ClosedError):
        list(exchange.send(b"two\n"))


def test_work_that_is_called_off_does_not_wait_for_a_decoder_that_hangs():
    may_go_on = threading.Event()
    exchange = Exchange(lambda _: may_go_on.wait())
    cancellation = Cancellation()
    threading.Timer(0.05, cancellation.cancel).start()
    with cancellation.scope(), pytest.raises(WorkCancelledError):
        list(exchange.send(b"x"))
    exchange.close()
    may_go_on.set()
