"""Saturation of INT8 MatMul: pairs of weights whose sums exceed the 16 bits of processors without VNNI.

Weights that `quantize` writes are exact on every processor (`weight_range.EXACT`); those of others, and of
its versions before, need not be. Where they are not, the weights are made unsigned: exact, with a slower
kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gigastt_lab.errors import ModelError
from gigastt_lab.graphs.editor import GraphEditor
from gigastt_lab.graphs.view import GraphView
from gigastt_lab.graphs.weight_range import EXACT
from gigastt_lab.runtime.cache import noted_of
from gigastt_lab.runtime.processor import int8_is_exact
from gigastt_lab.runtime.session_options import is_int8
from gigastt_lab.runtime.sessions import RuntimeOptions, Session, build_session, load_session
from gigastt_lab.types import Int8Array

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

# Operators that multiply by INT8 weights: at which inputs those are, and at which their zero points. The rows
# of a MatMul's weight meet in pairs; which weights of a convolution meet is its kernel's affair.
_Places = Mapping[str, tuple[tuple[int, int], ...]]
_PRODUCTS: Final[_Places] = {
    "MatMulInteger": ((1, 3),),
    "DynamicQuantizeMatMul": ((1, 3),),
    "MatMulIntegerToFloat": ((1, 5),),
    "QLinearMatMul": ((3, 5),),
    "DynamicQuantizeLSTM": ((1, 9), (2, 11)),
}
_CONVOLUTIONS: Final[_Places] = {"ConvInteger": ((1, 3),), "QLinearConv": ((3, 5),)}
# Operators that become some of the above where both of their inputs are dequantized.
_DEQUANTIZED: Final[Mapping[str, _Places]] = {"MatMul": _PRODUCTS, "Gemm": _PRODUCTS, "Conv": _CONVOLUTIONS}
_DEQUANTIZE: Final = (0, 2)


@dataclass(frozen=True)
class _Use:
    """Use of a weight by a node.

    Attributes:
        node: Node that reads the weight.
        place: Its input that is the weight, and that which is the weight's zero point.
        is_convolution: True if the weight is that of a convolution.
    """

    node: NodeProto
    place: tuple[int, int]
    is_convolution: bool

    @property
    def weight(self) -> str:
        return str(self.node.input[self.place[0]])


def load_exactly(path: Path, options: RuntimeOptions) -> Session:
    """Load a graph as it is; with unsigned weights where its sums would saturate on this processor.

    Raises:
        ModelError: as `runtime.sessions.load_session`; or memory does not suffice to make weights unsigned.
        ModelNotFoundError, ProviderError: as `runtime.sessions.load_session`.
    """
    if not saturates_here(path):
        return load_session(path, options)
    import onnx

    try:
        model = onnx.load(str(path))
        make_unsigned(model.graph)
        content = model.SerializeToString()
    except MemoryError as error:
        raise ModelError(
            f"{path}: there is not enough memory to make its INT8 weights exact on this processor; "
            "make it again (python -m gigastt_lab quantize --force), or take --precision fp32"
        ) from error
    return build_session(content, str(path), options)


def make_unsigned(graph: GraphProto) -> int:
    """Make INT8 weights unsigned, in place, their zero points with them; returns how many there were.

    The results stay what they are: (w + 128) - (zero + 128). Without VNNI, ONNX Runtime multiplies unsigned
    weights by another kernel, which does not saturate; its own switch for this
    (``session.x64quantprecision``) does nothing for these graphs before version 1.30, and 1.22 dies of it.
    """
    editor = GraphEditor(graph)
    made: dict[str, str] = {}

    def unsigned(name: str) -> str:
        if name not in made:
            values = np.asarray(editor.constant(name), np.int16) + 128
            made[name] = editor.add_constant(f"{name}_unsigned", values.astype(np.uint8))
        return made[name]

    for use in list(_uses(editor)):
        place, zero_place = use.place
        zero_point = use.node.input[zero_place] if zero_place < len(use.node.input) else ""
        if not _is_int8(editor, use.weight) or (zero_point and not editor.is_constant(zero_point)):
            continue
        editor.set_input(use.node, place, unsigned(use.weight))
        if zero_point:
            zero_point = unsigned(zero_point)
        else:
            scales = editor.shape(use.node.input[1]) if use.place == _DEQUANTIZE else None
            zero_point = _zero_point(editor, scales or ())
        editor.set_input(use.node, zero_place, zero_point)
    editor.finish()
    return len(made)


def _zero_point(editor: GraphEditor, shape: tuple[int, ...]) -> str:
    """An unsigned zero point that stands for 0, of the shape of the scales; its name."""
    name = "_".join(["unsigned_zero", *map(str, shape)])
    return editor.add_constant(name, np.full(shape, 128, np.uint8))


def _is_int8(graph: GraphView, name: str) -> bool:
    tensor = graph.tensor(name)
    return tensor is not None and tensor.data_type == tensor.INT8


def saturates_here(path: Path) -> bool:
    """True if sums of INT8 products in a graph may saturate on this processor.

    Args:
        path: File of the graph; one that is not INT8 by its name is not looked at.
    """
    return is_int8(path.name) and not int8_is_exact() and saturates_somewhere(path)


def saturates_somewhere(path: Path) -> bool:
    """True if sums of INT8 products in a graph may saturate on a processor without VNNI.

    Args:
        path: File of the graph; found out once for each content (`runtime.cache`). One that cannot be read
            does not: whoever loads it says what is wrong with it. One that memory does not suffice for may.
    """
    try:
        return noted_of(path, "INT8 weights have large pairs", lambda: str(_has_large_pairs(path))) == "True"
    except MemoryError:
        return True
    except (OSError, _NotInOneFileError):
        return _has_large_pairs(path, external=True)


def has_large_pairs(weight: Int8Array) -> bool:
    """True if rows 2i and 2i + 1 may exceed 16 bits, multiplied by unsigned bytes and added.

    Args:
        weight: Integers of a MatMul's weight. Shape (..., n_in, n_out).

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
    """Weights are in another file, of which nothing is noted: it may change without the graph's."""


