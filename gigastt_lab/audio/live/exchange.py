"""Exchange between a stream that is fed and a decoder that reads: two threads that take turns.

FFmpeg's libraries ask for bytes and wait; a live stream has bytes when they come. So the decoder runs in a
thread of its own, and only while it is waited for: it is a coroutine in all but name. What one piece of input
gives is therefore the same each time, no matter how fast either is, and nothing piles up between them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Generic, Literal, TypeVar

from gigastt_lab.runtime.cancellation import check_cancelled

Item = TypeVar("Item")

_POLL_S = 0.1  # between two looks at whether the work was called off


class ClosedError(Exception):
    """The stream was given up; its decoder has to end."""


class Exchange(Generic[Item]):
    """Exchange of bytes for items, with a decoder in a thread that runs only within `send`."""

    def __init__(self, decode: Callable[[Exchange[Item]], None]) -> None:
        """Prepare; the thread starts with the first `send`.

        Args:
            decode: Decoder: calls `read` and `put` until the bytes end. What it raises, `send` raises.
        """
        self._decode = decode
        self._turn: Literal["caller", "decoder"] = "caller"
        self._changed = threading.Condition()
        self._data = b""
        self._at = 0
        self._is_last = False
        self._item: Item | None = None
        self._is_closed = False
        self._has_ended = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    # -- the caller's side

    def send(self, data: bytes, *, is_last: bool = False) -> Iterator[Item]:
        """Give the decoder bytes, and yield what it makes of them, until it needs more or has ended.

        Whoever does not take all of it has to `close`.

        Raises:
            ClosedError: the stream was given up.
            WorkCancelledError: the caller's work was called off.
            Exception: what the decoder raised.
        """
        if self._is_closed:
            raise ClosedError
        self._data, self._at, self._is_last = self._data[self._at :] + data, 0, is_last
        while not self._has_ended:
            self._hand_over()
            item, self._item = self._item, None
            if item is None:
                break
            yield item
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    @property
    def has_ended(self) -> bool:
        """True once the decoder has returned or failed: it reads no more."""
        return self._has_ended

    def close(self) -> None:
        """End the decoder, wherever it is; returns at once."""
        with self._changed:
            self._is_closed = True
            self._turn = "decoder"
            self._changed.notify_all()

    def _hand_over(self) -> None:
        """Let the decoder run until it is the caller's turn again."""
        with self._changed:
            self._turn = "decoder"
            if self._thread is None:
                # A daemon: one that hangs inside a library shall not keep the program from ending.
                self._thread = threading.Thread(target=self._run, name="live decoder", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            while not self._changed.wait_for(lambda: self._turn == "caller", timeout=_POLL_S):
                check_cancelled()

    # -- the decoder's side

    @property
    def is_dry(self) -> bool:
        """True if `read` would wait."""
        return self._at >= len(self._data) and not self._is_last

    def read(self, n_bytes: int) -> bytes:
        """At least one byte and at most so many, as soon as there are some; none at the stream's end.

        Raises:
            ClosedError: the stream was given up.
        """
        while self.is_dry:
            self._wait()
        data = self._data[self._at : self._at + n_bytes]
        self._at += len(data)
        return data

    def put(self, item: Item) -> None:
        """Hand an item to the caller, and wait until it wants more.

        Raises:
            ClosedError: the stream was given up.
        """
        self._item = item
        self._wait()

    def _wait(self) -> None:
        with self._changed:
            if not self._is_closed:
                self._turn = "caller"
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._turn == "decoder")
            if self._is_closed:
                raise ClosedError

    def _run(self) -> None:
        try:
            self._decode(self)
        except ClosedError:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised again, in the caller's thread
            self._error = error
        finally:
            with self._changed:
                self._has_ended = True
                self._turn = "caller"
                self._changed.notify_all()
