"""Inbox of a WebSocket: what its client said and was not worked on yet, in bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gigastt_lab.audio.live.detection import begun
from gigastt_lab.server.messages import DEFAULT_RATE

BACKLOG_S: Final = 5.0  # seconds of audio that may wait; then no more is read until some is worked on
_PIECE_S: Final = 1.0  # of audio that are worked on before results are sent
_MAX_MESSAGES: Final = 1_000  # likewise of messages
_MAX_EMPTY_FRAMES: Final = 1_000  # source: gigastt 2.0, `ws.rs`


@dataclass(frozen=True)
class Audio:
    """Bytes of audio, raw or of a container, cut anywhere."""

    data: bytes


@dataclass(frozen=True)
class Text:
    """A text message."""

    text: str


@dataclass(frozen=True)
class Ended:
    """End of the messages.

    Attributes:
        why: Reason: the client hung up, was silent too long, sent too many empty frames, or we read no more.
    """

    why: str


GONE: Final = Ended("gone")
IDLE: Final = Ended("idle")
EMPTY: Final = Ended("empty")
CUT: Final = Ended("cut")


class Inbox:
    """Inbox of one socket: reads it in a task of its own, and holds what was read until it is asked for.

    Attributes:
        bytes_per_s: Bytes of a second of the audio, which say how much may wait.
    """

    def __init__(self, receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        """Begin to read.

        Args:
            receive: `receive` of an accepted WebSocket.
        """
        self.bytes_per_s = 2.0 * DEFAULT_RATE
        self._receive = receive
        self._idle_timeout_s: float | None = None
        self._silence: asyncio.Timeout | None = None
        self._waiting: deque[Audio | Text] = deque()
        self._n_bytes = 0
        self._n_empty = 0
        self._end: Ended | None = None
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    def limit_silence(self, idle_timeout_s: float) -> None:
        """Limit the silence, from now on, while anything more would be taken."""
        self._idle_timeout_s = idle_timeout_s
        if self._silence is not None:
            self._silence.reschedule(asyncio.get_running_loop().time() + idle_timeout_s)

    async def next(self) -> Audio | Text | Ended:
        """The oldest message; of audio that waits, up to a second. `Ended` comes last, again and again.

        A client that went away is told at once: whatever it said before, nobody would hear the answer.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting or self._end)
            if self._end is GONE or not self._waiting:
                assert self._end is not None
                return self._end
            first = self._waiting.popleft()
            if isinstance(first, Audio):
                first = self._with_following(first)
            self._changed.notify_all()
            return first

    def _with_following(self, first: Audio) -> Audio:
        """A second of audio, or what there is before the next text; the rest of a long frame waits on."""
        size = round(self.bytes_per_s * _PIECE_S)
        data = bytearray(first.data)
        while len(data) < size and self._waiting and isinstance(following := self._waiting[0], Audio):
            if begun(following.data) is not None:  # perhaps of another kind: to be seen, it has to come first
                break
            data += following.data
            self._waiting.popleft()
        if len(data) > size:
            self._waiting.appendleft(Audio(bytes(data[size:])))
            del data[size:]
        self._n_bytes -= len(data)
        return Audio(bytes(data))

    async def is_gone(self) -> None:
        """Wait until the client has hung up."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._end is GONE)

    async def cut(self) -> None:
        """Read no more; what was read can still be taken."""
        self._reading.cancel()
        await asyncio.wait({self._reading})

    async def _read(self) -> None:
        end = GONE  # whatever else happens
        try:
            end = await self._read_to_end()
        except asyncio.CancelledError:
            end = CUT
        finally:
            self._end = end
            async with self._changed:
                self._changed.notify_all()

    async def _read_to_end(self) -> Ended:
        while True:
            async with self._changed:
                await self._changed.wait_for(self._has_room)
            try:
                async with asyncio.timeout(self._idle_timeout_s) as self._silence:
                    message = await self._receive()
            except TimeoutError:
                return IDLE
            finally:
                self._silence = None
            if message["type"] != "websocket.receive":
                return GONE
            data, text = message.get("bytes"), message.get("text")
            if data is not None and not data:
                self._n_empty += 1
                if self._n_empty > _MAX_EMPTY_FRAMES:
                    return EMPTY
                continue
            async with self._changed:
                self._waiting.append(Text(text or "") if data is None else Audio(data))
                self._n_bytes += len(data or b"")
                self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._n_bytes < BACKLOG_S * self.bytes_per_s and len(self._waiting) < _MAX_MESSAGES
