"""FP32 encoder -> INT8 encoder: weights as symmetric INT8 per output channel, activations on the fly.

Each product ``x @ W`` becomes ``(quantize(x) @ W_int8) * scales``: weights are rounded once, here, with one
scale per output channel; activations at run time, with one unsigned scale per tensor. The nodes written are
standard ONNX (``DynamicQuantizeLinear``, ``MatMulInteger``); ONNX Runtime fuses them into one kernel.
Convolutions with a kernel stay FP32: their integer kernels are slower than FP32 and lose phrases. What was
measured, and what was tried and left, stands in ``docs/quantization.md``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from gigastt_lab.errors import ModelError, ModelExistsError, ModelNotFoundError, NothingToQuantizeError
from gigastt_lab.quantized_graph import DEFAULT_RECIPE, RECIPE_KEY, Recipe, Rewriter, Weight
from gigastt_lab.runtime import RuntimeOptions, load_session
from gigastt_lab.storage import directory_lock, writing_to

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["DEFAULT_RECIPE", "RECIPE_KEY", "Quantization", "Recipe", "Weight", "quantize_encoder"]

_FIRST_OPSET = 11  # DynamicQuantizeLinear


@dataclass(frozen=True)
class Quantization:
    """What `quantize_encoder` did.

    Attributes:
        recipe: That was followed.
        quantized: Weights that are INT8 now.
        kept: Weights of products and convolutions that stayed FP32.
        bytes_before: Size of the FP32 file.
        bytes_after: Size of the INT8 file.
    """

    recipe: Recipe
    quantized: tuple[Weight, ...]
    kept: tuple[Weight, ...]
    bytes_before: int
    bytes_after: int


def quantize_encoder(
    source: Path,
    target: Path,
    *,
    recipe: Recipe = DEFAULT_RECIPE,
    overwrite: bool = False,
    show_progress: bool = False,
) -> Quantization:
    """Write the INT8 encoder of an FP32 one, all or nothing.

    Needs about twice the size of the FP32 file in memory (1.8 GB for GigaAM v3).

    Args:
        source: FP32 encoder.
        target: The INT8 encoder to be; appears only when it is whole.
        recipe: "matmul" quantizes the weights of matrix products. "linear" also those of convolutions of
            kernel 1, rewritten as products: smaller and faster, with a larger error.
        overwrite: Replace a `target` that is there.
        show_progress: A bar on stderr.

    Raises:
        ModelNotFoundError: there is no `source`.
        ModelExistsError: `target` is there, and `overwrite` is not set.
        NothingToQuantizeError: `source` holds no FP32 weight that `recipe` quantizes.
        ModelError: `source` is no ONNX graph, or too old a one; the recipe is not known.
        DirectoryNotWritableError, DiskFullError: `target` cannot be written.
    """
    if recipe not in get_args(Recipe):
        raise ModelError(f"recipe {recipe!r} is not known; choose one of {', '.join(get_args(Recipe))}")
    if not source.is_file():
        raise ModelNotFoundError(f"{source}: no FP32 encoder to quantize; download the model first")
    _refuse_existing(target, overwrite)
    partial = target.with_name(f".{target.name}.partial")
    with directory_lock(target.parent):  # two at once would write the same file
        _refuse_existing(target, overwrite)  # written while this one waited
        try:
            quantized, kept = _quantize(source, partial, recipe, show_progress=show_progress)
            load_session(partial, RuntimeOptions(provider="cpu", threads=1))  # or it gets no name
            with writing_to(target.parent):
                partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    return Quantization(recipe, quantized, kept, source.stat().st_size, target.stat().st_size)


def _refuse_existing(target: Path, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise ModelExistsError(f"{target} is there already")


def _quantize(
    source: Path, partial: Path, recipe: Recipe, *, show_progress: bool
) -> tuple[tuple[Weight, ...], tuple[Weight, ...]]:
    """Write the INT8 encoder as `partial`; returns what was quantized and what was kept."""
    from tqdm import tqdm  # noqa: PLC0415 - not needed where nothing is quantized

    model = _load(source)
    rewriter = Rewriter(model.graph, recipe)
    n_nodes = len(model.graph.node)
    with tqdm(total=n_nodes, desc=f"quantizing ({recipe})", unit="node", disable=not show_progress) as bar:
        for _ in rewriter.rewrite():
            bar.update()
    if not rewriter.quantized:
        raise NothingToQuantizeError(
            f"{source}: no FP32 weight that the recipe {recipe!r} quantizes; "
            "is it an encoder in FP32, and not quantized already?"
        )
    model.metadata_props.add(key=RECIPE_KEY, value=recipe)
    try:
        content = model.SerializeToString()
    except ValueError as error:  # protobuf's limit of 2 GB
        raise ModelError(f"{source} is too large even in INT8: {error}") from error
    with writing_to(partial.parent), partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return tuple(rewriter.quantized), tuple(rewriter.kept)


def _load(source: Path) -> ModelProto:
    import onnx  # noqa: PLC0415
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - onnx brings it

    try:
        model = onnx.load(str(source))
    except (DecodeError, ValueError, OSError, onnx.checker.ValidationError) as error:
        raise ModelError(f"{source} is no ONNX graph that can be read: {error}; download it again") from error
    if not model.graph.node:
        raise ModelError(f"{source} is no ONNX graph: it has no nodes; download the model again")
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset < _FIRST_OPSET:
        raise ModelError(
            f"{source} is of ONNX opset {opset}; quantizing needs {_FIRST_OPSET} or newer: export it again"
        )
    return model
