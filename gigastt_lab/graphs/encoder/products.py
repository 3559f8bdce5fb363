"""Linear layers in FP32 (MatMul and bias), laid out as the processor multiplies them fastest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gigastt_lab.graphs.editor import GraphEditor
from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import NodeProto


@dataclass(frozen=True)
class _Linear:
    """Linear layer, source @ weight + bias: (1, T, n_in) to (1, T, n_out)."""

    source: str
    weight: Float32Array
    bias: Float32Array


# A deep matrix product is computed as two of half the depth: at GigaAM's feed-forward layers (768 x 3072 x
# 768, one thread, AVX-512) both MatMul and the activation between them took 9.3, 36.1 and 67.9 ms for 100,
# 400 and 750 frames whole, 8.8, 34.5 and 63.7 ms in halves, as much in quarters.
_PARTS = 2


def fold_factors(graph: GraphEditor) -> int:
    """Move the factor behind a linear layer (the half steps of a Conformer) into its weights and bias."""
    n_found = 0
    for node in graph.nodes("Mul"):
        sum_name, factor = graph.with_scalar(node)
        layer = graph.private_producer(sum_name, "Add")
        if factor is None or layer is None:
            continue
        product, bias = graph.with_constant(layer)
        if bias is None or not _scale_product(graph, product, factor):
            continue
        scaled = graph.add_constant(f"{node.output[0]}_bias", graph.float32(bias) * np.float32(factor))
        graph.add("Add", [product, scaled], [node.output[0]])
        n_found += 1
    return n_found


def _scale_product(graph: GraphEditor, product: str, factor: float) -> bool:
    """Multiply the weights of the MatMul behind `product` by `factor`; False where they are not found."""
    node = graph.private_producer(product, "MatMul", "Mul")
    if (
        node is not None and node.op_type == "Mul"
    ):  # integers * (scale of the activation * scales of the weight)
        node = next((made for name in node.input if (made := graph.private_producer(name, "Mul"))), None)
    if node is None:
        return False
    varying, weight = graph.with_constant(node)
    if weight is None:
        return False
    scaled = graph.add_constant(f"{node.output[0]}_weight", graph.float32(weight) * np.float32(factor))
    graph.add(node.op_type, [varying, scaled], node.output)
    return True


def pointwise_as_product(graph: GraphEditor) -> int:
    """Convolutions of kernel 1 over (1, C, T) as MatMul over (1, T, C); ONNX Runtime drops what cancels."""
    n_found = 0
    for node in graph.nodes("Conv"):
        if not graph.is_pointwise(node):
            continue
        name = node.output[0]
        before, product, after = (f"{name}_{part}" for part in ("time_major", "product", "sum"))
        weight = graph.add_constant(f"{name}_weight", graph.float32(node.input[1])[:, :, 0].T)
        biases = node.input[2:]
        graph.add("Transpose", [node.input[0]], [before], perm=[0, 2, 1])
        graph.add("MatMul", [before, weight], [product])
        if biases:
            graph.add("Add", [product, biases[0]], [after])
        graph.add("Transpose", [after if biases else product], [name], perm=[0, 2, 1])
        n_found += 1
    return n_found


def halve_feed_forward(graph: GraphEditor) -> int:
    """Feed-forward layers in two halves of their inner width; the second adds to the first."""
    n_found = 0
    for last in graph.nodes("Add"):
        outer = _linear(graph, last)
        swish = None if outer is None else graph.private_producer(outer.source, "Mul")
        inner_sum = None if swish is None else _swish_source(graph, swish)
        inner = None if inner_sum is None else _linear(graph, graph.producer(inner_sum))
        if outer is None or inner is None or len(outer.bias) >= len(outer.weight):
            continue
        name = last.output[0]
        rows = _as_rows(graph, inner.source, inner.weight.shape[0], name)
        total = graph.add_constant(f"{name}_bias", outer.bias)
        for i, part in enumerate(np.array_split(np.arange(len(outer.weight)), _PARTS)):
            hidden = _gemm(graph, rows, inner.weight[:, part], inner.bias[part], f"{name}_hidden{i}")
            graph.add("Sigmoid", [hidden], [f"{hidden}_gate"])
            graph.add("Mul", [hidden, f"{hidden}_gate"], [f"{hidden}_swish"])
            weight = graph.add_constant(f"{name}_weight{i}", outer.weight[part])
            graph.add("Gemm", [f"{hidden}_swish", weight, total], [f"{name}_total{i}"])
            total = f"{name}_total{i}"
        _from_rows(graph, total, outer.weight.shape[1], name)
        n_found += 1
    return n_found


def _linear(graph: GraphEditor, node: NodeProto | None) -> _Linear | None:
    """Linear layer that ends in an Add; None where there is none."""
    if node is None or node.op_type != "Add":
        return None
    product_name, bias = graph.with_constant(node)
    product = graph.private_producer(product_name, "MatMul")
    shape = None if product is None else graph.shape(product.input[1])
    if bias is None or product is None or shape is None or len(shape) != 2 or graph.shape(bias) != shape[1:]:
        return None
    return _Linear(product.input[0], graph.float32(product.input[1]), graph.float32(bias))


def _swish_source(graph: GraphEditor, product: NodeProto) -> str | None:
    """The tensor x where the Mul node is x * sigmoid(x)."""
    for source, gate in (product.input, reversed(product.input)):
        sigmoid = graph.private_producer(gate, "Sigmoid")
        if sigmoid is not None and sigmoid.input[0] == source:
            return str(source)
    return None


def _gemm(graph: GraphEditor, rows: str, weight: Float32Array, bias: Float32Array, output: str) -> str:
    constants = [
        graph.add_constant(f"{output}_{part}", a) for part, a in (("weight", weight), ("bias", bias))
    ]
    graph.add("Gemm", [rows, *constants], [output])
    return output


def _as_rows(graph: GraphEditor, source: str, width: int, output: str) -> str:
    """Reshape (1, T, width) to (T, width), which Gemm takes; nothing is copied."""
    shape = graph.add_constant(f"rows_of_{width}", np.array([-1, width]))
    graph.add("Reshape", [source, shape], [f"{output}_in_rows"])
    return f"{output}_in_rows"


def _from_rows(graph: GraphEditor, rows: str, width: int, output: str) -> None:
    shape = graph.add_constant(f"utterance_of_{width}", np.array([1, -1, width]))
    graph.add("Reshape", [rows, shape], [output])
