"""Files of a model as records tell them: by their SHA-256."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gigastt_lab.models.files import ModelFiles, Precision, PrecisionChoice
from gigastt_lab.models.registry import model_directory
from gigastt_lab.models.storage import sha256_of

if TYPE_CHECKING:
    from evaluation.systems.spec import SystemRequest


def files_of(spec: SystemRequest, info: Mapping[str, Any], precision: PrecisionChoice) -> dict[str, str]:
    """SHA-256 of the files of a spec's model by name, without loading it.

    Args:
        spec: System as it is asked for.
        info: Configuration of the same system when it was loaded: the precision that "auto" took.
        precision: Precision of the encoder that is asked for.

    Raises:
        ModelNotFoundError: the model is not there, or lacks files.
        OSError: a file cannot be read.
    """
    preferred: Precision = "fp32" if info.get("precision") == "fp32" else "int8"
    directory = model_directory(spec.model, spec.model_dir)
    return file_hashes(ModelFiles.find(directory, precision, preferred=preferred))


def file_hashes(files: ModelFiles) -> dict[str, str]:
    """SHA-256 of each file of a model, by name."""
    paths: tuple[Path, ...] = (files.encoder, files.predictor, files.joiner, files.vocabulary)
    return {path.name: sha256_of(path) for path in paths}
