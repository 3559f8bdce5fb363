"""Engine, the face of the package: audio in, Transcript out."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gigastt_lab.audio.inputs import Audio, blocks_of, duration_of, waveform_of
from gigastt_lab.audio.options import ReadOptions
from gigastt_lab.audio.vad import SpeechDetector
from gigastt_lab.errors import AudioError, AudioTooLongError, ModelError, ModelNotFoundError, ProviderError
from gigastt_lab.models.files import ModelFiles, Precision, PrecisionChoice
from gigastt_lab.models.registry import DEFAULT_MODEL, KNOWN_MODELS, canonical_name, model_directory
from gigastt_lab.recognition.buckets import with_fixed_lengths
from gigastt_lab.recognition.networks import Networks, load_networks
from gigastt_lab.recognition.precision import find_files, warn_of_int8
from gigastt_lab.recognition.recognizer import Recognition, Recognizer
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.recognition.windows import WindowOptions, transcribed
from gigastt_lab.runtime.sessions import RuntimeOptions, on_first_that_starts
from gigastt_lab.spec import GIGAAM_V3, MAX_SINGLE_PASS_S, MAX_SYMBOLS_PER_FRAME
from gigastt_lab.streaming.options import Preset, StreamOptions, stream_options
from gigastt_lab.streaming.session import StreamingSession
from gigastt_lab.types import AudioWarning, Float32Array, Part, Provider, ProviderName, Transcript

logger = logging.getLogger(__name__)

DEFAULT_BATCH_SIZE = 8

_HOW_TO_GET_IT = (
    "To get it: python -m gigastt_lab download. To use files that are somewhere already: --model-dir "
    "(model_dir=...). The small packaged model is --model demo"
)


@dataclass(frozen=True)
class EngineInfo:
    """Model, precision, provider and threads that an engine really runs.

    Attributes:
        model: Name of the model.
        directory: Directory of its files.
        precision: Precision of the encoder.
        provider: Execution provider that was taken.
        threads: Threads inside one operator of the encoder.
        vocab_size: Pieces of the vocabulary, the blank included.
    """

    model: str
    directory: str
    precision: Precision
    provider: ProviderName
    threads: int
    vocab_size: int


class Engine:
    """Speech to text with one model. Thread-safe: one engine may be used from many threads at once.

    Made by `load_engine`.

    Attributes:
        info: Model, precision, provider and threads that it really runs.
    """

    def __init__(self, recognizer: Recognizer, tokenizer: Tokenizer, info: EngineInfo) -> None:
        self.info = info
        self._recognizer = recognizer
        self._tokenizer = tokenizer

    def transcribe(
        self,
        audio: Audio,
        *,
        sample_rate: int | None = None,
        max_duration_s: float | None = None,
        windows: WindowOptions | None = None,
        strict: bool = False,
        track: int | None = None,
    ) -> Transcript:
        """The text of one recording of any length.

        Args:
            audio: A path, the bytes of an audio file (WAV, FLAC, MP3, Ogg, M4A, WebM), a binary file that is
                open for reading, or samples: floating in [-1, 1] or PCM integers, shape (n_samples,) or
                (n_channels, n_samples).
            sample_rate: Rate of samples given as an array, in Hz; files state their own.
            max_duration_s: Longer recordings are refused. None: no limit.
            windows: Division of a recording of more than 30 s; None: as suits the model.
            strict: True refuses a file that was cut or is damaged; False reads what is there, and says so in
                the transcript's `warnings`.
            track: Number of the audio track, from 1; None: the file's default, else the first.

        Returns:
            Words with times and confidence. Less than 20 ms of samples give an empty transcript.

        Raises:
            AudioError: not audio, empty, mostly damaged, too long (`AudioTooLongError`), no such track, or an
                array without a rate.
            ModelError: the model failed on it.
        """
        parts = self.transcribe_parts(
            audio,
            sample_rate=sample_rate,
            max_duration_s=max_duration_s,
            windows=windows,
            strict=strict,
            track=track,
        )
        return Transcript.of_parts(list(parts))

    def transcribe_parts(
        self,
        audio: Audio,
        *,
        sample_rate: int | None = None,
        max_duration_s: float | None = None,
        windows: WindowOptions | None = None,
        strict: bool = False,
        track: int | None = None,
    ) -> Iterator[Part]:
        """The same as `transcribe`, delivered as it comes: the words of half a minute at a time.

        A recording of at most 30 s is one pass of the model, and one part. Longer ones are read, decoded and
        recognised window by window (`windows`), in memory that does not grow with their length.

        Raises:
            AudioError: as `transcribe`; of a file that turns out to be damaged or too long, what came before
                is good.
            ModelError: the model failed.
        """
        warnings: list[AudioWarning] = []
        options = ReadOptions(strict=strict, track=track)
        return transcribed(
            self._recognizer,
            self._tokenizer,
            blocks_of(audio, sample_rate, max_duration_s, options, warnings),
            warnings=warnings,
            options=windows or WindowOptions(min_pause_ms=KNOWN_MODELS[self.info.model].min_pause_ms),
            duration_s=duration_of(audio, sample_rate),
            batch_size=1 if self.info.provider == "cpu" else DEFAULT_BATCH_SIZE,
        )

    def transcribe_batch(
        self,
        audios: Sequence[Audio],
        *,
        sample_rate: int | None = None,
        batch_size: int = DEFAULT_BATCH_SIZE,
        strict: bool = False,
        track: int | None = None,
    ) -> list[Transcript]:
        """The texts of several recordings, in the order given; each as `transcribe` gives it.

        Args:
            audios: Recordings as `transcribe` takes them; arrays share one `sample_rate`. Those of more than
                30 s are recognised one by one.
            sample_rate: Rate of samples given as arrays, in Hz.
            batch_size: Recordings that the encoder takes at once; neighbours in length share a batch.
            strict: As `transcribe`.
            track: As `transcribe`.

        Raises:
            AudioError: of the first recording that cannot be read; the message says which.
            ModelError: the model failed.
            ValueError: `batch_size` is less than 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; give 1 or more")
        options = ReadOptions(strict=strict, track=track)
        transcripts: dict[int, Transcript] = {}
        warnings: dict[int, list[AudioWarning]] = {}
        waveforms: dict[int, tuple[Float32Array, float]] = {}
        for i, audio in enumerate(audios):
            try:
                try:
                    started = time.perf_counter()
                    warnings[i] = []
                    waveform = waveform_of(audio, sample_rate, MAX_SINGLE_PASS_S, options, warnings[i])
                    waveforms[i] = waveform, time.perf_counter() - started
                except AudioTooLongError:
                    transcripts[i] = self.transcribe(
                        audio, sample_rate=sample_rate, strict=strict, track=track
                    )
            except AudioError as error:
                raise type(error)(f"recording {i} of {len(audios)}: {error}") from error
        by_length = sorted(waveforms, key=lambda i: len(waveforms[i][0]))
        for start in range(0, len(by_length), batch_size):
            bucket = by_length[start : start + batch_size]
            recognitions = self._recognizer([waveforms[i][0] for i in bucket])
            for i, recognition in zip(bucket, recognitions, strict=True):
                found = self._transcript(waveforms[i][0], recognition, waveforms[i][1])
                transcripts[i] = replace(found, warnings=tuple(warnings[i]))
        return [transcripts[i] for i in range(len(audios))]

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

    def _transcript(self, waveform: Float32Array, recognition: Recognition, decode_s: float) -> Transcript:
        spec = self._recognizer.spec
        tokens = recognition.tokens
        words = self._tokenizer.words(tokens.ids, tokens.frames, tokens.probabilities, spec.encoder_frame_s)
        timings = replace(recognition.timings, decode_s=decode_s)
        return Transcript(words, len(waveform) / spec.sample_rate, timings, len(tokens))


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
    name = canonical_name(model)
    directory = model_directory(name, model_dir)

    def load_on(taken: ProviderName) -> tuple[ModelFiles, Tokenizer, Networks]:
        files = find_files(directory, precision, taken)
        tokenizer = Tokenizer.from_file(files.vocabulary)
        options = RuntimeOptions(provider=taken, threads=threads)
        networks = load_networks(files, options, n_vocabulary=len(tokenizer))
        try:
            encoder = with_fixed_lengths(networks.encoder)
        except ModelError as error:  # its first runs: memory, or an operator that only then turns out to fail
            raise ProviderError(
                f"provider {taken} loaded {files.encoder} and cannot run it: {error}"
            ) from error
        return files, tokenizer, replace(networks, encoder=encoder)

    try:
        files, tokenizer, networks = on_first_that_starts(
            RuntimeOptions(provider=provider, threads=threads).provider, str(directory), load_on
        )
    except ModelNotFoundError as error:
        if name == DEFAULT_MODEL:
            raise ModelNotFoundError(f"{error}. {_HOW_TO_GET_IT}") from error
        raise
    recognizer = Recognizer(networks, blank_id=tokenizer.blank_id, max_symbols=max_symbols)
    session = networks.encoder.session
    info = EngineInfo(
        name, str(directory), files.precision, session.provider, session.threads, len(tokenizer)
    )
    warn_of_int8(info.precision, info.provider)
    return Engine(recognizer, tokenizer, info)
