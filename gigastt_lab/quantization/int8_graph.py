"""A graph's products rewritten for INT8, node by node; what `quantize` writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from gigastt_lab.errors import ModelError
from gigastt_lab.graphs.editor import constants, read_names
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
class ProductInput:
    """A tensor that products multiply by their weights.

    Attributes:
        tensor: Its name in the FP32 graph.
        channels_first: Whether it is of shape (B, n_in, T), as of a convolution, and not (..., n_in).
    """

    tensor: str
    channels_first: bool

    def rows(self, values: Float32Array) -> Float32Array:
        """What the tensor holds, as rows that the weight is multiplied by. Shape (n_rows, n_in)."""
        time_major = values.transpose(0, 2, 1) if self.channels_first else values
        return time_major.reshape(-1, time_major.shape[-1])


def watch(graph: GraphProto, tensors: Iterable[str]) -> list[str]:
    """Make tensors outputs of the graph as well; returns the names of these outputs, in order."""
    from onnx import TensorProto, helper

    names = []
    for i, tensor in enumerate(tensors):
        names.append(f"watched_{i}")
        # A copy, because a tensor may be an input or an output already.
        graph.node.append(helper.make_node("Identity", [tensor], [names[-1]]))
        graph.output.append(helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, None))
    return names


def as_matrix(weight: Float32Array) -> Float32Array:
    """A weight as (n_in, n_out): that of a product as it is, from (n_out, n_in, 1) that of a convolution."""
    return weight[:, :, 0].T if weight.ndim == 3 else weight


def nearest(allowed: WeightRange = EXACT) -> QuantizeWeight:
    """Each number by itself, to one of the integers allowed."""
    return lambda _, weight: quantize_weight(weight, allowed)


class Rewriter:
    """One graph, its products replaced in place.

    Attributes:
        quantized: So far.
        kept: So far.
    """

    def __init__(
        self, graph: GraphProto, recipe: Recipe, quantize_weight: QuantizeWeight | None = None
    ) -> None:
        self.quantized: list[Weight] = []
        self.kept: list[Weight] = []
        self._graph = graph
        self._recipe = recipe
        self._quantize_weight = quantize_weight or nearest()
        self._constants = constants(graph)
        self._new_nodes: list[NodeProto] = []
        self._int8_names: dict[str, tuple[str, str]] = {}  # weight -> its integers and scales
        self._activations: dict[str, tuple[str, str, str]] = {}  # tensor -> its integers, scale, zero point

    def rewrite(self) -> Iterator[None]:
        """Rewrite node by node; whoever iterates sees the progress."""
        for node in self._graph.node:
            weight = self._weight(node)
            if weight is None:
                self._new_nodes.append(node)
            elif not self._is_quantized(node, weight):
                self._new_nodes.append(node)
                self.kept.append(weight)
            else:
                if node.op_type == "Conv":
                    self._pointwise(node)
                else:
                    self._product(node.input[0], node.input[1], node.output[0])
                self.quantized.append(weight)
            yield
        del self._graph.node[:]
        self._graph.node.extend(self._new_nodes)
        self._drop_unused()

    def product_inputs(self) -> Mapping[str, tuple[ProductInput, ...]]:
        """What each weight that the recipe quantizes is multiplied by; to be asked before `rewrite`.

        Several tensors, where several products share a weight.
        """
        inputs: dict[str, tuple[ProductInput, ...]] = {}
        for node in self._graph.node:
            weight = self._weight(node)
            if weight is not None and self._is_quantized(node, weight):
                its_input = ProductInput(node.input[0], channels_first=node.op_type == "Conv")
                so_far = inputs.get(weight.name, ())
                inputs[weight.name] = so_far if its_input in so_far else (*so_far, its_input)
        return inputs

    def _is_quantized(self, node: NodeProto, weight: Weight) -> bool:
        """Whether the recipe quantizes the weight of this product."""
        if node.op_type == "MatMul":
            return len(weight.shape) == 2
        if self._recipe == "matmul" or not self._is_pointwise(node):
            return False
        n_out, n_in, _ = weight.shape
        return self._recipe == "linear" or n_out > n_in

    def _weight(self, node: NodeProto) -> Weight | None:
        """The FP32 weight that a product multiplies by, or None where it has none."""
        if node.op_type not in _PRODUCTS:
            return None
        name, tensor = self._constants.get(node.input[1], ("", None))
        if tensor is None or tensor.data_type != tensor.FLOAT:
            return None
        return Weight(name, node.op_type, tuple(tensor.dims))

    def _is_pointwise(self, node: NodeProto) -> bool:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        ones = [
            set(attributes[name].ints) <= {1}
            for name in ("kernel_shape", "strides", "dilations")
            if name in attributes
        ]
        unpadded = "pads" not in attributes or not any(attributes["pads"].ints)
        one_group = "group" not in attributes or attributes["group"].i == 1
        _, weight = self._constants[node.input[1]]
        dims = weight.dims
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
        from onnx import numpy_helper

        key, tensor = self._constants[name]
        if key not in self._int8_names:
            weight = numpy_helper.to_array(tensor)
            if not np.isfinite(weight).all():
                raise ModelError(
                    f"weight {key} is not finite: the FP32 encoder is damaged; download it again"
                )
            matrix = as_matrix(np.asarray(weight, np.float32))
            integers, scales = self._quantize_weight(key, matrix)
            self._int8_names[key] = (f"{key}_quantized", f"{key}_scales")
            for array, its_name in zip((integers, scales), self._int8_names[key], strict=True):
                self._graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), its_name))
        return self._int8_names[key]

    def _add(self, op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        from onnx import helper

        self._new_nodes.append(helper.make_node(op, inputs, outputs, name=f"{outputs[0]}/{op}", **attributes))

    def _drop_unused(self) -> None:
        """Remove the FP32 weights that nothing reads any more, and what only hands them on."""
        graph = self._graph
        while True:
            read = read_names(graph)
            unread = [
                i
                for i, node in enumerate(graph.node)
                if node.op_type in ("Constant", "Identity") and read.isdisjoint(node.output)
            ]
            for i in reversed(unread):
                del graph.node[i]
            if not unread:
                break
        gone = {tensor.name for tensor in graph.initializer} - read
        for entries in (graph.initializer, graph.input):  # older exports list weights as inputs, too
            for i in reversed(range(len(entries))):
                if entries[i].name in gone:
                    del entries[i]
