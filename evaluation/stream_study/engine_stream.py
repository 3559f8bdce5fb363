"""This package's engine as a system that is streamed to, in process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Protocol, TypeVar

from evaluation.datasets.audio import RATE, Audio, Decoded, decoded, speech_bounds
from evaluation.records.naming import safe_name
from evaluation.records.stream_log import StreamEvent, StreamLog
from evaluation.stream_study.clocks import Clock
from evaluation.stream_study.feeding import Feeding
from evaluation.systems.base import Outcome, rounded
from evaluation.systems.engine import EngineSystem
from gigastt_lab.errors import brief
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.streaming.options import EndpointOptions, Preset, StreamOptions, stream_options
from gigastt_lab.types import StreamResult

Item = TypeVar("Item")
Result = TypeVar("Result")


class Session(Protocol):
    """One stream; `gigastt_lab.streaming.session.StreamingSession` is one."""

    def accept(self, audio: bytes, /) -> list[StreamResult]:
        """Take the next audio, PCM16."""

    def finish(self) -> list[StreamResult]:
        """End the stream."""


class Streams(Protocol):
    """Opener of streams; `gigastt_lab.engine.Engine` does."""

    def stream(self, sample_rate: int, options: StreamOptions) -> Session:
        """A new stream."""


@dataclass(frozen=True)
class StreamChoice:
    """Options of a stream, and their name.

    Attributes:
        name: Name of the preset, with what was changed.
        options: All options of the stream.
    """

    name: str
    options: StreamOptions

    @classmethod
    def of(cls, preset: Preset, changes: Mapping[str, str] | None = None) -> StreamChoice:
        """A preset with some options changed, by their names here or in its `EndpointOptions`.

        Raises:
            ValueError: there is no such preset or option, or its value cannot be.

        >>> StreamChoice.of("balanced", {"chunk_ms": "320", "min_silence_ms": "800"}).name
        'balanced_chunk_ms-320_min_silence_ms-800'
        """
        options = stream_options(preset)
        own = {each.name for each in fields(StreamOptions)} - {"endpoint"}
        ends = {each.name for each in fields(EndpointOptions)}
        values: dict[str, dict[str, Any]] = {"own": {}, "ends": {}}
        for name, text in (changes or {}).items():
            if name not in own | ends:
                raise ValueError(f"there is no option {name!r}; there are {', '.join(sorted(own | ends))}")
            values["own" if name in own else "ends"][name] = _value(name, text)
        changed = replace(options, **values["own"], endpoint=replace(options.endpoint, **values["ends"]))
        parts = [f"{name}-{text}" for name, text in (changes or {}).items()]
        return cls("_".join([preset, *parts]), changed)


class EngineStreamSystem:
    """An engine that is streamed to: each clip is one stream, its hypothesis the finals joined.

    Attributes:
        name: Name of the engine, and of the preset; the clock where it is not the simulated one.
        info: Facts of what really runs; "file_path" names the same engine's system for whole files.
        batch_size: Number of streams beside each other, each in a thread.
    """

    def __init__(
        self,
        engine: Streams,
        choice: StreamChoice,
        feeding: Feeding,
        *,
        base: str,
        info: Mapping[str, Any],
        n_streams: int = 1,
        new_clock: Callable[[], Clock] | None = None,
    ) -> None:
        """Use `of`.

        Args:
            engine: Opener of the streams.
            choice: Options of the streams.
            feeding: Options of their feeding.
            base: Name of the engine.
            info: Facts of what the engine really runs.
            n_streams: Number of streams at once; more than one need the real clock.
            new_clock: Maker of clocks, in place of the one that `feeding` names.

        Raises:
            ValueError: several streams by another clock, which cannot show how they wait for each other.
        """
        if n_streams > 1 and feeding.clock != "real":
            raise ValueError("several streams at once need the real clock")
        at_once = [f"x{n_streams}"] if n_streams > 1 else []
        clock = [] if feeding.clock == "simulated" else [feeding.clock]
        self.name = safe_name("_".join([base, "stream", choice.name, *at_once, *clock]))
        self.batch_size = n_streams
        self.info = {
            **info,
            "kind": "stream",
            "preset": choice.name,
            "stream_options": asdict(choice.options),
            **feeding.described(),
        }
        self._engine = engine
        self._options = choice.options
        self._feeding = feeding
        self._new_clock = new_clock or feeding.new_clock

    @classmethod
    def of(
        cls, system: EngineSystem, choice: StreamChoice, feeding: Feeding, *, n_streams: int = 1
    ) -> EngineStreamSystem:
        """A system of the same engine, warmed up by a packaged clip."""
        base = system.name.rpartition("_b")[0]  # a stream has no batches
        info = {**system.info, "file_path": system.name}
        made = cls(system.engine, choice, feeding, base=base, info=info, n_streams=n_streams)
        made._warm_up()
        return made

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """Outcome of each audio; the streams run beside each other."""
        return at_once(self._outcome, [decoded(audio) for audio in audios], self.batch_size)

    def _outcome(self, each: Decoded) -> Outcome:
        if each.waveform is None:
            return Outcome(error=each.error, audio_s=each.audio_s)
        try:
            return self._streamed(each, self._new_clock())
        except Exception as error:  # noqa: BLE001 - whatever it is: one utterance must not end a run of hours
            return Outcome(error=brief(error), audio_s=each.audio_s)

    def _streamed(self, each: Decoded, clock: Clock) -> Outcome:
        assert each.waveform is not None
        session = self._engine.stream(RATE, self._options)
        chunks: list[tuple[float, float]] = []
        results: list[tuple[float, StreamResult]] = []
        work_s = 0.0
        for end_s, piece in self._feeding.chunks(each.waveform):
            clock.wait_until(end_s)
            handed_s = clock.now()
            found = session.accept(piece)
            done_s = clock.now()
            work_s += done_s - handed_s
            chunks.append((end_s, handed_s))
            results += [(done_s, result) for result in found]
        stopped_s = clock.now()
        found = session.finish()
        done_s = clock.now()
        work_s += done_s - stopped_s
        results += [(done_s, result) for result in found]
        finals = [result for _, result in results if result.kind == "final"]
        log = StreamLog(
            clip_s=len(each.waveform) / RATE,
            chunks=tuple(chunks),
            stopped_s=stopped_s,
            speech=speech_bounds(each.waveform),
            events=tuple(_event(at_s, result) for at_s, result in results),
        )
        words = [word for final in finals for word in final.words]
        return Outcome(
            hypothesis=" ".join(final.text for final in finals if final.text),
            words=tuple(rounded(word.text, word.start, word.end, word.confidence) for word in words),
            audio_s=each.audio_s,
            work_s=work_s or None,  # by the ideal clock it is not known
            stream=log,
            warnings=each.warnings,
        )

    def _warm_up(self) -> None:
        """One packaged clip by the simulated clock, before any is measured; raises what fails."""
        clip = decoded(min(DEMO_CLIPS_DIRECTORY.glob("*.flac")))
        self._streamed(clip, Feeding().new_clock())
        self.info["warm_up"] = f"1 stream of {clip.audio_s:.1f} s"


def at_once(work: Callable[[Item], Result], items: Sequence[Item], n: int) -> list[Result]:
    """Results of `work` on each item, in order; `n` at a time, each in a thread."""
    if n == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=n) as pool:
        return list(pool.map(work, items))


def _event(at_s: float, result: StreamResult) -> StreamEvent:
    return StreamEvent(
        kind=result.kind,
        utterance=result.utterance,
        text=result.text,
        at_s=at_s,
        heard_s=result.heard,
        stable=result.stable,
        start_s=result.start,
        reason=result.reason,
    )


def _value(name: str, text: str) -> int | bool:
    if name == "partials":
        if text not in {"true", "false"}:
            raise ValueError(f"partials is {text!r}; give true or false")
        return text == "true"
    if not text.isdecimal():
        raise ValueError(f"{name} is {text!r}; give a whole number of milliseconds")
    return int(text)
