"""Evens out the channels of what products multiply, so that one scale fits them all: SmoothQuant.

Activations are quantized with one scale for a whole tensor, which its largest channel decides; weights with
one for each output. Dividing each channel of the input by a factor and multiplying the weight's row by the
same leaves the product as it is, and moves the differences to where they cost less. The factor goes into the
LayerNorm before the product, for nothing; a convolution that has none before it gets a multiplication, all of
them together less than one per cent of the encoder's time. Other inputs stay as they are: rotary positions
mix the channels of query and key, and behind a SiLU they are four times as wide.

Source: Xiao et al., "SmoothQuant" (arXiv 2211.10438), with its migration strength of 0.5.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gigastt_lab.graphs.editor import constants, read_names
from gigastt_lab.quantization.calibration import Calibration
from gigastt_lab.quantization.int8_graph import ProductInput, as_matrix
from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto

_SMALLEST_FACTOR = 0.25
_CHANNELS_LAST = [0, 2, 1]  # the permutation between (B, T, C) and (B, C, T)


def smooth(graph: GraphProto, calibration: Calibration) -> int:
    """Even out the inputs of the products that were calibrated, where they can be; returns how many were.

    Args:
        graph: The FP32 encoder, changed in place; what it computes stays the same.
        calibration: What its products multiply; changed with it.
    """
    smoother = _Smoother(graph, calibration)
    return sum([smoother.smooth(tensor) for tensor in calibration.tensors])


def factors(largest_inputs: Float32Array, largest_weights: Float32Array) -> Float32Array:
    """What each channel is divided by, so that inputs and weights are equally far from even.

    Args:
        largest_inputs: Of each channel, the largest absolute value. Shape (n_in,).
        largest_weights: The same of each row of the weights. Shape (n_in,).

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
    """One graph, and who reads what in it."""

    def __init__(self, graph: GraphProto, calibration: Calibration) -> None:
        self._graph = graph
        self._calibration = calibration
        self._constants = constants(graph)
        self._producers = {name: node for node in graph.node for name in node.output}
        self._n_readers = Counter(self._origin(output.name) for output in graph.output)
        self._readers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            if all(name in self._constants for name in node.output):
                continue  # a copy of a constant
            for name in node.input:
                self._readers.setdefault(self._origin(name), []).append(node)
                self._n_readers[self._origin(name)] += 1
            for attribute in node.attribute:
                for inner in (attribute.g, *attribute.graphs):
                    self._n_readers.update(map(self._origin, read_names(inner)))

    def smooth(self, tensor: ProductInput) -> bool:
        """Even out one input: where only calibrated products read it, and a factor finds its place."""
        weights = self._calibration.weights_of(tensor)
        products = self._readers.get(tensor.tensor, [])
        used = Counter(
            self._origin(node.input[1])
            for node in products
            if node.op_type in ("MatMul", "Conv") and node.input[0] == tensor.tensor
        )
        if used.keys() != weights or used.total() != self._n_readers[tensor.tensor]:
            return False
        if any(n_uses != self._n_readers[weight] for weight, n_uses in used.items()):
            return False
        rows = [np.abs(as_matrix(self._array(weight))).max(axis=1) for weight in weights]
        by = factors(self._calibration.largest(tensor), np.max(rows, axis=0))
        if not self._divide(tensor, by):
            return False
        for weight in weights:
            array = self._array(weight)
            self._replace(weight, array * (by[None, :, None] if array.ndim == 3 else by[:, None]))
        self._calibration.divide(tensor, by)
        return True

    def _divide(self, tensor: ProductInput, by: Float32Array) -> bool:
        """Divide the channels of a tensor where it comes from; false where that cannot be done."""
        name, last = tensor.tensor, not tensor.channels_first
        producer = self._producers.get(name)
        if tensor.channels_first and producer is not None and _turns(producer):
            name, last = producer.input[0], True
            if self._n_readers[name] != 1:
                return False
        producer = self._producers.get(name)
        if last and producer is not None and producer.op_type == "LayerNormalization":
            return self._divide_norm(producer, by)
        if not tensor.channels_first:
            return False
        factor = np.reciprocal(by)
        self._multiply(name, factor if last else factor[:, None])
        return True

    def _divide_norm(self, norm: NodeProto, by: Float32Array) -> bool:
        """By its scale and bias, which other norms may share."""
        parameters = [name for name in norm.input[1:] if name]
        if any(name not in self._constants or self._array(name).shape != by.shape for name in parameters):
            return False
        for i, name in enumerate(parameters, start=1):
            norm.input[i] = self._constant(f"{norm.output[0]}_smoothed_{i}", self._array(name) / by)
        return True

    def _multiply(self, name: str, factor: Float32Array) -> None:
        """Put a multiplication between a tensor and all who read it."""
        from onnx import helper

        product = f"{name}_smoothed"
        for reader in self._readers[name]:
            for i, its_input in enumerate(reader.input):
                if its_input == name:
                    reader.input[i] = product
        node = helper.make_node(
            "Mul", [name, self._constant(f"{product}_factor", factor)], [product], product
        )
        position = next((i for i, each in enumerate(self._graph.node) if name in each.output), -1)
        self._graph.node.insert(position + 1, node)

    def _constant(self, name: str, array: Float32Array) -> str:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def _origin(self, name: str) -> str:
        return self._constants[name][0] if name in self._constants else name

    def _tensor(self, name: str) -> TensorProto:
        return self._constants[name][1]

    def _array(self, name: str) -> Float32Array:
        from onnx import numpy_helper

        return np.asarray(numpy_helper.to_array(self._tensor(name)), np.float32)

    def _replace(self, name: str, array: Float32Array) -> None:
        from onnx import numpy_helper

        tensor = self._tensor(name)
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), tensor.name))


def _turns(node: NodeProto) -> bool:
    """Whether it makes channels first of channels last."""
    permutations: list[Any] = [list(attribute.ints) for attribute in node.attribute]
    return node.op_type == "Transpose" and permutations == [_CHANNELS_LAST]
