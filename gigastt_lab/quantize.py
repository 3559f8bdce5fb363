"""FP32 encoder -> INT8 encoder: weights as symmetric INT8 per output channel, activations on the fly.

Each product ``x @ W`` becomes ``(quantize(x) @ W_int8) * scales``: weights are rounded once, here, with one
scale per output channel; activations at run time, with one unsigned scale per tensor. The nodes written are
standard ONNX (``DynamicQuantizeLinear``, ``MatMulInteger``); ONNX Runtime fuses them into one kernel.
Convolutions with a kernel stay FP32: their integer kernels are slower than FP32 and lose phrases. What was
measured, and what was tried and left, stands in ``docs/quantization.md``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from gigastt_lab.errors import ModelError, ModelExistsError, ModelNotFoundError, NothingToQuantizeError
from gigastt_lab.storage import directory_lock, writing_to
from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

Recipe = Literal["matmul", "linear"]
DEFAULT_RECIPE: Final[Recipe] = "matmul"
RECIPE_KEY: Final = "gigastt_lab.quantization"  # in the metadata of the graph written

_LARGEST = 127  # symmetric: -128 is left out, so that zero is exact and the sign costs nothing
_FIRST_OPSET = 11  # DynamicQuantizeLinear
_PRODUCTS = ("MatMul", "Gemm", "Conv")


@dataclass(frozen=True)
class Weight:
    """One weight of the encoder.

    Attributes:
        name: In the FP32 graph.
        op: The operator that multiplies by it.
        shape: In the FP32 graph.
    """

    name: str
    op: str
    shape: tuple[int, ...]

    @property
    def n_parameters(self) -> int:
        """Numbers in it."""
        return int(np.prod(self.shape))


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

    Needs about twice the size of the FP32 file in memory (1.9 GB for GigaAM v3).

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
    from tqdm import tqdm  # noqa: PLC0415 - not needed where nothing is quantized

    _refuse_existing(target, overwrite)
    with directory_lock(target.parent):  # two at once would write the same file
        _refuse_existing(target, overwrite)  # written while this one waited
        model = _load(source)
        rewriter = _Rewriter(model.graph, recipe)
        with tqdm(
            total=len(model.graph.node), desc=f"quantizing ({recipe})", unit="node", disable=not show_progress
        ) as bar:
            for _ in rewriter.rewrite():
                bar.update()
        if not rewriter.quantized:
            raise NothingToQuantizeError(
                f"{source}: no FP32 weight that the recipe {recipe!r} quantizes; "
                "is it an encoder in FP32, and not quantized already?"
            )
        model.metadata_props.add(key=RECIPE_KEY, value=recipe)
        _write(model, target)
    return Quantization(
        recipe, tuple(rewriter.quantized), tuple(rewriter.kept), source.stat().st_size, target.stat().st_size
    )


def quantize_weight(weight: Float32Array) -> tuple[npt.NDArray[np.int8], Float32Array]:
    """A weight as INT8, symmetric, one scale per output channel.

    Args:
        weight: Shape (n_in, n_out).

    Returns:
        Integers in [-127, 127], shape (n_in, n_out), and scales, shape (n_out,): integers * scales is
        within half a scale of `weight`.

    >>> quantize_weight(np.array([[1.27, 0.0], [-0.5, 0.0]], np.float32))[0].tolist()
    [[127, 0], [-50, 0]]
    """
    scales = np.abs(weight).max(axis=0) / np.float32(_LARGEST)
    scales[scales < np.finfo(np.float32).tiny] = 1.0  # no weights at all, or too small to have a scale
    return np.rint(weight / scales).astype(np.int8), scales


def _refuse_existing(target: Path, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise ModelExistsError(f"{target} is there already")


def _load(source: Path) -> ModelProto:
    import onnx  # noqa: PLC0415
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - onnx brings it

    try:
        model = onnx.load(str(source))
    except (DecodeError, ValueError) as error:
        raise ModelError(f"{source} is no ONNX graph: {error}; download the model again") from error
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset < _FIRST_OPSET:
        raise ModelError(
            f"{source} is of ONNX opset {opset}; quantizing needs {_FIRST_OPSET} or newer: export it again"
        )
    return model


def _write(model: ModelProto, target: Path) -> None:
    """Write under another name, then rename: a file named `target` is always whole."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        with writing_to(target.parent):
            with partial.open("wb") as file:
                file.write(model.SerializeToString())
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


