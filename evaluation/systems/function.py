"""A function of one's own as a system: whatever turns audio into text, timed and counted like the others."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal, get_args

from evaluation.datasets.audio import Audio, content, decoded
from evaluation.records.naming import safe_name
from evaluation.systems.base import Outcome, together_or_each
from evaluation.systems.code_digest import digest_of, name_of
from evaluation.systems.peers import as_file
from gigastt_lab.errors import AudioError, GigasttError
from gigastt_lab.types import AudioWarning, Float32Array

Takes = Literal["path", "bytes", "array"]
"""Form of audio for a function: a file's path, as str; its content; mono float32 samples at 16 kHz."""

Function = Callable[[Any], object]


class FunctionError(GigasttError, TypeError):
    """Something that is no function from audio to text: what was given, what is allowed."""


class FunctionSystem:
    """A function from audio to text as a system.

    Its seconds of work are those of its calls; of a batch, each utterance's share by its length. Samples are
    decoded for it, which is work, too; files are put in place outside the clock.

    Attributes:
        name: Name of the system, as its files are called.
        info: Name of the function, a digest of its code, the form in which it takes audio.
        batch_size: Utterances that it takes at once.
        first_error: Exception of its first failure; None so far.
    """

    def __init__(
        self, function: Function, *, name: str = "", takes: Takes = "path", batch_size: int | None = None
    ) -> None:
        """Adapt it.

        Args:
            function: Function of one audio that gives its text; with `batch_size`, of a list of them that
                gives a list of texts. A text is a str, what has a `text` (a `Transcript`), or a dict with
                "text".
                What it raises is that utterance's error, and None a failure without a reason.
            name: Name of the system. "": the function's.
            takes: Form of the audio; see `Takes`.
            batch_size: Utterances in a list. None: the function takes one audio, not a list.

        Raises:
            FunctionError: it is no function, or a class or coroutine function.
            ValueError: another form, or a batch size of less than 1.
        """
        if takes not in get_args(Takes):
            raise ValueError(f"takes is {takes!r}; allowed are {', '.join(map(repr, get_args(Takes)))}")
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; give 1 or more, or None for one audio at a time")
        _check(function)
        self.name = safe_name(name or name_of(function))
        self.batch_size = batch_size or 1
        self.first_error: Exception | None = None
        self.info: dict[str, Any] = {
            "kind": "function",
            "function": name_of(function),
            "code": digest_of(function),
            "takes": takes,
            "in_lists": batch_size is not None,
        }
        self._function = function
        self._takes: Takes = takes
        self._in_lists = batch_size is not None

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """Outcomes, one for each; of a batch that fails as a whole, only the guilty ones fail."""
        inputs = [self._input(audio) for audio in audios]
        results = together_or_each(self._called, inputs)
        return [
            Outcome(error=result, audio_s=each.audio_s, decode_s=each.decode_s, warnings=each.warnings)
            if isinstance(result, str)
            else result
            for each, result in zip(inputs, results, strict=True)
        ]

    def _input(self, audio: Audio) -> _Input:
        found = decoded(audio)  # of files, for the rate of work alone, and what was lost
        if self._takes == "array":
            return _Input(audio, found.audio_s, found.warnings, found.waveform, found.decode_s, found.error)
        return _Input(audio, found.audio_s, found.warnings)

    def _called(self, inputs: Sequence[_Input]) -> list[Outcome]:
        try:
            if self._in_lists or len(inputs) == 1:
                return self._together(inputs)
            return [outcome for each in inputs for outcome in self._together([each])]
        except Exception as error:
            self.first_error = self.first_error or error
            raise

    def _together(self, inputs: Sequence[_Input]) -> list[Outcome]:
        with ExitStack() as files:
            given = [self._given(each, files) for each in inputs]
            started = time.perf_counter()
            result = self._function(given if self._in_lists else given[0])
            passed_s = time.perf_counter() - started
        texts = _texts(result, len(inputs)) if self._in_lists else [text_of(result)]
        total_s = sum(each.audio_s or 0.0 for each in inputs)
        shares = [(each.audio_s or 0.0) / total_s if total_s else 1 / len(inputs) for each in inputs]
        return [
            Outcome(
                hypothesis=text,
                error="the function gave None" if text is None else None,
                audio_s=each.audio_s,
                decode_s=each.decode_s,
                work_s=(each.decode_s or 0.0) + passed_s * share,
                warnings=each.warnings,
            )
            for text, each, share in zip(texts, inputs, shares, strict=True)
        ]

    def _given(self, each: _Input, files: ExitStack) -> object:
        """Audio in the form that the function takes."""
        if self._takes == "array":
            if each.waveform is None:
                raise AudioError(each.error or "")
            return each.waveform
        audio = content(each.audio)
        if self._takes == "path":
            return str(files.enter_context(as_file(audio)))
        return audio if isinstance(audio, bytes) else audio.read_bytes()


@dataclass(frozen=True)
class _Input:
    """Audio of an utterance, and its losses; samples and what decoding took where the function takes them."""

    audio: Audio
    audio_s: float | None
    warnings: tuple[AudioWarning, ...]
    waveform: Float32Array | None = None
    decode_s: float | None = None
    error: str | None = None


def text_of(result: object) -> str | None:
    """The text of what a recogniser gave: a str, what has a `text`, or a dict with "text"; None of None.

    Raises:
        FunctionError: it is none of these.
    """
    found = result.get("text", result) if isinstance(result, Mapping) else getattr(result, "text", result)
    if found is None or isinstance(found, str):
        return None if found is None else str(found)
    raise FunctionError(
        f"the function gave {result!r:.60} ({type(result).__name__}), which is no text; give a str, "
        "something with a text, or None where it fails"
    )


def _texts(result: object, n: int) -> list[str | None]:
    if isinstance(result, str | Mapping) or not hasattr(result, "__iter__"):
        raise FunctionError(
            f"for {n} audios the function gave a {type(result).__name__}; give a list of texts"
        )
    texts = list(map(text_of, result))
    if len(texts) != n:
        raise FunctionError(f"for {n} audios the function gave {len(texts)} texts; give one for each")
    return texts


def _check(function: object) -> None:
    if isinstance(function, type):
        raise FunctionError(f"{function.__name__} is a class; give an object of it, or a function")
    if not callable(function):
        raise FunctionError(
            f"an object of type {type(function).__name__} is no function from audio to text; give a "
            "function, or an engine"
        )
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        vars(type(function)).get("__call__")
    ):
        raise FunctionError(
            f"{name_of(function)} is a coroutine function; wrap it: lambda a: asyncio.run(f(a))"
        )
