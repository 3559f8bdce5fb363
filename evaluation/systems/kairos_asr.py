"""The package `kairos-asr` as a system, where it is installed: reads files by ffmpeg, cuts by silero-vad.

What only scoring needs is imported by its loader: `speed_study` measures the memory of a process with this
module.
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evaluation.systems.base import Outcome, SystemUnavailableError
from evaluation.systems.kinds import Package, SystemKind
from evaluation.systems.timed import (
    FP32_ENCODER,
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

if TYPE_CHECKING:
    from evaluation.systems.peers import FileSystem
    from evaluation.systems.spec import SystemRequest

_PACKAGE: Final = Package("kairos_asr", "kairos-asr")
_LINKS: Final = {
    "kairos_asr_encoder.onnx": FP32_ENCODER,
    "kairos_asr_decoder.onnx": PREDICTOR,
    "kairos_asr_joint.onnx": JOINER,
}
# Where `torch.hub` keeps what the package has it fetch from GitHub: code, which is then run.
_SILERO: Final = "snakers4_silero-vad_master"


def _hindrance() -> str | None:
    """Reason why it cannot start though it is installed; None if it can.

    It has torch fetch code from GitHub, and run it, where it is not there yet: that is for its users to
    decide, not for a benchmark.
    """
    home = os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")
    if not (Path(home) / "hub" / _SILERO).is_dir():
        return (
            "it fetches silero-vad from GitHub by torch.hub when it starts, and it is not there yet: start "
            "kairos_asr.KairosASR() once, and run this again"
        )
    if shutil.which("ffmpeg") is None:
        return "it reads files by the program ffmpeg, which is not installed"
    return None


def _require(spec: SystemRequest) -> None:
    del spec
    hindrance = _hindrance()
    if hindrance is not None:
        raise SystemUnavailableError(f"kairos-asr cannot start: {hindrance}")


def _load(spec: SystemRequest, /, *, show_progress: bool) -> FileSystem:
    """The package over a model directory, in FP32 on the CPU; it takes no number of threads."""
    from evaluation.systems.files import file_hashes
    from evaluation.systems.peers import FileSystem, imported
    from evaluation.systems.registry import prepared
    from gigastt_lab.models.files import ModelFiles

    package = imported(_PACKAGE)
    _require(spec)
    directory = prepared(spec, "fp32", show_progress=show_progress)
    files = ModelFiles.find(directory, "fp32")  # it would download its own in place of one that is missing
    try:
        model = _opened(package, _with_its_names(directory, _kept_folder() / "model"))
    except Exception as error:
        raise SystemUnavailableError(f"kairos-asr cannot load {directory}: {brief(error)}") from error
    info = {
        "kind": "kairos-asr",
        "package_version": package_version("kairos-asr"),
        "model": spec.model_name,
        "files": file_hashes(files),
        "precision": "fp32",
        "provider": "cpu",
        "threads": "its own choice",
    }
    return FileSystem(
        f"kairos-asr_{spec.model_name}",
        info,
        transcribe=lambda path: model.transcribe(str(path)),
        outcome=_outcome,
    )


def _kept_folder() -> Path:
    """A folder until the process ends: the package may open its files when it first needs them."""
    folder = Path(tempfile.mkdtemp(prefix="kairos-asr-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _opened(package: Any, directory: Path | str) -> Any:
    return package.KairosASR(model_path=str(directory), device="cpu")


def _outcome(result: Any) -> Outcome:
    """Text of a result of the package. Its words have no confidence, and a record holds none without."""
    return Outcome(hypothesis=str(result.full_text))


def _with_its_names(source: Path, target: Path) -> Path:
    """A directory of links under the package's names, and the vocabulary as a model of sentencepiece.

    Raises:
        ImportError, OSError, ValueError: the tokenizer cannot be made.
    """
    linked(source, target, _LINKS)
    (target / "kairos_asr_tokenizer.model").write_bytes(_sentencepiece_of(source / VOCABULARY_NAME))
    return target


def _sentencepiece_of(vocabulary: Path) -> bytes:
    """A model of sentencepiece with the pieces of a vocabulary; the blank, its last line, is left out."""
    messages = importlib.import_module("sentencepiece.sentencepiece_model_pb2")  # comes with kairos-asr
    lines = vocabulary.read_text(encoding="utf-8").splitlines()
    model = messages.ModelProto()
    for number, line in enumerate(lines[:-1]):
        piece = model.pieces.add(piece=line.rpartition(" ")[0], score=-float(number))
        piece.type = piece.NORMAL if number else piece.UNKNOWN  # there has to be one
    model.normalizer_spec.name = "identity"
    content: bytes = model.SerializeToString()
    return content


def _files(spec: SystemRequest, info: Mapping[str, Any]) -> Mapping[str, str]:
    from evaluation.systems.files import files_of

    return files_of(spec, info, "fp32")


def _timed(spec: Mapping[str, Any]) -> Timed:
    """The package on the CPU; it takes no number of threads."""
    restrict_to(spec["threads"])
    hindrance = _hindrance()
    if hindrance is not None:
        raise RuntimeError(hindrance)
    model = _opened(importlib.import_module(_PACKAGE.module), spec["directory"])
    operations = transcribing(lambda path: str(model.transcribe(path).full_text), None)
    return Timed(operations, package_version("kairos-asr"))


def _contestants(conditions: Conditions) -> list[Contestant]:
    one = Contestant(
        label="kairos-asr FP32",
        kind="kairos-asr",
        directory=conditions.folder,
        precision="fp32",
        threads=conditions.threads,
        note="threads: its own choice; cuts by silero-vad, reads by ffmpeg",
    )
    if not _PACKAGE.is_installed:
        return [one]  # the tokenizer is made with a package that comes with it
    try:
        _with_its_names(conditions.directory, conditions.folder)
    except (ImportError, OSError, ValueError) as error:
        return [replace(one, missing=f"its tokenizer cannot be made: {error}")]
    return [one]


KAIROS_ASR = SystemKind(
    name="kairos-asr",
    load=_load,
    package=_PACKAGE,
    require=_require,
    files=_files,
    timed=_timed,
    contestants=_contestants,
)
