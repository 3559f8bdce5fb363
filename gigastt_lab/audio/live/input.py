"""Input of a live stream: bytes as they come to audio that a `StreamingSession` accepts."""

from __future__ import annotations

from collections.abc import Iterator

from gigastt_lab.audio.live.decoding import RATE, LiveDecoder
from gigastt_lab.audio.live.detection import LiveContainer, verdict
from gigastt_lab.audio.live.exchange import Exchange
from gigastt_lab.audio.live.floats import FloatWatch
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning, Float32Array


class LiveInput:
    """Input of one stream: raw PCM16 passes as it is, a container is decoded as it comes.

    The first bytes tell which it is; a container states its own rate and channels. Bytes may be cut anywhere:
    the audio is the same.

    Attributes:
        sample_rate: Rate of the audio that `accept` yields, in Hz: of PCM16 as stated, of a container 16,000.
        container: Container that the stream is; None of PCM16, and while that is not known.
        is_known: True once the first bytes have told what the stream is.
    """

    def __init__(self, sample_rate: int) -> None:
        """Begin a stream.

        Args:
            sample_rate: Rate that raw PCM16 would have, in Hz.
        """
        self.sample_rate = sample_rate
        self.container: LiveContainer | None = None
        self.is_known = False
        self._head = b""
        self._watch = FloatWatch()
        self._warnings: list[AudioWarning] = []
        self._exchange: Exchange[Float32Array] | None = None

    def accept(self, data: bytes) -> Iterator[bytes | Float32Array]:
        """Audio that these bytes complete, in pieces of about a second or less; to be taken to the end.

        Raises:
            AudioError: float32, text, or a container that cannot be heard as a stream; the message names it.
        """
        if not self.is_known:
            self._head += data
            found = verdict(self._head)
            if found == "undecided":
                return
            data = self._begin(None if found == "pcm16" else found)
        yield from self._passed_on(data, is_last=False)

    def finish(self) -> Iterator[bytes | Float32Array]:
        """The rest of the audio, at the end of the stream.

        Raises:
            AudioError: as `accept`, or a container without a sample.
        """
        data = b"" if self.is_known else self._begin(None)  # too short to be anything else
        yield from self._passed_on(data, is_last=True)

    def warnings(self) -> list[AudioWarning]:
        """Warnings of damage and holes since the last call; times in seconds of the stream."""
        found, self._warnings[:] = self._warnings[:], []
        return found

    def close(self) -> None:
        """Give the stream up: what decodes it ends. Has to be called in the end, also after `finish`."""
        if self._exchange is not None:
            self._exchange.close()

    def _begin(self, container: LiveContainer | None) -> bytes:
        """Begin as what the stream is; the bytes that told so are still to be heard."""
        self.is_known, self.container = True, container
        if container is not None:
            self._exchange = Exchange(LiveDecoder(container, self._warnings).run)
            self.sample_rate = RATE
        head, self._head = self._head, b""
        return head

    def _passed_on(self, data: bytes, *, is_last: bool) -> Iterator[bytes | Float32Array]:
        if self._exchange is None:
            self._watch.look(data)
            if data:
                yield data
            return
        yield from self._exchange.send(data, is_last=is_last)
        if self._exchange.has_ended and not is_last:
            raise AudioError(f"more bytes came behind the end of the {self.container} stream; begin another")
