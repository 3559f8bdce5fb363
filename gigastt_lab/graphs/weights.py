"""Weights of the predictor and the joiner, read out of their ONNX graphs by structure, not by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gigastt_lab.graphs.graph_file import load_whole_graph
from gigastt_lab.graphs.view import Array, GraphView, attribute
from gigastt_lab.runtime.sessions import RuntimeOptions, build_session
from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import NodeProto

# They move or copy numbers without changing them; the caller verifies the result.
_SHAPE_OPS = frozenset({"Transpose", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Identity", "Cast"})


class UnrecognisedGraphError(ValueError):
    """A graph of another structure than this module knows; the message says where it differs."""


@dataclass(frozen=True)
class PredictorWeights:
    """Weights of the predictor: an embedding and one LSTM cell.

    Attributes:
        embedding: One row for each token. Shape (n_vocabulary, n_embedding).
        from_input: LSTM weights of the input. Shape (n_embedding, 4 * n_hidden); gates in ONNX's order:
            input, output, forget, cell.
        from_hidden: LSTM weights of the hidden state. Shape (n_hidden, 4 * n_hidden).
        bias: Sum of the two biases of the LSTM. Shape (4 * n_hidden,).
    """

    embedding: Float32Array
    from_input: Float32Array
    from_hidden: Float32Array
    bias: Float32Array


@dataclass(frozen=True)
class JoinerWeights:
    """Weights of the joiner.

    It computes ReLU(encoded @ from_encoder + predicted @ from_predictor + bias) @ output + output_bias.

    Attributes:
        from_encoder: First layer, of the encoder frame. Shape (n_encoded, n_joiner).
        from_predictor: First layer, of the predictor's output. Shape (n_predicted, n_joiner).
        bias: Bias of the first layer. Shape (n_joiner,).
        output: Output layer. Shape (n_joiner, n_vocabulary).
        output_bias: Bias of the output layer. Shape (n_vocabulary,).
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
    graph = _HeadGraph(path)
    lstm = graph.made_by(graph.outputs[0], "LSTM")
    inputs = [*lstm.input, *[""] * (8 - len(lstm.input))]
    x, w, r, bias, sequence_lengths, peepholes = *inputs[:5], inputs[7]
    is_altered = any(attribute(lstm, name) is not None for name in ("activations", "clip"))
    if sequence_lengths or peepholes or is_altered:
        raise UnrecognisedGraphError("the LSTM has lengths, peepholes, clipping or other activations")
    if any(attribute(lstm, name) for name in ("layout", "input_forget")):
        raise UnrecognisedGraphError("the LSTM has another layout or coupled gates")
    gather = graph.made_by(x, "Gather")
    if graph.source(gather.input[1]) != graph.inputs[0]:
        raise UnrecognisedGraphError("the embedding is not looked up by the token alone")
    embedding, from_input, from_hidden = (graph.float32(name) for name in (gather.input[0], w, r))
    if len(from_input) != 1:
        raise UnrecognisedGraphError("the LSTM is bidirectional")
    biases = graph.float32(bias) if bias else np.zeros(2 * from_input.shape[1], np.float32)
    return PredictorWeights(
        embedding, from_input[0].T, from_hidden[0].T, biases.reshape(2, -1).sum(axis=0, dtype=np.float32)
    )


def read_joiner(path: Path) -> JoinerWeights:
    """The joiner's weights.

    Raises:
        UnrecognisedGraphError: it is not two linear layers, their sum, ReLU and a linear layer.
    """
    graph = _HeadGraph(path)
    scores = graph.source(graph.outputs[0])
    if graph.op(scores) == "LogSoftmax":
        scores = graph.made_by(scores, "LogSoftmax").input[0]
    output = graph.linear(scores)
    relu = graph.made_by(output.source, "Relu")
    name, bias = graph.without_bias(relu.input[0])
    branches = {}
    for branch in graph.made_by(name, "Add").input:
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
    """Linear layer, source @ weight + bias; the bias has shape (n_out,), or () where there is none."""

    source: str
    weight: Float32Array
    bias: Float32Array


