"""Self-attention with rotary positions, found in an exported graph and put into ONNX Runtime's operators."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from gigastt_lab.graphs.editor import MICROSOFT, GraphEditor
from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import NodeProto

# They only regroup one utterance's activations: (1, T, D), or (1, T, heads, D / heads) in any order.
_REGROUPING: Final = frozenset({"Reshape", "Transpose", "Cast", "Squeeze", "Unsqueeze", "Flatten"})


def rotary(graph: GraphEditor) -> int:
    """Rotary positions, ``x * cos + [-x2 | x1] * sin`` over the halves of each head, as one operator."""
    n_found = 0
    for node in graph.nodes("Add"):
        terms = [graph.producer(name) for name in node.input]
        if any(term is None or term.op_type != "Mul" for term in terms):
            continue
        turned = next((t for t in terms if t and _rotated_halves(graph, t)), None)
        straight = next((t for t in terms if t is not turned), None)
        if turned is None or straight is None:
            continue
        cos, sin, rotated = _table(graph, straight), _table(graph, turned), _rotated_halves(graph, turned)
        if cos is None or sin is None or rotated is None or rotated not in straight.input:
            continue
        source, result = _source(graph, rotated, _REGROUPING), _regrouped(graph, node.output[0])
        start = graph.add_constant("rotary_start", np.zeros(1, np.int64))
        tables = [
            graph.add_constant(f"rotary_{zlib.crc32(table.tobytes()):08x}", table) for table in (cos, sin)
        ]
        graph.add("RotaryEmbedding", [source, start, *tables], [result], domain=MICROSOFT, interleaved=0)
        n_found += 1
    return n_found


def attention(graph: GraphEditor) -> int:
    """Self-attention (scores, softmax, context) as one operator, which never holds all scores at once."""
    n_found = 0
    for node in graph.nodes("Softmax"):
        scores_name, scale = _unscaled(graph, node.input[0])
        scores, context = graph.producer(scores_name), graph.only_consumer(_regrouped(graph, node.output[0]))
        if scores is None or context is None or {scores.op_type, context.op_type} != {"MatMul"}:
            continue
        n_heads = _n_heads(graph, context)
        if n_heads is None:
            continue
        inputs = []
        for name in (*scores.input, context.input[1]):
            source, factor = _unscaled(graph, name)
            inputs.append(source)
            scale *= factor
        result = _regrouped(graph, context.output[0])
        graph.add(
            "MultiHeadAttention", inputs, [result], domain=MICROSOFT, num_heads=n_heads, scale=float(scale)
        )
        n_found += 1
    return n_found


def _rotated_halves(graph: GraphEditor, product: NodeProto) -> str | None:
    """The tensor x where one factor of the Mul node is [-x2 | x1]."""
    for name in product.input:
        concat = graph.producer(name)
        if concat is None or concat.op_type != "Concat" or len(concat.input) != 2:
            continue
        negated, first = (graph.producer(part) for part in concat.input)
        if negated is None or negated.op_type != "Neg" or first is None or first.op_type != "Slice":
            continue
        second = graph.producer(negated.input[0])
        if second is not None and second.op_type == "Slice" and second.input[0] == first.input[0]:
            source: str = first.input[0]
            return source
    return None


def _table(graph: GraphEditor, product: NodeProto) -> Float32Array | None:
    """The half table (positions, D / heads / 2) that a Mul node multiplies by, before it is cut to length."""
    for factor in product.input:
        name = _source(graph, factor, _REGROUPING | {"Slice"})
        if graph.is_constant(name):
            table = graph.float32(name)
            table = table.reshape(-1, table.shape[-1])
            first, second = np.split(table, 2, axis=1)
            return first if np.array_equal(first, second) else None
    return None


def _unscaled(graph: GraphEditor, name: str) -> tuple[str, float]:
    """The tensor behind `name` before it was regrouped and scaled, and the factor of all scaling."""
    scale = 1.0
    while (node := graph.producer(name)) is not None:
        if node.op_type in _REGROUPING:
            name = node.input[0]
        elif node.op_type == "Div" and (divisor := graph.scalar(node.input[1])):
            name, scale = node.input[0], scale / divisor
        elif node.op_type == "Mul" and (found := graph.with_scalar(node))[1] is not None:
            name, scale = found[0], scale * found[1]
        else:
            break
    return name, scale


def _source(graph: GraphEditor, name: str, op_types: frozenset[str]) -> str:
    """The tensor behind `name` before nodes of `op_types`."""
    while (node := graph.producer(name)) is not None and node.op_type in op_types:
        name = node.input[0]
    return name


def _regrouped(graph: GraphEditor, name: str) -> str:
    """The last tensor that `name` is regrouped into."""
    while (node := graph.only_consumer(name)) is not None and node.op_type in _REGROUPING:
        name = node.output[0]
    return name


def _n_heads(graph: GraphEditor, context: NodeProto) -> int | None:
    """Heads of an attention: the last constant sizes of the shape that its values were split into."""
    name = context.input[1]
    while (node := graph.producer(name)) is not None and node.op_type in _REGROUPING:
        if node.op_type == "Reshape":
            sizes = graph.known_sizes(node.input[1])
            return sizes[-2] if len(sizes) >= 2 and sizes[-2] > 0 else None
        name = node.input[0]
    return None
