"""Precision of the encoder: what "auto" takes on this processor and provider, and warnings about INT8."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from gigastt_lab.graphs.int8_weights import saturates_here
from gigastt_lab.models.files import ModelFiles, Precision, PrecisionChoice
from gigastt_lab.runtime.processor import int8_is_faster, int8_is_right
from gigastt_lab.types import ProviderName

logger = logging.getLogger(__name__)

_WITHOUT_INT8: frozenset[ProviderName] = frozenset({"cuda", "tensorrt", "coreml", "directml", "nnapi"})


def preferred_precision(provider: ProviderName) -> Precision:
    """Precision that "auto" takes where both encoders are there, and the INT8 weights fit this processor.

    Dynamic INT8 has kernels on CPUs only, and on some of them slower or wrong ones.
    """
    return "int8" if provider == "cpu" and int8_is_right() and int8_is_faster() else "fp32"


def find_files(directory: Path, precision: PrecisionChoice, provider: ProviderName) -> ModelFiles:
    """The files to load; "auto" passes over an INT8 encoder whose sums would saturate on this processor."""
    preferred = preferred_precision(provider) if precision == "auto" else "int8"
    files = ModelFiles.find(directory, precision, preferred=preferred)
    if files.precision != "int8" or provider != "cpu" or not saturates_here(files.encoder):
        return files
    other = ModelFiles.find(directory, precision, preferred="fp32")
    is_passed_over = other.precision == "fp32"
    instead = "FP32 is taken instead" if is_passed_over else "it runs exactly, but slower"
    _warn_of_old_weights(files.encoder, instead)
    return other if is_passed_over else files


def warn_of_int8(precision: Precision, provider: ProviderName) -> None:
    """Warn where an INT8 encoder that was taken runs slowly, or otherwise than elsewhere."""
    if precision == "int8" and provider in _WITHOUT_INT8:
        logger.warning(
            "%s has no kernels for dynamic INT8: the products run on the CPU; take --precision fp32",
            provider,
        )
    if precision == "int8" and provider == "cpu" and not int8_is_right():
        logger.warning(
            "this ONNX Runtime computes INT8 products otherwise on this processor than elsewhere: the text "
            "may be another, or none; take --precision fp32 (or another ONNX Runtime, 1.25 or newer)"
        )


@cache
def _warn_of_old_weights(encoder: Path, instead: str) -> None:
    """Warn of INT8 weights that would saturate here, once for each file."""
    logger.warning(
        "%s: its 8-bit weights are too large for this processor, which has no VNNI and adds products in 16 "
        "bits: %s; from the FP32 encoder, one is made that is exact and fast on every processor: "
        "python -m gigastt_lab quantize --model-dir %s --force",
        encoder, instead, encoder.parent,
    )  # fmt: skip
