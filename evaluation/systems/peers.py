"""Adapters for systems that are other packages: one that reads files, one that takes samples.

Their seconds of work are the wall clock of the package's call; of its stages nothing is known.
"""

from __future__ import annotations

import importlib
import io
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from evaluation.datasets.audio import Audio, Decoded, decoded
from evaluation.records.naming import safe_name
from evaluation.systems.base import Outcome, SystemUnavailableError, together_or_each
from evaluation.systems.kinds import Package
from gigastt_lab.audio.containers import sniff
from gigastt_lab.errors import AudioError, brief
from gigastt_lab.types import Float32Array

_SUFFIXES: Final = {"mp4": ".m4a"}  # the others are named as their container


class FileSystem:
    """A package that reads and decodes files itself, one at a time.

    Attributes:
        name: Name of the system, as its files are called.
        info: Configuration that really runs, for the header of records.
        batch_size: 1.
    """

    batch_size = 1

    def __init__(
        self,
        name: str,
        info: dict[str, Any],
        *,
        transcribe: Callable[[Path], Any],
        outcome: Callable[[Any], Outcome],
    ) -> None:
        """Adapt it.

        Args:
            name: Name of the system; made fit for a file's.
            info: Configuration that really runs; values that JSON can hold.
            transcribe: The package's call, which is timed; whatever it raises is that utterance's error.
            outcome: Reads the call's result, outside the clock.
        """
        self.name = safe_name(name)
        self.info = info
        self._call = transcribe
        self._read = outcome

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """Outcomes, one for each, one at a time."""
        return [self._outcome(audio) for audio in audios]

    def _outcome(self, audio: Audio) -> Outcome:
        found = decoded(audio)  # for the rate of work, and what was lost; outside the clock
        audio_s = found.audio_s
        try:
            with as_file(audio) as path:
                started = time.perf_counter()
                result = self._call(path)
                work_s = time.perf_counter() - started
        except Exception as error:  # noqa: BLE001 - of a foreign package, whose errors have no common class
            return Outcome(error=brief(error), audio_s=audio_s, warnings=found.warnings)
        outcome = self._read(result)
        audio_s = outcome.audio_s if audio_s is None else audio_s
        return replace(outcome, audio_s=audio_s, work_s=work_s, warnings=found.warnings or outcome.warnings)


class WaveformSystem:
    """A package that takes samples, several utterances at once: files are decoded here.

    That decoding is part of the seconds of work, as it is for this package's engine.

    Attributes:
        name: Name of the system, as its files are called.
        info: Configuration that really runs, for the header of records.
        batch_size: Utterances that it takes at once.
    """

    def __init__(
        self,
        name: str,
        info: dict[str, Any],
        *,
        batch_size: int,
        transcribe: Callable[[list[Float32Array]], Sequence[Any]],
        outcome: Callable[[Any], Outcome],
    ) -> None:
        """Adapt it.

        Args:
            name: Name of the system; made fit for a file's.
            info: Configuration that really runs; values that JSON can hold.
            batch_size: Utterances that it takes at once.
            transcribe: The package's call, which is timed: mono samples at 16 kHz, (n_samples,) each, to
                results in the same order.
            outcome: Reads one of these results, outside the clock.
        """
        self.name = safe_name(name)
        self.info = info
        self.batch_size = batch_size
        self._call = transcribe
        self._read = outcome

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """Outcomes, one for each; of a batch that fails as a whole, only the guilty ones fail."""
        inputs = [decoded(audio) for audio in audios]
        readable = [each for each in inputs if each.waveform is not None]
        results = iter(together_or_each(self._recognized, readable))
        return [
            _failed(each, each.error or "") if each.waveform is None else _with_audio(each, next(results))
            for each in inputs
        ]

    def _recognized(self, inputs: Sequence[Decoded]) -> list[Outcome]:
        """Outcomes of a batch, each with its share of the seconds that passed, by its length."""
        waveforms = [each.waveform for each in inputs if each.waveform is not None]
        started = time.perf_counter()
        results = self._call(waveforms)
        passed_s = time.perf_counter() - started
        n_samples = sum(map(len, waveforms))
        return [
            replace(self._read(result), work_s=passed_s * len(waveform) / n_samples)
            for result, waveform in zip(results, waveforms, strict=True)
        ]


def _with_audio(each: Decoded, result: Outcome | str) -> Outcome:
    if isinstance(result, str):
        return _failed(each, result)
    work_s = each.decode_s + (result.work_s or 0.0)
    return replace(
        result, audio_s=each.audio_s, decode_s=each.decode_s, work_s=work_s, warnings=each.warnings
    )


def _failed(each: Decoded, error: str) -> Outcome:
    return Outcome(error=error, audio_s=each.audio_s, decode_s=each.decode_s, warnings=each.warnings)


def imported(package: Package) -> Any:
    """The module of a package.

    Raises:
        SystemUnavailableError: it is not installed, or does not run on this system.
    """
    name = package.distribution
    try:
        return importlib.import_module(package.module)
    except ModuleNotFoundError as error:
        raise SystemUnavailableError(
            f"{name} is not installed; to compare with it: pip install {name}"
        ) from error
    except (ImportError, OSError, AttributeError) as error:
        text = str(error)
        hint = "see its documentation"
        if "GLIBC" in text or "isoc23" in text:
            hint = (
                "its wheel needs glibc 2.38 or newer (Debian 13, Ubuntu 24.04): use such a system, or run "
                "its server and compare with that (kind server)"
            )
        raise SystemUnavailableError(
            f"{name} is installed, and cannot be imported here ({brief(error)}): {hint}"
        ) from error


@contextmanager
def as_file(audio: Audio) -> Iterator[Path]:
    """A path with the audio and a suffix that tells its format, for those who cannot read bytes."""
    if isinstance(audio, Path):
        yield audio
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"audio{suffix_of(audio)}"
        path.write_bytes(audio)
        yield path


def suffix_of(content: bytes) -> str:
    """The usual suffix of a file with this content; that of WAV where it is no known audio.

    >>> suffix_of(b"OggS and so on"), suffix_of(b"garbage")
    ('.ogg', '.wav')
    """
    try:
        container = sniff(io.BytesIO(content))
    except AudioError:
        return ".wav"
    return _SUFFIXES.get(container, f".{container}")
