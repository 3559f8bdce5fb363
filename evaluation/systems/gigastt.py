"""What peers have in common, and gigastt's Python wheel as a system, where it is installed.

Its seconds of work are the wall clock of its call; of its stages nothing is known.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import io
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from evaluation.datasets.audio import Audio, decoded
from evaluation.records.naming import safe_name
from evaluation.systems.base import Outcome, SystemUnavailableError, rounded
from evaluation.systems.engine import file_hashes
from gigastt_lab.audio.containers import sniff
from gigastt_lab.errors import AudioError, brief
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.storage import sha256_of

_SUFFIXES: Final = {"mp4": ".m4a"}  # the others are named as their container


class GigasttSystem:
    """gigastt's Python wheel over a model directory. It reads files, decodes them, and chooses the rest.

    Attributes:
        name: Package and model.
        info: The same, its version, and SHA-256 of the files.
        batch_size: 1.
    """

    batch_size = 1

    def __init__(self, engine: Any, *, model: str, info: dict[str, Any]) -> None:
        """Use `load`."""
        self.name = safe_name(f"gigastt_{model}")
        self.info = info
        self._engine = engine

    @classmethod
    def load(cls, model: str, directory: Path) -> GigasttSystem:
        """Load it.

        Args:
            model: Name, for tables.
            directory: With the official files, or a `manifest.toml` that names others.

        Raises:
            SystemUnavailableError: it is not installed, cannot run here, or cannot load the directory.
        """
        package = imported("gigastt_uniffi", "gigastt")
        try:
            engine = package.Engine.new_with_pool_size(str(directory), 1)
        except Exception as error:
            raise SystemUnavailableError(f"gigastt cannot load {directory}: {brief(error)}") from error
        info = {
            "kind": "gigastt",
            "package_version": _version("gigastt"),
            "model": model,
            **files_taken(directory),
            "provider": "its own choice",
            "threads": "its own choice",
        }
        return cls(engine, model=model, info=info)

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """One outcome for each, one at a time."""
        return [self._outcome(audio) for audio in audios]

    def _outcome(self, audio: Audio) -> Outcome:
        audio_s = decoded(audio).audio_s  # for the rate of work, outside the clock
        try:
            with as_file(audio) as path:
                started = time.perf_counter()
                transcript = self._engine.transcribe_file(str(path))
                work_s = time.perf_counter() - started
        except Exception as error:  # noqa: BLE001 - of a foreign package, whose errors have no common class
            return Outcome(error=brief(error), audio_s=audio_s)
        return Outcome(
            hypothesis=str(transcript.text),
            words=tuple(
                rounded(word.text, word.start_s, word.end_s, word.confidence) for word in transcript.words
            ),
            audio_s=float(transcript.duration_s) if audio_s is None else audio_s,
            work_s=work_s,
        )


@contextmanager
def as_file(audio: Audio) -> Iterator[Path]:
    """A path with the audio and a suffix that says what it is, for those who cannot read bytes."""
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


def imported(module: str, distribution: str) -> Any:
    """An imported package.

    Raises:
        SystemUnavailableError: it is not installed, or does not run on this system.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise SystemUnavailableError(
            f"{distribution} is not installed; to compare with it: pip install {distribution}"
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
            f"{distribution} is installed, and cannot be imported here ({brief(error)}): {hint}"
        ) from error


def files_taken(directory: Path) -> dict[str, Any]:
    """Hashes of the files, and the precision where names tell it: INT8 if it is there."""
    if not has_manifest(directory):
        files = ModelFiles.find(directory, "auto", preferred="int8")
        return {"files": file_hashes(files), "precision": files.precision}
    paths = [path for path in sorted(directory.iterdir()) if path.suffix in {".onnx", ".txt", ".toml"}]
    return {"files": {path.name: sha256_of(path) for path in paths}, "precision": "by its manifest"}


def has_manifest(directory: Path) -> bool:
    """Whether a directory is laid out by gigastt's `manifest.toml`."""
    return (directory / "manifest.toml").is_file()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
