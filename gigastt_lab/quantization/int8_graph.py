"""INT8 graph that `quantize` writes: MatMul and pointwise convolutions of an FP32 graph, rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from gigastt_lab.errors import ModelError
from gigastt_lab.graphs.editor import GraphEditor
from gigastt_lab.graphs.weight_range import EXACT, WeightRange
from gigastt_lab.quantization.gptq import quantize_weight
from gigastt_lab.types import Float32Array, Int8Array

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

Recipe = Literal["matmul", "gate", "linear"]
DEFAULT_RECIPE: Final[Recipe] = "gate"
# In the metadata of the graph written: the recipe; how its weights were rounded, and inputs smoothed.
RECIPE_KEY: Final = "gigastt_lab.quantization"
ROUNDING_KEY: Final = "gigastt_lab.rounding"

# Name of a weight and the weight, (n_in, n_out), to its integers and their scales, (n_out,).
QuantizeWeight = Callable[[str, Float32Array], tuple[Int8Array, Float32Array]]

_PRODUCTS: Final = ("MatMul", "Gemm", "Conv")


@dataclass(frozen=True)
class Weight:
    """Weight of the encoder.

    Attributes:
        name: Name in the FP32 graph.
        op: Operator that multiplies by it.
        shape: Shape in the FP32 graph.
    """

    name: str
    op: str
    shape: tuple[int, ...]

    @property
    def n_parameters(self) -> int:
        """Number of parameters in it."""
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class ProductInput:
    """Tensor that MatMul, Gemm or convolutions multiply by their weights.

    Attributes:
        tensor: Name of the tensor in the FP32 graph.
        channels_first: True for shape (B, n_in, T), the input of a convolution; False for (..., n_in).
    """

    tensor: str
    channels_first: bool

    def rows(self, values: Float32Array) -> Float32Array:
        """Values of the tensor as rows that the weight is multiplied by. Shape (n_rows, n_in)."""
        time_major = values.transpose(0, 2, 1) if self.channels_first else values
        return time_major.reshape(-1, time_major.shape[-1])


def watch(graph: GraphProto, tensors: Iterable[str]) -> list[str]:
    """Make tensors outputs of the graph as well; returns the names of these outputs, in order."""
    editor = GraphEditor(graph)
    names = []
    for i, tensor in enumerate(tensors):
        names.append(f"watched_{i}")
        editor.add_output(names[-1], tensor)
    editor.finish()
    return names


def as_matrix(weight: Float32Array) -> Float32Array:
    """Weight as (n_in, n_out): that of a MatMul as it is, from (n_out, n_in, 1) that of a convolution."""
    return weight[:, :, 0].T if weight.ndim == 3 else weight


def nearest(allowed: WeightRange = EXACT) -> QuantizeWeight:
    """Rounding of each number by itself, to one of the integers allowed."""
    return lambda _, weight: quantize_weight(weight, allowed)


class Rewriter:
    """Rewriter of one graph, in place: MatMul and pointwise convolutions become MatMulInteger.

    Attributes:
        quantized: Weights that became INT8 so far.
        kept: Weights that stayed FP32 so far.
    """

    def __init__(
        self, graph: GraphProto, recipe: Recipe, quantize_weight: QuantizeWeight | None = None
    ) -> None:
        self.quantized: list[Weight] = []
        self.kept: list[Weight] = []
        self._graph = GraphEditor(graph)
        self._recipe = recipe
        self._quantize_weight = quantize_weight or nearest()
        self._int8_names: dict[str, tuple[str, str]] = {}  # weight -> its integers and scales
        self._activations: dict[str, tuple[str, str, str]] = {}  # tensor -> its integers, scale, zero point

    def rewrite(self) -> Iterator[None]:
        """Rewrite node by node; whoever iterates sees the progress."""
        for node in self._graph.nodes():
            weight = self._weight(node)
            if weight is not None and self._is_quantized(node, weight):
                if node.op_type == "Conv":
                    self._pointwise(node)
                else:
                    self._product(node, node.input[0], node.output[0])
                self.quantized.append(weight)
            elif weight is not None:
                self.kept.append(weight)
            yield
        self._graph.finish()

    def product_inputs(self) -> Mapping[str, tuple[ProductInput, ...]]:
        """Tensors that each weight to be quantized is multiplied by, by its name; valid before `rewrite`.

        Several tensors, where several nodes share a weight.
        """
        inputs: dict[str, tuple[ProductInput, ...]] = {}
        for node in self._graph.nodes():
            weight = self._weight(node)
            if weight is not None and self._is_quantized(node, weight):
                its_input = ProductInput(node.input[0], channels_first=node.op_type == "Conv")
                so_far = inputs.get(weight.name, ())
                inputs[weight.name] = so_far if its_input in so_far else (*so_far, its_input)
        return inputs

    def _is_quantized(self, node: NodeProto, weight: Weight) -> bool:
        """True if the recipe quantizes the weight of this node."""
        if node.op_type == "MatMul":
            return len(weight.shape) == 2
        if self._recipe == "matmul" or not self._graph.is_pointwise(node):
            return False
        n_out, n_in, _ = weight.shape
        return self._recipe == "linear" or n_out > n_in

    def _weight(self, node: NodeProto) -> Weight | None:
        """FP32 weight that a node multiplies by; None where it has none."""
        tensor = self._graph.tensor(node.input[1]) if node.op_type in _PRODUCTS else None
        if tensor is None or tensor.data_type != tensor.FLOAT:
            return None
        return Weight(self._graph.origin(node.input[1]), node.op_type, tuple(tensor.dims))

    def _pointwise(self, node: NodeProto) -> None:
        """Replace a convolution of kernel 1 over (B, C, T) by MatMulInteger over (B, T, C).

        ONNX Runtime removes the transpositions that meet those around them.
        """
        source, output, bias = node.input[0], node.output[0], node.input[2:]
        time_major = f"{output}_time_major"
        self._add(node, "Transpose", [source], [f"{time_major}_in"], perm=[0, 2, 1])
        product = f"{time_major}_product" if bias else time_major
        self._product(node, f"{time_major}_in", product)
        if bias:
            self._add(node, "Add", [product, bias[0]], [time_major])
        self._add(node, "Transpose", [time_major], [output], perm=[0, 2, 1])

    def _product(self, node: NodeProto, source: str, output: str) -> None:
        """Add ``output = source @ weight`` in the form that ONNX Runtime fuses, a bias after it included."""
        integers, scale, zero_point = self._quantized_activation(node, source)
        weight_integers, weight_scales = self._quantized_weight(node.input[1])
        self._add(node, "MatMulInteger", [integers, weight_integers, zero_point], [f"{output}_sum"])
        self._add(node, "Cast", [f"{output}_sum"], [f"{output}_float"], to=1)  # TensorProto.FLOAT
        self._add(node, "Mul", [scale, weight_scales], [f"{output}_scales"])
        self._add(node, "Mul", [f"{output}_float", f"{output}_scales"], [output])

    def _quantized_activation(self, node: NodeProto, source: str) -> tuple[str, str, str]:
        """Quantize a tensor, once for all nodes that read it: query and key share theirs."""
        if source not in self._activations:
            names = (f"{source}_quantized", f"{source}_scale", f"{source}_zero_point")
            self._add(node, "DynamicQuantizeLinear", [source], names)
            self._activations[source] = names
        return self._activations[source]

    def _quantized_weight(self, name: str) -> tuple[str, str]:
        key = self._graph.origin(name)
        if key not in self._int8_names:
            weight = self._graph.float32(key)
            if not np.isfinite(weight).all():
                raise ModelError(
                    f"weight {key} is not finite: the FP32 encoder is damaged; download it again"
                )
            integers, scales = self._quantize_weight(key, as_matrix(weight))
            self._int8_names[key] = (
                self._graph.add_constant(f"{key}_quantized", integers),
                self._graph.add_constant(f"{key}_scales", scales),
            )
        return self._int8_names[key]

    def _add(
        self, before: NodeProto, op: str, inputs: Iterable[str], outputs: Iterable[str], **attributes: Any
    ) -> None:
        self._graph.add(op, inputs, outputs, domain=None, at=self._graph.place(before), **attributes)
