"""INT8 weights of a graph: whether their products fit into the 16 bits that some processors have for a pair.

Those that `quantize` writes do, on every processor (`rounding.EXACT`); those of others, and of its versions
before, need not. Where they do not, ONNX Runtime can take the weights as unsigned integers instead: exact,
with a slower kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gigastt_lab.int8_products import int8_is_exact
from gigastt_lab.model_cache import noted_of
from gigastt_lab.quantized_graph import constants
from gigastt_lab.rounding import EXACT, Int8Array
from gigastt_lab.runtime import is_int8

if TYPE_CHECKING:
    from onnx import GraphProto

_Kind = Mapping[str, tuple[int, ...]]

# Operators that multiply by INT8 weights, and which inputs those are. The rows of a product's weight meet in
# pairs; which weights of a convolution meet is its kernel's affair.
_PRODUCTS: Final[_Kind] = {
    "MatMulInteger": (1,),
    "DynamicQuantizeMatMul": (1,),
    "MatMulIntegerToFloat": (1,),
    "QLinearMatMul": (3,),
    "DynamicQuantizeLSTM": (1, 2),
}
_CONVOLUTIONS: Final[_Kind] = {"ConvInteger": (1,), "QLinearConv": (3,)}
# Operators that become some of the above where both of their inputs are dequantized.
_DEQUANTIZED: Final[Mapping[str, _Kind]] = {"MatMul": _PRODUCTS, "Gemm": _PRODUCTS, "Conv": _CONVOLUTIONS}


def saturates_here(path: Path) -> bool:
    """Whether sums of the INT8 products of a graph may saturate on this processor.

    Args:
        path: The graph; one that is not INT8 by its name is not looked at.
    """
    return is_int8(path.name) and not int8_is_exact() and saturates_somewhere(path)


def saturates_somewhere(path: Path) -> bool:
    """Whether sums of the INT8 products of a graph may saturate on a processor without VNNI.

    Args:
        path: The graph; found out once for each content (`model_cache`). One that cannot be read does not:
            whoever loads it says what is wrong with it. One that memory does not suffice for may.
    """
    try:
        return noted_of(path, "INT8 weights have large pairs", lambda: str(_has_large_pairs(path))) == "True"
    except MemoryError:
        return True
    except (OSError, _NotInOneFileError):
        return _has_large_pairs(path, external=True)


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


class _NotInOneFileError(Exception):
    """Weights in another file, of whose content nothing is noted: it may change without the graph's."""


def _has_large_pairs(path: Path, *, external: bool = False) -> bool:
    import onnx  # noqa: PLC0415 - once for each graph
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - onnx brings it

    try:
        graph = onnx.load(str(path), load_external_data=external).graph
    except (DecodeError, ValueError, OSError, onnx.checker.ValidationError):
        return False
    if not external and any(tensor.data_location == tensor.EXTERNAL for tensor in graph.initializer):
        raise _NotInOneFileError
    return any(_may_saturate(graph))


def _may_saturate(graph: GraphProto) -> Iterator[bool]:
    """Of each INT8 weight that something is multiplied by."""
    from onnx import numpy_helper  # noqa: PLC0415 - see `_has_large_pairs`

    known = constants(graph)
    for kind, name in _multiplied(graph):
        _, tensor = known.get(name, ("", None))
        if tensor is None or tensor.data_type != tensor.INT8:
            continue
        weight = numpy_helper.to_array(tensor)
        if kind is _PRODUCTS:
            yield weight.ndim > 1 and has_large_pairs(weight)
        else:
            yield bool(2 * np.abs(weight.astype(np.int16)).max(initial=0) > EXACT.largest_pair)


def _multiplied(graph: GraphProto) -> Iterator[tuple[_Kind, str]]:
    """Kind of operator, and name of what may be its weight."""
    dequantized = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    for node in graph.node:
        for kind in (_PRODUCTS, _CONVOLUTIONS):
            for position in kind.get(node.op_type, ()):
                yield kind, node.input[position]
        if node.op_type in _DEQUANTIZED and all(name in dequantized for name in node.input[:2]):
            yield _DEQUANTIZED[node.op_type], dequantized[node.input[1]]