class _Rewriter:
    """One graph, its products replaced in place.

    Attributes:
        quantized: So far.
        kept: So far.
    """

    def __init__(self, graph: GraphProto, recipe: Recipe) -> None:
        self.quantized: list[Weight] = []
        self.kept: list[Weight] = []
        self._graph = graph
        self._recipe = recipe
        self._constants = _constants(graph)
        self._new_nodes: list[NodeProto] = []
        self._int8_names: dict[str, tuple[str, str]] = {}  # weight -> its integers and scales
        self._activations: dict[str, tuple[str, str, str]] = {}  # tensor -> its integers, scale, zero point

    def rewrite(self) -> Iterator[None]:
        """Rewrite node by node; whoever iterates sees the progress."""
        for node in self._graph.node:
            weight = self._weight(node)
            if weight is None:
                self._new_nodes.append(node)
            elif node.op_type == "MatMul" and len(weight.shape) == 2:
                self._product(node.input[0], node.input[1], node.output[0])
                self.quantized.append(weight)
            elif self._recipe == "linear" and self._is_pointwise(node):
                self._pointwise(node)
                self.quantized.append(weight)
            else:
                self._new_nodes.append(node)
                self.kept.append(weight)
            yield
        del self._graph.node[:]
        self._graph.node.extend(self._new_nodes)
        self._drop_unused()

    def _weight(self, node: NodeProto) -> Weight | None:
        """The FP32 weight that a product multiplies by, or None where it has none."""
        if node.op_type not in _PRODUCTS:
            return None
        tensor = self._constants.get(node.input[1])
        if tensor is None or tensor.data_type != tensor.FLOAT:
            return None
        return Weight(tensor.name or node.input[1], node.op_type, tuple(tensor.dims))

    def _is_pointwise(self, node: NodeProto) -> bool:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        ones = [
            set(attributes[name].ints) <= {1}
            for name in ("kernel_shape", "strides", "dilations")
            if name in attributes
        ]
        unpadded = "pads" not in attributes or not any(attributes["pads"].ints)
        one_group = "group" not in attributes or attributes["group"].i == 1
        dims = self._constants[node.input[1]].dims
        return (
            node.op_type == "Conv"
            and len(dims) == 3
            and dims[2] == 1
            and all(ones)
            and unpadded
            and one_group
        )

    def _pointwise(self, node: NodeProto) -> None:
        """A convolution of kernel 1 over (B, C, T) as a product over (B, T, C).

        ONNX Runtime removes the transpositions that meet those around them.
        """
        source, weight, output, bias = node.input[0], node.input[1], node.output[0], node.input[2:]
        time_major = f"{output}_time_major"
        self._add("Transpose", [source], [f"{time_major}_in"], perm=[0, 2, 1])
        product = f"{time_major}_product" if bias else time_major
        self._product(f"{time_major}_in", weight, product)
        if bias:
            self._add("Add", [product, bias[0]], [time_major])
        self._add("Transpose", [time_major], [output], perm=[0, 2, 1])

    def _product(self, source: str, weight: str, output: str) -> None:
        """``output = source @ weight`` in the form that ONNX Runtime fuses, a bias after it included."""
        integers, scale, zero_point = self._quantized_activation(source)
        weight_integers, weight_scales = self._quantized_weight(weight)
        self._add("MatMulInteger", [integers, weight_integers, zero_point], [f"{output}_sum"])
        self._add("Cast", [f"{output}_sum"], [f"{output}_float"], to=1)  # TensorProto.FLOAT
        self._add("Mul", [scale, weight_scales], [f"{output}_scales"])
        self._add("Mul", [f"{output}_float", f"{output}_scales"], [output])

    def _quantized_activation(self, source: str) -> tuple[str, str, str]:
        """Once for each tensor, however many products read it: query and key share theirs."""
        if source not in self._activations:
            names = (f"{source}_quantized", f"{source}_scale", f"{source}_zero_point")
            self._add("DynamicQuantizeLinear", [source], list(names))
            self._activations[source] = names
        return self._activations[source]

    def _quantized_weight(self, name: str) -> tuple[str, str]:
        from onnx import numpy_helper  # noqa: PLC0415

        tensor = self._constants[name]
        key = tensor.name or name
        if key not in self._int8_names:
            weight = numpy_helper.to_array(tensor)
            weight = weight[:, :, 0].T if weight.ndim == 3 else weight  # (n_out, n_in, 1) of a convolution
            integers, scales = quantize_weight(np.asarray(weight, np.float32))
            self._int8_names[key] = (f"{key}_quantized", f"{key}_scales")
            for array, its_name in zip((integers, scales), self._int8_names[key], strict=True):
                self._graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), its_name))
        return self._int8_names[key]

    def _add(self, op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        from onnx import helper  # noqa: PLC0415

        self._new_nodes.append(helper.make_node(op, inputs, outputs, name=f"{outputs[0]}/{op}", **attributes))

    def _drop_unused(self) -> None:
        """Remove the FP32 weights that nothing reads any more, and what only hands them on."""
        graph = self._graph
        while True:
            read = {name for node in graph.node for name in node.input}
            read |= {output.name for output in graph.output}
            unread = [
                i
                for i, node in enumerate(graph.node)
                if node.op_type in ("Constant", "Identity") and read.isdisjoint(node.output)
            ]
            for i in reversed(unread):
                del graph.node[i]
            if not unread:
                break
        for i in reversed(range(len(graph.initializer))):
            if graph.initializer[i].name not in read:
                del graph.initializer[i]


def _constants(graph: GraphProto) -> dict[str, TensorProto]:
    """Name -> tensor for what is constant: initializers, Constant nodes, and copies of either."""
    constants: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            constants[node.output[0]] = node.attribute[0].t
        elif node.op_type == "Identity" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
    return constants
