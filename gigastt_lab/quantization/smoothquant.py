"""SmoothQuant: the channels of MatMul inputs evened out, so that one scale fits them all.

Activations are quantized with one scale for a whole tensor, which its largest channel decides; weights with
one for each output. Dividing each channel of the input by a factor and multiplying the weight's row by the
same leaves the output as it is, and moves the differences to where they cost less. The factor goes into the
LayerNorm before the MatMul, for nothing; a convolution that has none before it gets a multiplication, all of
them together less than one per cent of the encoder's time. Other inputs stay as they are: rotary positions
mix the channels of query and key, and behind a SiLU they are four times as wide.

Source: Xiao et al., "SmoothQuant" (arXiv 2211.10438), with its migration strength of 0.5.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from gigastt_lab.graphs.editor import GraphEditor
from gigastt_lab.graphs.view import attribute
from gigastt_lab.quantization.calibration import Calibration
from gigastt_lab.quantization.int8_graph import ProductInput, as_matrix
from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_SMALLEST_FACTOR = 0.25
_CHANNELS_LAST = [0, 2, 1]  # the permutation between (B, T, C) and (B, C, T)


def smooth(graph: GraphProto, calibration: Calibration) -> int:
    """Even out the MatMul inputs that were calibrated, where they can be; returns the number of those.

    Args:
        graph: The FP32 encoder, changed in place; its function stays the same.
        calibration: Statistics of its MatMul inputs; changed with it.
    """
    editor = GraphEditor(graph)
    smoother = _Smoother(editor, calibration)
    n_smoothed = sum([smoother.smooth(tensor) for tensor in calibration.tensors])
    if n_smoothed:
        editor.finish()
    return n_smoothed


def factors(largest_inputs: Float32Array, largest_weights: Float32Array) -> Float32Array:
    """Smoothing factors that channels are divided by, so that inputs and weights are equally far from even.

    Args:
        largest_inputs: Largest absolute value of each channel of the input. Shape (n_in,).
        largest_weights: Largest absolute value of each row of the weights. Shape (n_in,).

    Returns:
        Shape (n_in,). Their geometric mean is 1, but for what was less than a quarter: a channel that was
        quiet in some minutes of speech may be loud in others, and must not become much louder than the rest.
        Where a channel or a row is zero, 1.

    >>> factors(np.array([16.0, 1.0, 0.0]), np.array([1.0, 1.0, 7.0])).round(3).tolist()
    [2.0, 0.5, 1.0]
    """
    is_used = (largest_inputs > 0) & (largest_weights > 0)
    found: Float32Array = np.ones(len(is_used), np.float32)
    if is_used.any():
        logs = (np.log(largest_inputs[is_used]) - np.log(largest_weights[is_used])) / 2
        found[is_used] = np.maximum(np.exp(logs - logs.mean()), _SMALLEST_FACTOR)
    return found


class _Smoother:
    """One graph and its calibration, smoothed together."""

    def __init__(self, graph: GraphEditor, calibration: Calibration) -> None:
        self._graph = graph
        self._calibration = calibration

    def smooth(self, tensor: ProductInput) -> bool:
        """Even out one input; False where others read it too, or the factor has no place."""
        graph, weights = self._graph, self._calibration.weights_of(tensor)
        used = Counter(
            graph.origin(node.input[1])
            for node in graph.consumers(tensor.tensor)
            if node.op_type in ("MatMul", "Conv") and node.input[0] == tensor.tensor
        )
        if used.keys() != weights or used.total() != graph.n_uses(tensor.tensor):
            return False
        if any(n_uses != graph.n_uses(weight) for weight, n_uses in used.items()):
            return False
        rows = [np.abs(as_matrix(graph.float32(weight))).max(axis=1) for weight in weights]
        by = factors(self._calibration.largest(tensor), np.max(rows, axis=0))
        if not self._divide(tensor, by):
            return False
        for weight in weights:
            array = graph.float32(weight)
            graph.add_constant(weight, array * (by[None, :, None] if array.ndim == 3 else by[:, None]))
        self._calibration.divide(tensor, by)
        return True

    def _divide(self, tensor: ProductInput, by: Float32Array) -> bool:
        """Divide the channels of a tensor where it comes from; False where that cannot be done."""
        name, last = tensor.tensor, not tensor.channels_first
        producer = self._graph.producer(name)
        if tensor.channels_first and producer is not None and _turns(producer):
            name, last = producer.input[0], True
            if self._graph.n_uses(name) != 1:
                return False
        producer = self._graph.producer(name)
        if last and producer is not None and producer.op_type == "LayerNormalization":
            return self._divide_norm(producer, by)
        if not tensor.channels_first:
            return False
        factor = np.reciprocal(by)
        self._multiply(name, factor if last else factor[:, None])
        return True

    def _divide_norm(self, norm: NodeProto, by: Float32Array) -> bool:
        """Divide the scale and bias of a LayerNorm, which other norms may share."""
        parameters = [name for name in norm.input[1:] if name]
        if any(self._graph.shape(name) != by.shape for name in parameters):
            return False
        for i, name in enumerate(parameters, start=1):
            divided = self._graph.float32(name) / by
            new = self._graph.add_constant(f"{norm.output[0]}_smoothed_{i}", divided)
            self._graph.set_input(norm, i, new)
        return True

    def _multiply(self, name: str, factor: Float32Array) -> None:
        """Put a multiplication between a tensor and all who read it."""
        graph, product = self._graph, f"{name}_smoothed"
        producer = graph.producer(name)
        place = 0 if producer is None else graph.place(producer) + 1
        for reader in graph.consumers(name):
            for i, its_input in enumerate(reader.input):
                if its_input == name:
                    graph.set_input(reader, i, product)
        factor_name = graph.add_constant(f"{product}_factor", factor)
        graph.add("Mul", [name, factor_name], [product], name=product, domain=None, at=place)


def _turns(node: NodeProto) -> bool:
    """True for a Transpose that makes channels first of channels last."""
    return node.op_type == "Transpose" and attribute(node, "perm") == _CHANNELS_LAST
