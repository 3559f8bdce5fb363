"""gigastt's Python wheel as a system, where it is installed. It reads and decodes files itself.

What only scoring needs is imported by its loader: `speed_study` measures the memory of a process with this
module.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evaluation.systems.base import Outcome, SystemUnavailableError, rounded
from evaluation.systems.kinds import Package, SystemKind
from evaluation.systems.timed import (
    FP32_ENCODER,
    INT8_ENCODER,
    JOINER,
    PREDICTOR,
    Conditions,
    Contestant,
    Timed,
    linked,
    package_version,
    restrict_to,
    transcribing,
)
from gigastt_lab.errors import brief
from gigastt_lab.models.files import VOCABULARY_NAME
from gigastt_lab.models.registry import model_directory

if TYPE_CHECKING:
    from evaluation.systems.peers import FileSystem
    from evaluation.systems.spec import SystemRequest

PRELOAD_VARIABLE: Final = "GIGASTT_SPEED_PRELOAD"
"""Names a library that gigastt's wheel is to find preloaded, where glibc is older than it wants."""

_PACKAGE: Final = Package("gigastt_uniffi", "gigastt")
_MANIFEST_NAME: Final = "manifest.toml"

# It takes a vocabulary other than the official one only under names that a manifest gives.
_LINKS: Final = {
    "other_encoder.onnx": FP32_ENCODER,
    "other_encoder_int8.onnx": INT8_ENCODER,
    "other_decoder.onnx": PREDICTOR,
    "other_joint.onnx": JOINER,
    "other_vocab.txt": VOCABULARY_NAME,
}
_MANIFEST: Final = """architecture = "e2e_rnnt"

[files]
encoder = "other_encoder.onnx"
encoder_int8 = "other_encoder_int8.onnx"
decoder = "other_decoder.onnx"
joint = "other_joint.onnx"
vocab = "other_vocab.txt"
"""


def _load(spec: SystemRequest, /, *, show_progress: bool) -> FileSystem:
    """The wheel over a directory with the official files, or a manifest that names others."""
    from evaluation.systems.peers import FileSystem, imported

    directory = _directory(spec, show_progress=show_progress)
    package = imported(_PACKAGE)
    try:
        engine = package.Engine.new_with_pool_size(str(directory), 1)
    except Exception as error:
        raise SystemUnavailableError(f"gigastt cannot load {directory}: {brief(error)}") from error
    info = {
        "kind": "gigastt",
        "package_version": package_version("gigastt"),
        "model": spec.model_name,
        **_files_taken(directory),
        "provider": "its own choice",
        "threads": "its own choice",
    }
    return FileSystem(
        f"gigastt_{spec.model_name}",
        info,
        transcribe=lambda path: engine.transcribe_file(str(path)),
        outcome=_outcome,
    )


def _directory(spec: SystemRequest, *, show_progress: bool) -> Path:
    """The directory of the model; with a manifest, complete or not: the names are the manifest's."""
    from evaluation.systems.registry import prepared

    directory = model_directory(spec.model, spec.model_dir)
    if _has_manifest(directory):
        return directory
    return prepared(spec, spec.precision, show_progress=show_progress)


def _outcome(transcript: Any) -> Outcome:
    """Text and words of a transcript of the wheel."""
    return Outcome(
        hypothesis=str(transcript.text),
        words=tuple(
            rounded(word.text, word.start_s, word.end_s, word.confidence) for word in transcript.words
        ),
        audio_s=float(transcript.duration_s),
    )


def _files(spec: SystemRequest, info: Mapping[str, Any]) -> Mapping[str, str]:
    del info
    hashes: dict[str, str] = _files_taken(model_directory(spec.model, spec.model_dir))["files"]
    return hashes


def _files_taken(directory: Path) -> dict[str, Any]:
    """Hashes of the files, and the precision where names tell it: INT8 if it is there."""
    from evaluation.systems.files import file_hashes
    from gigastt_lab.models.files import ModelFiles
    from gigastt_lab.models.storage import sha256_of

    if not _has_manifest(directory):
        files = ModelFiles.find(directory, "auto", preferred="int8")
        return {"files": file_hashes(files), "precision": files.precision}
    paths = [path for path in sorted(directory.iterdir()) if path.suffix in {".onnx", ".txt", ".toml"}]
    return {"files": {path.name: sha256_of(path) for path in paths}, "precision": "by its manifest"}


def _has_manifest(directory: Path) -> bool:
    """True if a directory is laid out by gigastt's `manifest.toml`."""
    return (directory / _MANIFEST_NAME).is_file()


def _timed(spec: Mapping[str, Any]) -> Timed:
    """The wheel with one engine in its pool; it takes no number of threads."""
    restrict_to(spec["threads"])
    try:
        package = importlib.import_module(_PACKAGE.module)
    except (OSError, AttributeError) as error:
        if "isoc23" not in str(error) and "GLIBC" not in str(error):
            raise
        raise RuntimeError(
            f"its wheel needs glibc 2.38 or newer ({error}); with an older one, a library that forwards the "
            "names that it misses can be preloaded (--gigastt-preload)"
        ) from error
    engine = package.Engine.new_with_pool_size(spec["directory"], 1)
    operations = transcribing(lambda path: str(engine.transcribe_file(path).text), None)
    return Timed(operations, package_version("gigastt"))


def _contestants(conditions: Conditions) -> list[Contestant]:
    preload = conditions.gigastt_preload or os.environ.get(PRELOAD_VARIABLE)
    directory = linked(conditions.directory, conditions.folder, _LINKS)
    (directory / _MANIFEST_NAME).write_text(_MANIFEST, encoding="utf-8")
    one = Contestant(
        label="gigastt, same INT8 encoder",
        kind="gigastt",
        directory=directory,
        precision="int8",
        threads=conditions.threads,
        environment={"LD_PRELOAD": preload} if preload else {},
        note="threads: its own choice",
    )
    return [one]


GIGASTT = SystemKind(
    name="gigastt",
    load=_load,
    package=_PACKAGE,
    files=_files,
    timed=_timed,
    contestants=_contestants,
)