class _HeadGraph(GraphView):
    """A predictor or joiner, walked from its outputs back to its inputs.

    Constant is here also what the graph computes from constants alone.
    """

    def __init__(self, path: Path) -> None:
        self._computed: set[str] = set()
        self._model = load_whole_graph(path)
        super().__init__(self._model.graph)
        for node in self.nodes():
            if all(map(self.is_constant, filter(None, node.input))):
                self._computed.update(node.output)

    def is_constant(self, name: str) -> bool:
        """True for a constant, or what is computed from constants."""
        return super().is_constant(name) or name in self._computed

    def op(self, name: str) -> str:
        """The operator that makes `name`; empty for an input of the graph."""
        node = self.producer(name)
        return "" if node is None else node.op_type

    def source(self, name: str) -> str:
        """The tensor that `name` is once operators that only move numbers are undone."""
        while (node := self.producer(name)) and node.op_type in _SHAPE_OPS and not self.is_constant(name):
            name = node.input[0]
        return name

    def made_by(self, name: str, op_type: str) -> NodeProto:
        """The node behind `name`, which must be of type `op_type`."""
        name = self.source(name)
        node = self.producer(name)
        if node is None or node.op_type != op_type:
            raise UnrecognisedGraphError(f"{name!r} comes from {self.op(name) or 'an input'}, not {op_type}")
        return node

    def without_bias(self, name: str) -> tuple[str, Float32Array]:
        """Undo additions of constants: the tensor before them, and their sum."""
        bias: Float32Array = np.zeros((), np.float32)
        while (node := self.producer(name := self.source(name))) and node.op_type == "Add":
            varying, constant = self.with_constant(node)
            if constant is None or self.is_constant(varying):
                break
            name, bias = varying, bias + self.float32(constant).ravel()
        return name, bias

    def linear(self, name: str) -> _Linear:
        """`name` as a linear function of one other tensor."""
        name, bias = self.without_bias(name)
        node = self.producer(name)
        if node is None or node.op_type not in ("MatMul", "Gemm"):
            raise UnrecognisedGraphError(
                f"{name!r} comes from {self.op(name) or 'an input'}, not MatMul or Gemm"
            )
        if any(attribute(node, key, 1.0) != 1.0 for key in ("alpha", "beta")):
            raise UnrecognisedGraphError(f"{name!r} is a scaled Gemm")
        x, w, *c = node.input
        flip = bool(attribute(node, "transB", 0))
        if self.is_constant(x):  # W @ x, on features that are not the last axis
            x, w, flip = w, x, True
        if not self.is_constant(w) or self.is_constant(x):
            raise UnrecognisedGraphError(f"{name!r} is not a product with one constant")
        weight = self.float32(w)
        weight = weight.reshape(weight.shape[-2:])
        if c and c[0]:
            bias = bias + self.float32(c[0]).ravel()
        return _Linear(self.source(x), weight.T if flip else weight, bias)

    def constant(self, name: str) -> Array | None:
        """A constant's numbers, computed where the graph computes it from other constants.

        Raises:
            UnrecognisedGraphError: it is none.
        """
        from onnx import TensorProto, helper

        if not self.is_constant(name):
            raise UnrecognisedGraphError(f"{name!r} is not constant")
        if (known := super().constant(name)) is not None:
            return known
        graph = helper.make_graph(
            [node for node in self.nodes() if all(map(self.is_constant, node.output))],
            "constants",
            [],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
            list(self.proto.initializer),
        )
        model = helper.make_model(
            graph, opset_imports=self._model.opset_import, ir_version=self._model.ir_version
        )
        options = RuntimeOptions(provider="cpu", threads=1)
        array: Array = build_session(model.SerializeToString(), name, options).run()[0]
        return array
