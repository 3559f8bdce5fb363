"""Preparation of a model at first use: it is downloaded and quantized, as gigastt does."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Final, Literal

from gigastt_lab.errors import ModelError, ModelNotFoundError
from gigastt_lab.models.download import download
from gigastt_lab.models.files import ENCODER_NAMES, ModelFiles, Precision, PrecisionChoice
from gigastt_lab.models.registry import (
    KNOWN_MODELS,
    MODEL_DIR_VARIABLE,
    KnownModel,
    canonical_name,
    model_directory,
)
from gigastt_lab.models.storage import file_state, graph_metadata, require_plain_files, size_text
from gigastt_lab.quantization.int8_graph import RECIPE_KEY

logger = logging.getLogger(__name__)

# "made here": by this program's `quantize`; "damaged": no whole ONNX graph.
GraphOrigin = Literal["made here", "not known", "damaged"]

SKIP_QUANTIZE_VARIABLE: Final = "GIGASTT_SKIP_QUANTIZE"
FP32_ENCODER: Final = ENCODER_NAMES["fp32"][0]
INT8_ENCODER: Final = ENCODER_NAMES["int8"][0]
_FALSE = ("", "0", "f", "false", "n", "no", "off")  # what gigastt's command line takes for false


def skips_quantizing() -> bool:
    """True if `$GIGASTT_SKIP_QUANTIZE` says that no INT8 encoder is to be made."""
    return os.environ.get(SKIP_QUANTIZE_VARIABLE, "").lower() not in _FALSE


def prepare_model(
    model: str,
    model_dir: str | os.PathLike[str] | None = None,
    *,
    precision: PrecisionChoice = "auto",
    skip_quantize: bool = False,
    show_progress: bool = True,
) -> Path:
    """The directory of `model`, ready for `load_engine`: downloaded and quantized where that is needed.

    Whatever loads already is left as it is, with one exception, as in gigastt: a published FP32 encoder
    without an INT8 one beside it is quantized, unless FP32 is asked for.

    Args:
        model: A name that `models.registry.canonical_name` takes.
        model_dir: Directory of the model, where that is not the usual one.
        precision: Precision that `load_engine` will be asked for.
        skip_quantize: True makes no INT8 encoder.
        show_progress: True shows progress bars on stderr, where that is a terminal.

    Raises:
        ModelError: the name or the precision is not known; the model could not be downloaded
            (`DownloadError` and its kin), or not quantized though INT8 is asked for.
        ModelNotFoundError: INT8 is asked for, is not there and is not to be made; or the directory was named
            (`model_dir`, `$GIGASTT_MODEL_DIR`), is not there, and is not made but by `download`.
    """
    known = KNOWN_MODELS[canonical_name(model)]
    directory = model_directory(known.name, model_dir)
    if known.repository is None or _loads(directory, "int8" if precision == "auto" else precision):
        return directory  # what lacks files of the demo model, load_engine says
    if not (_loads(directory, "fp32") or (precision == "auto" and _loads(directory, "auto"))):
        if precision == "int8" and skip_quantize:
            raise ModelNotFoundError(
                f"{directory} holds no INT8 encoder, and none is to be made ({SKIP_QUANTIZE_VARIABLE} or "
                "--skip-quantize); take that back, or ask for another precision"
            )
        require_plain_files(known.files, directory)
        _require_directory_that_is_there(known, directory, model_dir)
        download(known, directory, show_progress=show_progress)
    if precision != "fp32" and not skip_quantize and _is_published_encoder(known, directory):
        _make_int8(directory, required=precision == "int8", show_progress=show_progress)
    return directory


def fetch_model(
    model: str,
    model_dir: str | os.PathLike[str] | None = None,
    *,
    skip_quantize: bool = False,
    show_progress: bool = True,
) -> tuple[str, ...]:
    """Complete and verify the directory of `model`, whether it loads already or not.

    Args:
        model: A name that `models.registry.canonical_name` takes, of a model that has a repository.
        model_dir: Directory of the model, where that is not the usual one.
        skip_quantize: True makes no INT8 encoder.
        show_progress: True shows progress bars on stderr, where that is a terminal.

    Returns:
        Names of the files that were downloaded or made; none if everything was there.

    Raises:
        ModelError: as for `prepare_model`; a quantization that fails is a warning.
    """
    known = KNOWN_MODELS[canonical_name(model)]
    directory = model_directory(known.name, model_dir)
    names = download(known, directory, show_progress=show_progress)
    if skip_quantize or _loads(directory, "int8"):
        return names
    is_made = _make_int8(directory, required=False, show_progress=show_progress)
    return (*names, INT8_ENCODER) if is_made else names


def _loads(directory: Path, precision: PrecisionChoice) -> bool:
    """True if all files for `precision` are there."""
    try:
        ModelFiles.find(directory, precision)
    except ModelNotFoundError:
        return False
    return True


def precisions_of(directory: Path) -> tuple[Precision, ...]:
    """The precisions for which all files are in `directory`."""
    precisions: tuple[Precision, ...] = ("fp32", "int8")
    return tuple(precision for precision in precisions if _loads(directory, precision))


def graph_origin(path: Path) -> GraphOrigin:
    """Origin of a graph that is not in the registry, by a cheap look at it.

    Raises:
        OSError: it cannot be read.
    """
    try:
        metadata = graph_metadata(path)
    except ModelError:
        return "damaged"
    return "made here" if RECIPE_KEY in metadata else "not known"


def _is_published_encoder(known: KnownModel, directory: Path) -> bool:
    """True if the FP32 encoder is, by its size, that of `known`; others' are not ours to quantize."""
    encoder = next((file for file in known.files if file.name == FP32_ENCODER), None)
    return encoder is not None and file_state(encoder, directory, verify=False) == "not verified"


