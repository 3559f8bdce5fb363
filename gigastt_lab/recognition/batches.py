"""Many recordings: read in windows, recognised in batches of like lengths, their failures kept in order."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from gigastt_lab.audio.inputs import Audio, Given, given, samples_of
from gigastt_lab.audio.options import READ, ReadOptions
from gigastt_lab.errors import AudioError, AudioTooLongError, GigasttError, ModelError, WorkCancelledError
from gigastt_lab.recognition.recognizer import Recognition, Recognizer
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.spec import GIGAAM_V3, MAX_SINGLE_PASS_S
from gigastt_lab.types import AudioWarning, Float32Array, Transcript

Errors = Literal["raise", "return"]

# Waveforms that are held at once: enough to find neighbours in length, 115 MB at most.
_WINDOW_BATCHES: Final = 16
_WINDOW_SAMPLES: Final = 1800 * GIGAAM_V3.sample_rate


@dataclass(frozen=True)
class _Waveform:
    """One recording of at most one pass."""

    samples: Float32Array
    decode_s: float
    warnings: list[AudioWarning] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """Options of `transcribed_batch`.

    Attributes:
        batch_size: Recordings that the encoder takes at once.
        errors: "raise" ends with the first failure, "return" puts it in the place of its transcript.
        progress: True shows a bar on stderr.
        sample_rate: Rate of samples that come without theirs, in Hz.
        read: Options of reading files.

    Raises:
        ValueError: `batch_size` is less than 1, or `errors` is neither of the two.
    """

    batch_size: int
    errors: Errors = "raise"
    progress: bool = False
    sample_rate: int | None = None
    read: ReadOptions = READ

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}; give 1 or more")
        if self.errors not in {"raise", "return"}:
            raise ValueError(f'errors is {self.errors!r}; give "raise" or "return"')


def transcribed_batch(
    recognizer: Recognizer,
    tokenizer: Tokenizer,
    audios: Iterable[Audio],
    *,
    options: BatchOptions,
    long: Callable[[Given], Transcript],
) -> list[Transcript | GigasttError]:
    """The transcripts of many recordings, in their order, or what went wrong with one.

    Args:
        recognizer: Recogniser of the model.
        tokenizer: Tokenizer of the model.
        audios: Recordings; taken one by one, so that an iterator of any length will do.
        options: Options of the batch.
        long: Transcribes a recording of more than one pass.

    Raises:
        AudioError: `audios` is one recording; or, unless errors are returned, one cannot be read.
        ModelError: unless errors are returned, the model failed.
    """
    is_one = isinstance(audios, str | bytes | bytearray | Mapping) or hasattr(audios, "read")
    if is_one or not isinstance(audios, Iterable):
        raise AudioError("transcribe_batch takes several recordings: give a list of them, or use transcribe")
    total = len(audios) if isinstance(audios, Sized) else None
    with _bar(total, options.progress) as tick:
        batch = _Batch(recognizer, tokenizer, options, tick)
        for i, audio in enumerate(audios):
            with batch.failures_of(i, total):
                batch.take(i, audio, long)
            batch.recognise_if_full()
        batch.recognise()
    return [batch.done[i] for i in range(len(batch.done))]


class _Batch:
    """Recordings that were read and wait for others, and what came of those before."""

    def __init__(
        self, recognizer: Recognizer, tokenizer: Tokenizer, options: BatchOptions, tick: Callable[[], object]
    ) -> None:
        self.done: dict[int, Transcript | GigasttError] = {}
        self._recognizer = recognizer
        self._tokenizer = tokenizer
        self._options = options
        self._tick = tick
        self._waiting: dict[int, _Waveform] = {}

    def take(self, i: int, audio: Audio, long: Callable[[Given], Transcript]) -> None:
        """Read recording `i`; one that is too long for a batch is recognised at once."""
        started = time.perf_counter()
        recording = given(audio, self._options.sample_rate)
        try:
            warnings: list[AudioWarning] = []
            samples = samples_of(recording, MAX_SINGLE_PASS_S, self._options.read, warnings)
            self._waiting[i] = _Waveform(samples, time.perf_counter() - started, warnings)
        except AudioTooLongError:
            self._finish(i, long(recording))
        finally:
            recording.close()

    def recognise_if_full(self) -> None:
        """Recognise what waits, if it is many recordings or much audio."""
        n_samples = sum(len(each.samples) for each in self._waiting.values())
        if len(self._waiting) >= _WINDOW_BATCHES * self._options.batch_size or n_samples > _WINDOW_SAMPLES:
            self.recognise()

    def recognise(self) -> None:
        """Recognise what waits, neighbours in length together."""
        by_length = sorted(self._waiting, key=lambda i: len(self._waiting[i].samples))
        size = self._options.batch_size
        for start in range(0, len(by_length), size):
            self._recognise_together(by_length[start : start + size])
        self._waiting = {}

    def _recognise_together(self, bucket: Sequence[int]) -> None:
        try:
            found = self._recognizer([self._waiting[i].samples for i in bucket])
        except ModelError as error:
            if self._options.errors == "raise":
                raise
            if len(bucket) == 1:
                self._finish(bucket[0], error)
                return
            for i in bucket:  # one of them, or too many at once
                self._recognise_together([i])
            return
        for i, recognition in zip(bucket, found, strict=True):
            self._finish(i, self._transcript(self._waiting[i], recognition))

    def _transcript(self, waveform: _Waveform, recognition: Recognition) -> Transcript:
        spec = self._recognizer.spec
        tokens = recognition.tokens
        duration_s = len(waveform.samples) / spec.sample_rate
        words = self._tokenizer.words(
            tokens.ids, tokens.frames, tokens.probabilities, spec.encoder_frame_s, until_s=duration_s
        )
        timings = replace(recognition.timings, decode_s=waveform.decode_s)
        return Transcript(words, duration_s, timings, len(tokens), warnings=tuple(waveform.warnings))

    def _finish(self, i: int, result: Transcript | GigasttError) -> None:
        self.done[i] = result
        self._tick()

    @contextmanager
    def failures_of(self, i: int, total: int | None) -> Iterator[None]:
        """Put a failure in the place of transcript `i`, or raise it; it says which recording it is."""
        try:
            yield
        except WorkCancelledError:
            raise
        except GigasttError as error:
            of_all = "" if total is None else f" of {total}"
            named = type(error)(f"recording {i}{of_all}: {error}") if isinstance(error, AudioError) else error
            if self._options.errors == "raise":
                raise named from error
            if named is not error:
                named.__cause__ = error
            self._finish(i, named)


@contextmanager
def _bar(total: int | None, shown: bool) -> Iterator[Callable[[], object]]:
    """A bar over recordings on stderr; a function that counts one."""
    if not shown:
        yield lambda: None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc="transcribing", unit="file", file=sys.stderr, dynamic_ncols=True) as bar:
        yield bar.update
