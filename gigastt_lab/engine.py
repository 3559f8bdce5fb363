"""Engine, the face of the package: audio in, Transcript out."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, overload

from gigastt_lab.audio.inputs import Audio, Given, blocks_of, duration_of, given
from gigastt_lab.audio.options import ReadOptions
from gigastt_lab.audio.raw import RawAudio
from gigastt_lab.audio.vad import SpeechDetector
from gigastt_lab.errors import GigasttError
from gigastt_lab.models.files import PrecisionChoice
from gigastt_lab.models.registry import DEFAULT_MODEL, KNOWN_MODELS
from gigastt_lab.recognition.batches import BatchOptions, Errors, transcribed_batch
from gigastt_lab.recognition.loading import EngineInfo, Loaded, Origin, load, load_after_fork
from gigastt_lab.recognition.recognizer import Recognizer
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.recognition.windows import WindowOptions, transcribed
from gigastt_lab.runtime.reloading import Reloading
from gigastt_lab.spec import GIGAAM_V3, MAX_SYMBOLS_PER_FRAME
from gigastt_lab.streaming.options import Preset, StreamOptions, stream_options
from gigastt_lab.streaming.session import StreamingSession
from gigastt_lab.types import AudioWarning, Part, Provider, Transcript

__all__ = ["DEFAULT_BATCH_SIZE", "Engine", "EngineInfo", "load_engine"]

DEFAULT_BATCH_SIZE = 8


class Engine:
    """Speech to text with one model. Thread-safe: one engine may be used from many threads at once.

    Made by `load_engine`. It pickles as what it was loaded from, and loads again in the other process, once.
    A process that is forked from this one loads it again as well, on a CPU; other providers do not survive.

    Attributes:
        info: Model, precision, provider and threads that it really runs.
    """

    def __init__(
        self, recognizer: Recognizer, tokenizer: Tokenizer, info: EngineInfo, origin: Origin | None = None
    ) -> None:
        self.info = info
        self._parts = recognizer, tokenizer
        self._origin = origin
        self._process = os.getpid()

    def __reduce__(self) -> tuple[Callable[[Origin], Engine], tuple[Origin]]:
        if self._origin is None:
            raise pickle.PicklingError("this engine was not made by load_engine, and cannot be pickled")
        return _engine_of, (self._origin,)

    @property
    def _recognizer(self) -> Recognizer:
        return self._parts_here()[0]

    @property
    def _tokenizer(self) -> Tokenizer:
        return self._parts_here()[1]

    def _parts_here(self) -> tuple[Recognizer, Tokenizer]:
        """The parts, loaded again if this process was forked since: without its threads, a session hangs."""
        if self._process != os.getpid() and self._origin is not None:
            with _ENGINES.lock:
                if self._process != os.getpid():
                    loaded = load_after_fork(self._origin)
                    self._parts = loaded.recognizer, loaded.tokenizer
                    self._process = os.getpid()
                    _ENGINES.remember(self._origin, self)
        return self._parts

    def transcribe(
        self,
        audio: Audio,
        *,
        sample_rate: int | None = None,
        max_duration_s: float | None = None,
        windows: WindowOptions | None = None,
        strict: bool = False,
        track: int | None = None,
        raw: RawAudio | None = None,
    ) -> Transcript:
        """The text of one recording of any length.

        Args:
            audio: A path, the bytes of an audio file (WAV, FLAC, MP3, Ogg, M4A, WebM), or what is open for
                reading them: a binary file, a pipe, an HTTP response, which is read to its end first. Or
                samples: floating in [-1, 1] or PCM integers, shape (n_samples,), (n_channels, n_samples) or
                (n_samples, n_channels); an array of any library, a list of floats, (rate, samples), or what
                `datasets` makes of a feature `Audio`.
            sample_rate: Rate of samples given without theirs, in Hz; files state their own.
            max_duration_s: Longer recordings are refused. None: no limit.
            windows: Division of a recording of more than 30 s; None: as suits the model.
            strict: True refuses a file that was cut or is damaged; False reads what is there, and says so in
                the transcript's `warnings`.
            track: Number of the audio track, from 1; None: the file's default, else the first.
            raw: Statement of what a file without a header holds; None: it says itself what it is.

        Returns:
            Words with times and confidence. Less than 20 ms of samples give an empty transcript.

        Raises:
            AudioError: not audio, empty, mostly damaged, too long (`AudioTooLongError`), no such track, or an
                array without a rate.
            ModelError: the model failed on it.
        """
        read = ReadOptions(strict=strict, track=track, raw=raw)
        recording = given(audio, sample_rate)
        return Transcript.of_parts(list(self._transcribed(recording, read, max_duration_s, windows)))

    def transcribe_parts(
        self,
        audio: Audio,
        *,
        sample_rate: int | None = None,
        max_duration_s: float | None = None,
        windows: WindowOptions | None = None,
        strict: bool = False,
        track: int | None = None,
        raw: RawAudio | None = None,
    ) -> Iterator[Part]:
        """The same as `transcribe`, delivered as it comes: the words of half a minute at a time.

        A recording of at most 30 s is one pass of the model, and one part. Longer ones are read, decoded and
        recognised window by window (`windows`), in memory that does not grow with their length.

        Raises:
            AudioError: as `transcribe`; of a file that turns out to be damaged or too long, what came before
                is good.
            ModelError: the model failed.
        """
        read = ReadOptions(strict=strict, track=track, raw=raw)
        return self._transcribed(given(audio, sample_rate), read, max_duration_s, windows)

    def _transcribed(
        self,
        recording: Given,
        read: ReadOptions,
        max_duration_s: float | None = None,
        windows: WindowOptions | None = None,
    ) -> Iterator[Part]:
        warnings: list[AudioWarning] = []
        return transcribed(
            self._recognizer,
            self._tokenizer,
            blocks_of(recording, max_duration_s, read, warnings),
            warnings=warnings,
            options=windows or WindowOptions(min_pause_ms=KNOWN_MODELS[self.info.model].min_pause_ms),
            duration_s=duration_of(recording),
            batch_size=1 if self.info.provider == "cpu" else DEFAULT_BATCH_SIZE,
        )

    @overload
    def transcribe_batch(
        self,
        audios: Iterable[Audio],
        *,
        sample_rate: int | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        errors: Literal["raise"] = "raise",
        progress: bool = False,
        strict: bool = False,
        track: int | None = None,
        raw: RawAudio | None = None,
    ) -> list[Transcript]: ...

    @overload
    def transcribe_batch(
        self,
        audios: Iterable[Audio],
        *,
        sample_rate: int | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        errors: Literal["return"],
        progress: bool = False,
        strict: bool = False,
        track: int | None = None,
        raw: RawAudio | None = None,
    ) -> list[Transcript | GigasttError]: ...

    def transcribe_batch(
        self,
        audios: Iterable[Audio],
        *,
        sample_rate: int | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        errors: Errors = "raise",
        progress: bool = False,
        strict: bool = False,
        track: int | None = None,
        raw: RawAudio | None = None,
    ) -> list[Transcript] | list[Transcript | GigasttError]:
        """The texts of several recordings, in the order given; each as `transcribe` gives it.

        Args:
            audios: Recordings as `transcribe` takes them; an iterator is gone through as they are recognised.
                Arrays share one `sample_rate`. Those of more than 30 s are recognised one by one.
            sample_rate: Rate of samples given without theirs, in Hz.
            batch_size: Recordings that the encoder takes at once; neighbours in length share a batch.
            errors: "raise" ends with the first recording that fails; "return" puts the error in the place of
                its transcript, and goes on.
            progress: True shows a bar on stderr.
            strict: As `transcribe`.
            track: As `transcribe`.
            raw: As `transcribe`.

        Raises:
            AudioError: of the first recording that cannot be read; the message says which.
            ModelError: the model failed.
            ValueError: `batch_size` is less than 1, or `errors` is another word.
        """
        read = ReadOptions(strict=strict, track=track, raw=raw)
        options = BatchOptions(
            batch_size=batch_size, errors=errors, progress=progress, sample_rate=sample_rate, read=read
        )

        def long(recording: Given) -> Transcript:
            return Transcript.of_parts(list(self._transcribed(recording, read)))

        return transcribed_batch(self._recognizer, self._tokenizer, audios, options=options, long=long)

    def stream(
        self,
        sample_rate: int = GIGAAM_V3.sample_rate,
        options: Preset | StreamOptions = "balanced",
        *,
        detector: SpeechDetector | None = None,
    ) -> StreamingSession:
        """A live stream: audio in as it comes, partial and final results out.

        Args:
            sample_rate: Sample rate of the audio to come, in Hz.
            options: A preset, or options of one's own.
            detector: Detector of speech, for this one stream; None: one that goes by loudness.

        Raises:
            AudioError: a sample rate that cannot be.
            ValueError: there is no such preset.
        """
        return StreamingSession(
            self._recognizer,
            self._tokenizer,
            sample_rate=sample_rate,
            options=stream_options(options),
            detector=detector,
        )


def load_engine(
    model: str = DEFAULT_MODEL,
    *,
    model_dir: str | os.PathLike[str] | None = None,
    precision: PrecisionChoice = "auto",
    provider: Provider = "auto",
    threads: int | None = None,
    max_symbols: int = MAX_SYMBOLS_PER_FRAME,
) -> Engine:
    """Load a model.

    Args:
        model: `gigaam-v3-e2e-rnnt`, or `demo` for the small model inside the package.
        model_dir: Directory of the model, if not the usual one (`models.registry.model_directory`).
        precision: Precision of the encoder; "auto" takes INT8 on a CPU where it is there, does not saturate
            and is faster; else FP32.
        provider: Execution provider of ONNX Runtime; a named one is taken or refused, never replaced.
            On any other than the CPU, inputs are padded to a few lengths (`recognition.buckets`), each tried
            once here.
        threads: Threads inside one operator; None takes what `runtime.cores.default_threads` says.
        max_symbols: Tokens that one encoder frame may emit.

    Raises:
        ModelNotFoundError: the directory or a file is not there; the message lists what is missing.
        ModelError: a file is broken, or the files do not fit together.
        ProviderError: the provider is not available.
        ValueError: `threads` or `max_symbols` is less than 1.
    """
    loaded = load(
        model, model_dir, precision=precision, provider=provider, threads=threads, max_symbols=max_symbols
    )
    return _engine_with(loaded)


def _engine_with(loaded: Loaded) -> Engine:
    engine = Engine(loaded.recognizer, loaded.tokenizer, loaded.info, loaded.origin)
    _ENGINES.remember(loaded.origin, engine)
    return engine


def _engine_of(origin: Origin) -> Engine:
    """The engine that a pickled one stands for."""
    return _ENGINES.loaded(origin)


_ENGINES: Reloading[Origin, Engine] = Reloading(lambda origin: _engine_with(load(**origin._asdict())))