def _has_large_pairs(path: Path, *, external: bool = False) -> bool:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(str(path), load_external_data=external).graph
    except (DecodeError, ValueError, OSError, onnx.checker.ValidationError):
        return False
    if not external and any(tensor.data_location == tensor.EXTERNAL for tensor in graph.initializer):
        raise _NotInOneFileError
    return any(_may_saturate(graph))


def _may_saturate(graph: GraphProto) -> Iterator[bool]:
    """True or False for each use of an INT8 weight: its sums may saturate, or not."""
    view = GraphView(graph)
    for use in _uses(view):
        if not _is_int8(view, use.weight):
            continue
        weight = np.asarray(view.constant(use.weight), np.int8)
        if use.is_convolution:
            yield bool(2 * np.abs(weight.astype(np.int16)).max(initial=0) > EXACT.largest_pair)
        else:
            yield weight.ndim > 1 and has_large_pairs(weight)


def _uses(graph: GraphView) -> Iterator[_Use]:
    """Uses of tensors that may be weights, whatever their type."""
    for node in graph.nodes():
        for places in (_PRODUCTS, _CONVOLUTIONS):
            for place in places.get(node.op_type, ()):
                yield _Use(node, place, places is _CONVOLUTIONS)
        if node.op_type in _DEQUANTIZED:
            factors = [graph.producer(name) for name in node.input[:2]]
            weight = factors[-1]
            is_dequantized = all(each is not None and each.op_type == "DequantizeLinear" for each in factors)
            if weight is not None and is_dequantized:
                yield _Use(weight, _DEQUANTIZE, _DEQUANTIZED[node.op_type] is _CONVOLUTIONS)
