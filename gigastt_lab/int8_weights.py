"""INT8 weights of a graph: whether their products fit into the 16 bits that some processors have for a pair.

Those that `quantize` writes do, on every processor (`rounding.EXACT`); those of others, and of its versions
before, need not. Where they do not, ONNX Runtime can take the weights as unsigned integers instead: exact,
with a slower kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gigastt_lab.int8_products import int8_is_exact
from gigastt_lab.model_cache import noted_of
from gigastt_lab.quantized_graph import constants
from gigastt_lab.rounding import EXACT, Int8Array

if TYPE_CHECKING:
    from onnx import GraphProto

# Operators that multiply by an INT8 weight, and which input that is. The rows of a product's weight meet in
# pairs; which weights of a convolution meet is its kernel's affair.
_PRODUCTS: Final = {
    "MatMulInteger": 1,
    "DynamicQuantizeMatMul": 1,
    "MatMulIntegerToFloat": 1,
    "QLinearMatMul": 3,
}
_CONVOLUTIONS: Final = {"ConvInteger": 1, "QLinearConv": 3}


def saturates_here(path: Path) -> bool:
    """Whether sums of the INT8 products of a graph may saturate on this processor (`saturates_somewhere`)."""
    return not int8_is_exact() and saturates_somewhere(path)


def saturates_somewhere(path: Path) -> bool:
    """Whether sums of the INT8 products of a graph may saturate on a processor without VNNI.

    Args:
        path: The graph; found out once for each content (`model_cache`). One that cannot be read does not:
            whoever loads it says what is wrong with it.
    """
    try:
        return noted_of(path, "INT8 weights have large pairs", lambda: str(_has_large_pairs(path))) == "True"
    except OSError:
        return False


def has_large_pairs(weight: Int8Array) -> bool:
    """Whether two rows that follow each other may exceed 16 bits, multiplied by unsigned bytes and added.

    Args:
        weight: Shape (..., n_in, n_out).

    >>> has_large_pairs(np.array([[127], [1], [-64], [-64], [127]], np.int8))
    False
    >>> has_large_pairs(np.array([[65], [64]], np.int8))
    True
    """
    n_paired = weight.shape[-2] // 2 * 2
    first, second = (weight[..., start:n_paired:2, :].astype(np.int16) for start in (0, 1))
    positive = np.maximum(first, 0) + np.maximum(second, 0)
    negative = np.minimum(first, 0) + np.minimum(second, 0)
    return bool(max(positive.max(initial=0), -negative.min(initial=0)) > EXACT.largest_pair)


def _has_large_pairs(path: Path) -> bool:
    import onnx  # noqa: PLC0415 - once for each graph
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - onnx brings it

    try:
        graph = onnx.load(str(path)).graph
    except (DecodeError, ValueError, onnx.checker.ValidationError):
        return False
    return any(_may_saturate(graph))


def _may_saturate(graph: GraphProto) -> Iterator[bool]:
    """Of each INT8 weight that something is multiplied by."""
    from onnx import numpy_helper  # noqa: PLC0415 - see `_has_large_pairs`

    known = constants(graph)
    for node in graph.node:
        position = (_PRODUCTS | _CONVOLUTIONS).get(node.op_type)
        _, tensor = known.get(node.input[position], ("", None)) if position is not None else ("", None)
        if tensor is None or tensor.data_type != tensor.INT8:
            continue
        weight = numpy_helper.to_array(tensor)
        if node.op_type in _PRODUCTS:
            yield weight.ndim > 1 and has_large_pairs(weight)
        else:
            yield bool(2 * np.abs(weight.astype(np.int16)).max(initial=0) > EXACT.largest_pair)
