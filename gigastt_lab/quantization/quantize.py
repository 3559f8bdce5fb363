"""Dynamic INT8 quantization of the FP32 encoder: weights per output channel, activations on the fly.

Each MatMul ``x @ W`` becomes ``(quantize(x) @ W_int8) * scales``: weights are rounded once, here, with one
symmetric scale per output channel, so that the outputs for some speech move least (`calibration`, `gptq`);
activations at run time, with one unsigned scale per tensor. The nodes written are standard ONNX
(``DynamicQuantizeLinear``, ``MatMulInteger``); ONNX Runtime fuses them into one kernel. Convolutions with a
kernel stay FP32: their integer kernels are slower than FP32 and lose phrases. What was measured, and what was
tried and left, stands in ``docs/quantization.md``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from gigastt_lab.errors import ModelError, ModelExistsError, ModelNotFoundError, NothingToQuantizeError
from gigastt_lab.graphs.int8_weights import saturates_somewhere
from gigastt_lab.graphs.weight_range import EXACT, WeightRange
from gigastt_lab.models.storage import directory_lock, writing_to
from gigastt_lab.quantization.calibration import Calibration, calibrate, sample_clips, watched
from gigastt_lab.quantization.int8_graph import (
    DEFAULT_RECIPE,
    RECIPE_KEY,
    ROUNDING_KEY,
    Recipe,
    Rewriter,
    Weight,
    nearest,
)
from gigastt_lab.quantization.smoothquant import smooth
from gigastt_lab.runtime.sessions import RuntimeOptions, load_session
from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = [
    "DEFAULT_RECIPE",
    "RECIPE_KEY",
    "ROUNDING_KEY",
    "Quantization",
    "Recipe",
    "Weight",
    "quantize_encoder",
]

_FIRST_OPSET = 11  # DynamicQuantizeLinear


@dataclass(frozen=True)
class Quantization:
    """Result of `quantize_encoder`.

    Attributes:
        recipe: Recipe that was followed.
        rounding: Method by which weights were rounded: "nearest", or "calibrated" with the amount of speech
            and the number of MatMul inputs that were smoothed (`smoothquant`).
        quantized: Weights that are INT8 now.
        kept: Weights of MatMul, Gemm and convolutions that stayed FP32.
        bytes_before: Size of the FP32 file.
        bytes_after: Size of the INT8 file.
    """

    recipe: Recipe
    rounding: str
    quantized: tuple[Weight, ...]
    kept: tuple[Weight, ...]
    bytes_before: int
    bytes_after: int


def is_exact_everywhere(path: Path) -> bool:
    """True unless the sums of an INT8 encoder may saturate on a processor without VNNI."""
    return not saturates_somewhere(path)


def quantize_encoder(
    source: Path,
    target: Path,
    *,
    recipe: Recipe = DEFAULT_RECIPE,
    calibration: Sequence[Float32Array] | None = None,
    allowed: WeightRange = EXACT,
    overwrite: bool = False,
    show_progress: bool = False,
) -> Quantization:
    """Write the INT8 encoder of an FP32 one, all or nothing.

    Needs about three times the size of the FP32 file in memory (2.7 GB for GigaAM v3) and a minute on two
    cores; without calibration, twice and ten seconds.

    Args:
        source: File of the FP32 encoder.
        target: The INT8 encoder to be; appears only when it is whole.
        recipe: "matmul" quantizes the weights of MatMul; "linear" also those of convolutions of kernel 1,
            rewritten as MatMul, which is smaller and faster, with a larger error; "gate" of these only the
            ones with more outputs than inputs, the gates: the others cost most error. Both smooth the
            inputs of MatMul as well (`smoothquant`), where there is a calibration.
        calibration: Speech that the weights are rounded for: utterances at 16 kHz, each of shape
            (n_samples,); a minute is enough. None takes the packaged clips; an empty sequence rounds each
            weight to the nearest integer.
        allowed: Range of the integers that weights may become. The default is exact on every processor; the
            others are for comparison.
        overwrite: Replace a `target` that is there.
        show_progress: Show bars on stderr.

    Raises:
        AudioError: the speech is too short for a single frame.
        ModelNotFoundError: there is no `source`.
        ModelExistsError: `target` is there, and `overwrite` is not set.
        NothingToQuantizeError: `source` holds no FP32 weight that `recipe` quantizes, or is made by this.
        ModelError: `source` is no ONNX graph, or too old a one; the recipe is not known.
        DirectoryNotWritableError, DiskFullError: `target` cannot be written.
    """
    if recipe not in get_args(Recipe):
        raise ModelError(f"recipe {recipe!r} is not known; choose one of {', '.join(get_args(Recipe))}")
    if not source.is_file():
        raise ModelNotFoundError(f"{source}: no FP32 encoder to quantize; download the model first")
    _refuse_existing(target, overwrite)
    speech = sample_clips() if calibration is None else calibration
    unfinished = target.with_name(f".{target.name}.partial")
    with directory_lock(target.parent):  # two at once would write the same file
        _refuse_existing(target, overwrite)  # written while this one waited
        try:
            rounding, quantized, kept = _quantize(
                source, unfinished, recipe, speech, allowed, show_progress=show_progress
            )
            load_session(unfinished, RuntimeOptions(provider="cpu", threads=1))  # or it gets no name
            with writing_to(target.parent):
                unfinished.replace(target)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    return Quantization(recipe, rounding, quantized, kept, source.stat().st_size, target.stat().st_size)


def _refuse_existing(target: Path, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise ModelExistsError(f"{target} is there already")


def _quantize(
    source: Path,
    target: Path,
    recipe: Recipe,
    speech: Sequence[Float32Array],
    allowed: WeightRange,
    *,
    show_progress: bool,
) -> tuple[str, tuple[Weight, ...], tuple[Weight, ...]]:
    """Write the INT8 encoder as `target`; returns the rounding, the weights quantized and those kept."""
    from tqdm import tqdm

    calibration = _calibrated(source, recipe, speech, show_progress=show_progress)
    model = _load(source)
    rounding = "nearest"
    if calibration is not None:
        rounding = str(calibration)
        if recipe != "matmul":  # which changes nothing but MatMul
            rounding += f", {smooth(model.graph, calibration)} inputs smoothed"
    if calibration is None:
        quantize_weight = nearest(allowed)
    else:
        quantize_weight = partial(calibration.quantize_weight, allowed=allowed)
    rewriter = Rewriter(model.graph, recipe, quantize_weight)
    n_nodes = len(model.graph.node)
    with tqdm(
        total=n_nodes,
        desc=f"quantizing ({recipe})",
        unit="node",
        disable=not show_progress,
        dynamic_ncols=True,
    ) as bar:
        for _ in rewriter.rewrite():
            bar.update()
    if not rewriter.quantized:
        raise NothingToQuantizeError(
            f"{source}: no FP32 weight that the recipe {recipe!r} quantizes; "
            "is it an encoder in FP32, and not quantized already?"
        )
    for key, value in ((RECIPE_KEY, recipe), (ROUNDING_KEY, rounding)):
        model.metadata_props.add(key=key, value=value)
    try:
        content = model.SerializeToString()
    except ValueError as error:  # protobuf's limit of 2 GB
        raise ModelError(f"{source} is too large even in INT8: {error}") from error
    with writing_to(target.parent), target.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return rounding, tuple(rewriter.quantized), tuple(rewriter.kept)


def _calibrated(
    source: Path, recipe: Recipe, speech: Sequence[Float32Array], *, show_progress: bool
) -> Calibration | None:
    """Calibration of the encoder; None where there is no speech, or no weight that the recipe quantizes."""
    if not speech:
        return None
    # The graph is not kept: it, its serialized copy and its session would take 3.5 GB for GigaAM v3.
    encoder = watched(_load(source), str(source), recipe)
    return calibrate(encoder, speech, show_progress=show_progress) if encoder.inputs else None


def _load(source: Path) -> ModelProto:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(source))
    except (DecodeError, ValueError, OSError, onnx.checker.ValidationError) as error:
        raise ModelError(f"{source} is no ONNX graph that can be read: {error}; download it again") from error
    if not model.graph.node:
        raise ModelError(f"{source} is no ONNX graph: it has no nodes; download the model again")
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if any(entry.key == RECIPE_KEY for entry in model.metadata_props):
        raise NothingToQuantizeError(f"{source} is quantized already; give the FP32 encoder")
    if opset < _FIRST_OPSET:
        raise ModelError(
            f"{source} is of ONNX opset {opset}; quantizing needs {_FIRST_OPSET} or newer: export it again"
        )
    return model
