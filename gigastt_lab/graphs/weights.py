"""Weights of the predictor and the joiner, read out of their ONNX graphs by structure, not by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gigastt_lab.graphs.graph_file import load_whole_graph
from gigastt_lab.runtime.sessions import RuntimeOptions, build_session
from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import NodeProto

# They move or copy numbers without changing them; what they really do is verified by the caller.
_SHAPE_OPS = frozenset({"Transpose", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Identity", "Cast"})


class UnrecognisedGraphError(ValueError):
    """A graph of another structure than this module knows; the message says where it differs."""


@dataclass(frozen=True)
class PredictorWeights:
    """An embedding and one LSTM cell.

    Attributes:
        embedding: Shape (n_vocabulary, n_embedding).
        from_input: Shape (n_embedding, 4 * n_hidden); gates in ONNX's order: input, output, forget, cell.
        from_hidden: Shape (n_hidden, 4 * n_hidden).
        bias: Sum of the two biases of the LSTM. Shape (4 * n_hidden,).
    """

    embedding: Float32Array
    from_input: Float32Array
    from_hidden: Float32Array
    bias: Float32Array


@dataclass(frozen=True)
class JoinerWeights:
    """ReLU(encoded @ from_encoder + predicted @ from_predictor + bias) @ output + output_bias.

    Attributes:
        from_encoder: Shape (n_encoded, n_joiner).
        from_predictor: Shape (n_predicted, n_joiner).
        bias: Shape (n_joiner,).
        output: Shape (n_joiner, n_vocabulary).
        output_bias: Shape (n_vocabulary,).
    """

    from_encoder: Float32Array
    from_predictor: Float32Array
    bias: Float32Array
    output: Float32Array
    output_bias: Float32Array


def read_predictor(path: Path) -> PredictorWeights:
    """The predictor's weights.

    Raises:
        UnrecognisedGraphError: it is not an embedding followed by one plain LSTM layer.
    """
    graph = _Graph(path)
    lstm = graph.producer(graph.outputs[0], "LSTM")
    inputs = [*lstm.input, *[""] * (8 - len(lstm.input))]
    x, w, r, bias, sequence_lengths, peepholes = *inputs[:5], inputs[7]
    attributes = {attribute.name: attribute for attribute in lstm.attribute}
    if sequence_lengths or peepholes or {"activations", "clip"} & attributes.keys():
        raise UnrecognisedGraphError("the LSTM has lengths, peepholes, clipping or other activations")
    if any(attributes[name].i for name in ("layout", "input_forget") if name in attributes):
        raise UnrecognisedGraphError("the LSTM has another layout or coupled gates")
    gather = graph.producer(x, "Gather")
    if graph.source(gather.input[1]) != graph.inputs[0]:
        raise UnrecognisedGraphError("the embedding is not looked up by the token alone")
    embedding, from_input, from_hidden = (graph.value(name) for name in (gather.input[0], w, r))
    if len(from_input) != 1:
        raise UnrecognisedGraphError("the LSTM is bidirectional")
    biases = graph.value(bias) if bias else np.zeros(2 * from_input.shape[1], np.float32)
    return PredictorWeights(
        embedding, from_input[0].T, from_hidden[0].T, biases.reshape(2, -1).sum(axis=0, dtype=np.float32)
    )


def read_joiner(path: Path) -> JoinerWeights:
    """The joiner's weights.

    Raises:
        UnrecognisedGraphError: it is not two linear layers, their sum, ReLU and a linear layer.
    """
    graph = _Graph(path)
    scores = graph.source(graph.outputs[0])
    if graph.op(scores) == "LogSoftmax":
        scores = graph.producer(scores, "LogSoftmax").input[0]
    output = graph.linear(scores)
    relu = graph.producer(output.source, "Relu")
    name, bias = graph.without_bias(relu.input[0])
    branches = {}
    for branch in graph.producer(name, "Add").input:
        linear = graph.linear(branch)
        branches[linear.source] = linear
    if branches.keys() != set(graph.inputs):
        raise UnrecognisedGraphError("the sum before the ReLU is not one of both inputs")
    encoder, predictor = (branches[name] for name in graph.inputs)
    return JoinerWeights(
        encoder.weight, predictor.weight, bias + encoder.bias + predictor.bias, output.weight, output.bias
    )


@dataclass(frozen=True)
class _Linear:
    """source @ weight + bias; the bias has shape (n_out,), or () where there is none."""

    source: str
    weight: Float32Array
    bias: Float32Array


class _Graph:
    """An ONNX graph that can be walked from its outputs back to its inputs."""

    def __init__(self, path: Path) -> None:
        self._model = load_whole_graph(path)
        graph = self._model.graph
        self._initializers = {tensor.name: tensor for tensor in graph.initializer}
        # Old exports list the initializers among the inputs too.
        self.inputs = [node.name for node in graph.input if node.name not in self._initializers]
        self.outputs = [node.name for node in graph.output]
        self._producers = {name: node for node in graph.node for name in node.output}
        self._constants = set(self._initializers)
        for node in graph.node:  # in topological order, as ONNX demands
            if all(name in self._constants for name in node.input if name):
                self._constants.update(node.output)

    def op(self, name: str) -> str:
        """The operator that makes `name`; empty for an input of the graph."""
        return self._producers[name].op_type if name in self._producers else ""

    def source(self, name: str) -> str:
        """The tensor that `name` is once operators that only move numbers are undone."""
        while self.op(name) in _SHAPE_OPS and name not in self._constants:
            name = self._producers[name].input[0]
        return name

    def producer(self, name: str, op_type: str) -> NodeProto:
        """The node behind `name`, which must be of type `op_type`."""
        name = self.source(name)
        if self.op(name) != op_type:
            raise UnrecognisedGraphError(f"{name!r} comes from {self.op(name) or 'an input'}, not {op_type}")
        node: NodeProto = self._producers[name]
        return node

    def without_bias(self, name: str) -> tuple[str, Float32Array]:
        """Undo additions of constants: the tensor before them, and their sum."""
        bias: Float32Array = np.zeros((), np.float32)
        while self.op(name := self.source(name)) == "Add":
            variable, constants = self._split(self._producers[name])
            if len(constants) != 1:
                break
            bias = bias + self.value(constants[0]).ravel()
            (name,) = variable
        return name, bias

    def linear(self, name: str) -> _Linear:
        """`name` as a linear function of one other tensor."""
        name, bias = self.without_bias(name)
        op_type = self.op(name)
        if op_type not in ("MatMul", "Gemm"):
            raise UnrecognisedGraphError(f"{name!r} comes from {op_type or 'an input'}, not MatMul or Gemm")
        node = self._producers[name]
        options = {attribute.name: attribute for attribute in node.attribute}
        if any(options[key].f != 1.0 for key in ("alpha", "beta") if key in options):
            raise UnrecognisedGraphError(f"{name!r} is a scaled Gemm")
        x, w, *c = node.input
        flip = "transB" in options and bool(options["transB"].i)
        if x in self._constants:  # W @ x, on features that are not the last axis
            x, w, flip = w, x, True
        if w not in self._constants or x in self._constants:
            raise UnrecognisedGraphError(f"{name!r} is not a product with one constant")
        weight = self.value(w)
        weight = weight.reshape(weight.shape[-2:])
        if c and c[0]:
            bias = bias + self.value(c[0]).ravel()
        return _Linear(self.source(x), weight.T if flip else weight, bias)

    def value(self, name: str) -> Float32Array:
        """A constant, computed where the graph computes it from other constants."""
        from onnx import TensorProto, helper, numpy_helper

        if name not in self._constants:
            raise UnrecognisedGraphError(f"{name!r} is not constant")
        array: npt.NDArray[np.generic]
        if name in self._initializers:
            array = numpy_helper.to_array(self._initializers[name])
        else:
            nodes = [node for node in self._model.graph.node if self._constants.issuperset(node.output)]
            graph = helper.make_graph(
                nodes,
                "constants",
                [],
                [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
                list(self._initializers.values()),
            )
            model = helper.make_model(
                graph, opset_imports=self._model.opset_import, ir_version=self._model.ir_version
            )
            options = RuntimeOptions(provider="cpu", threads=1)
            (array,) = build_session(model.SerializeToString(), name, options).run()
        return np.asarray(array, np.float32)

    def _split(self, node: NodeProto) -> tuple[list[str], list[str]]:
        """Inputs of `node`: those that vary, and the constants."""
        variable = [name for name in node.input if name not in self._constants]
        return variable, [name for name in node.input if name in self._constants]
