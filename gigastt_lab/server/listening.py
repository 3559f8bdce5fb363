"""Listener of one live stream: bytes and wishes in, results out. It knows nothing of WebSockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gigastt_lab.audio.live.detection import begun
from gigastt_lab.audio.live.input import LiveInput
from gigastt_lab.engine import Engine
from gigastt_lab.errors import AudioError
from gigastt_lab.server.messages import DEFAULT_RATE
from gigastt_lab.streaming.options import PRESETS, Preset, StreamOptions, with_silence
from gigastt_lab.streaming.session import StreamingSession
from gigastt_lab.types import AudioWarning, Float32Array, StreamResult

_STEP_S: Final = 1.0  # of audio that are worked on before results are told
# Of a container: 16 kbit/s, below which speech is not sent, and floats of two channels at 48 kHz.
_MIN_BYTES_PER_S: Final = 2_000
_MAX_BYTES_PER_S: Final = 384_000


class Listener:
    """Listener of one stream; to be used by one thread at a time.

    Attributes:
        rate: Rate of raw PCM16, in Hz; a container states its own.
        has_begun: True once audio has come.
        audio_s: Seconds of audio heard so far.
        is_behind: True while `go_on` has something to do.
    """

    def __init__(self, engine: Engine, preset: Preset) -> None:
        """Begin without audio.

        Args:
            engine: Engine that recognises.
            preset: Preset of the stream, until it is told another.
        """
        self.rate = DEFAULT_RATE
        self.has_begun = False
        self.audio_s = 0.0
        self.is_behind = False
        self._engine = engine
        self._options: StreamOptions = PRESETS[preset]
        self._input: LiveInput | None = None
        self._stream: StreamingSession | None = None
        self._pieces: Iterator[bytes | Float32Array] = iter(())
        self._n_bytes = 0
        self._is_broken = False
        self._is_over = False

    def use(self, preset: Preset | None, silence_ms: int | None) -> None:
        """Go on with another preset, or another silence that ends an utterance; None: as it is.

        Raises:
            ValueError: a silence that cannot be; nothing has changed.
        """
        options = self._options if preset is None else PRESETS[preset]
        self._options = options if silence_ms is None else with_silence(options, silence_ms)
        if self._stream is not None:
            self._stream.configure(self._options)

    def hear(self, data: bytes) -> None:
        """Take bytes; `go_on` recognises them, and has to be called until nothing is left of them.

        Raises:
            AudioError: a recording of another kind begins here; nothing from here on is heard.
        """
        if self._is_over:
            return
        self._check_kind(data)
        self.has_begun = True
        self._n_bytes += len(data)
        if self._input is None:
            self._input = LiveInput(self.rate)
        self._begin_with(self._input.accept(data))

    def hear_the_rest(self) -> None:
        """Take what the decoder still holds, for `go_on`: no more bytes come."""
        if self._input is not None:
            self._begin_with(self._input.finish())

    def go_on(self) -> list[StreamResult]:
        """Results of the next second of what has come.

        Raises:
            AudioError: the stream cannot be heard, or not any further; nothing more of it is.
        """
        results: list[StreamResult] = []
        until_s = self.audio_s + _STEP_S
        while self.is_behind and self.audio_s < until_s:
            try:
                piece = next(self._pieces, None)
            except AudioError:
                self._is_broken, self.is_behind = True, False
                if self._input is not None and self._input.container is None:
                    self._stream = None  # what it heard was no PCM16
                raise
            if piece is None:
                self.is_behind = False
            else:
                results += self._recognised(piece)
        return results

    def flush(self) -> list[StreamResult]:
        """The final of what was said so far; the stream goes on."""
        return [] if self._stream is None else self._stream.flush()

    def finish(self) -> list[StreamResult]:
        """The last results; the stream has ended."""
        stream, self._stream = self._stream, None
        return [] if stream is None else stream.finish()

    def warnings(self) -> list[AudioWarning]:
        """Warnings of damage and holes since the last call."""
        return [] if self._input is None else self._input.warnings()

    def bytes_per_s(self) -> float:
        """Bytes that a second of this stream has, by what was heard; a raw one's as configured."""
        if self._input is None or self._input.container is None or self.audio_s < 1:
            return 2.0 * self.rate
        return min(max(_MIN_BYTES_PER_S, self._n_bytes / self.audio_s), _MAX_BYTES_PER_S)

    def close(self) -> None:
        """End what decodes; has to be called in the end."""
        if self._input is not None:
            self._input.close()

    def _check_kind(self, data: bytes) -> None:
        """Raise `AudioError` where a recording begins that would be passed over, or heard as noise."""
        if self._input is None or not self._input.is_known:
            return
        kind, container = begun(data), self._input.container
        if kind is not None and kind != container:
            self._is_over = True
            this = container.upper() if container else "raw PCM16"
            raise AudioError(
                f"a recording in {kind.upper()} began within a stream of {this}, "
                "and a stream is of one kind: open a connection for each"
            )

    def _begin_with(self, pieces: Iterator[bytes | Float32Array]) -> None:
        if not self._is_broken:
            self._pieces, self.is_behind = pieces, True

    def _recognised(self, piece: bytes | Float32Array) -> list[StreamResult]:
        assert self._input is not None
        rate = self._input.sample_rate
        if self._stream is None:
            self._stream = self._engine.stream(rate, self._options)
        self.audio_s += len(piece) / (2 * rate if isinstance(piece, bytes) else rate)
        return self._stream.accept(piece)