def _require_directory_that_is_there(
    known: KnownModel, directory: Path, model_dir: str | os.PathLike[str] | None
) -> None:
    """A directory that was named and is not there is taken for a mistake; the usual one is made."""
    named = str(model_dir or os.environ.get(MODEL_DIR_VARIABLE) or "")
    if not named or directory.is_dir():
        return
    how = "--model-dir" if model_dir else MODEL_DIR_VARIABLE
    raise ModelNotFoundError(
        f"{directory}: no such model directory ({how}); check its name, or take the small packaged model "
        f"(--model demo). To download {size_text(sum(file.size for file in known.files))} to it: "
        f"gigastt-lab download --model-dir {shlex.quote(named)}"
    )


def _make_int8(directory: Path, *, required: bool, show_progress: bool) -> bool:
    """Quantize the encoder; True if that worked. Unless it is `required`, a failure is a warning."""
    from gigastt_lab.quantization.quantize import quantize_encoder  # loads onnx

    logger.info(
        "making the INT8 encoder, once, which takes about a minute; --skip-quantize or %s=1 keeps FP32",
        SKIP_QUANTIZE_VARIABLE,
    )
    try:
        made = quantize_encoder(
            directory / FP32_ENCODER,
            directory / INT8_ENCODER,
            show_progress=show_progress and sys.stderr.isatty(),
        )
    except (ModelError, OSError, MemoryError) as error:
        if (directory / INT8_ENCODER).is_file():
            return False  # another process made it while this one waited for the lock
        reason = str(error) or type(error).__name__
        if required:
            kind = type(error) if isinstance(error, ModelError) else ModelError
            raise kind(f"the INT8 encoder could not be made: {reason}") from error
        logger.warning(
            "the INT8 encoder could not be made, FP32 goes on: %s; --precision fp32, --skip-quantize or %s=1 "
            "goes on so without trying",
            reason,
            SKIP_QUANTIZE_VARIABLE,
        )
        return False
    logger.info("%s: %s", INT8_ENCODER, size_text(made.bytes_after))
    return True
