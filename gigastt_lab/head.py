"""The predictor and the joiner as two compact graphs, built from the weights of a model's own graphs.

What is saved, with GigaAM's sizes: the encoder's projection is computed once for all frames instead of at
every score, the predictor's once a token; the embedding's part of the LSTM gates becomes a table; no
log-softmax over 1025 scores. Run by ONNX Runtime on one thread: the product of 1, 4, 8 and 16 rows with the
output layer took 37, 48, 64 and 117 us, in numpy on one thread 29, 123, 151 and 207 us; and numpy's BLAS
starts threads for it, which cost more CPU time and stand in the way of other requests.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gigastt_lab.graph_weights import JoinerWeights, PredictorWeights, read_joiner, read_predictor
from gigastt_lab.runtime import RuntimeOptions, Session, as_float32, build_session
from gigastt_lab.types import Float32Array, Int64Array

if TYPE_CHECKING:
    from onnx import NodeProto, ValueInfoProto

HEAD_OPTIONS = RuntimeOptions(provider="cpu", threads=1)

_OPSET = 17
_IR_VERSION = 8


class CompactPredictor:
    """Embedding, LSTM cell and the predictor's half of the joiner's first layer.

    Its output is not the predictor's own but what the joiner adds to a projected frame, biases included:
    shape (N, n_joiner). It fits `CompactJoiner` only.
    """

    def __init__(self, predictor: PredictorWeights, joiner: JoinerWeights) -> None:
        self.state_size = 2 * len(predictor.from_hidden)
        self._session = _predictor_session(predictor, joiner)

    def __call__(self, tokens: Int64Array, states: Float32Array) -> tuple[Float32Array, Float32Array]:
        """See `search.Predictor`; a state is [hidden | cell], shape (N, 2 * n_hidden)."""
        predicted, new_states = self._session.run(tokens, states)
        return as_float32(predicted), as_float32(new_states)


class CompactJoiner:
    """The encoder's half of the joiner's first layer, and the rest of it."""

    def __init__(self, joiner: JoinerWeights) -> None:
        self._projection = _projection_session(joiner)
        self._scores = _scores_session(joiner)

    def project(self, encoded: Float32Array) -> Float32Array:
        """See `search.Joiner`: (B, T, n_encoded) to (B, T, n_joiner), without bias."""
        (projected,) = self._projection.run(encoded)
        return as_float32(projected)

    def __call__(self, projected: Float32Array, predicted: Float32Array) -> Float32Array:
        """See `search.Joiner`: scores before the log-softmax, shape (N, W, n_vocabulary)."""
        (scores,) = self._scores.run(projected, predicted)
        return as_float32(scores)


def build_head(predictor_path: Path, joiner_path: Path) -> tuple[CompactPredictor, CompactJoiner]:
    """Read both graphs' weights and build the compact graphs.

    Raises:
        UnrecognisedGraphError: a graph has another structure than GigaAM's.
    """
    predictor, joiner = read_predictor(predictor_path), read_joiner(joiner_path)
    return CompactPredictor(predictor, joiner), CompactJoiner(joiner)


def _predictor_session(predictor: PredictorWeights, joiner: JoinerWeights) -> Session:
    """(token (N,), state (N, 2H)) to (predicted (N, J), state (N, 2H)): the LSTM's equations.

    ONNX's gates are ordered input, output, forget, cell: the first three share one sigmoid.
    Source: https://onnx.ai/onnx/operators/onnx__LSTM.html.
    """
    n_hidden, n_joiner = joiner.from_predictor.shape
    constants = {
        "gates_of_token": predictor.embedding @ predictor.from_input + predictor.bias,
        "from_hidden": predictor.from_hidden,
        "projection": joiner.from_predictor,
        "bias": np.broadcast_to(joiner.bias, (n_joiner,)),
        "halves": np.array([n_hidden] * 2),
        "sigmoid_and_tanh": np.array([3 * n_hidden, n_hidden]),
        "thirds": np.array([n_hidden] * 3),
    }
    nodes = [
        _node("Split", "state halves", "h c", axis=1),
        _node("Gather", "gates_of_token token", "from_token"),
        _node("MatMul", "h from_hidden", "recurrent"),
        _node("Add", "from_token recurrent", "gates"),
        _node("Split", "gates sigmoid_and_tanh", "gates_iof gate_cell", axis=1),
        _node("Sigmoid", "gates_iof", "iof"),
        _node("Tanh", "gate_cell", "candidate"),
        _node("Split", "iof thirds", "i o f", axis=1),
        _node("Mul", "i candidate", "written"),
        _node("Mul", "f c", "kept"),
        _node("Add", "written kept", "new_c"),
        _node("Tanh", "new_c", "squashed_c"),
        _node("Mul", "o squashed_c", "new_h"),
        _node("Concat", "new_h new_c", "new_state", axis=1),
        _node("MatMul", "new_h projection", "product"),
        _node("Add", "product bias", "predicted"),
    ]
    inputs = [_info("token", "N", integer=True), _info("state", "N", 2 * n_hidden)]
    outputs = [_info("predicted", "N", n_joiner), _info("new_state", "N", 2 * n_hidden)]
    return _session("compact predictor", nodes, inputs, outputs, constants)


def _projection_session(joiner: JoinerWeights) -> Session:
    n_encoded, n_joiner = joiner.from_encoder.shape
    nodes = [_node("MatMul", "encoded weight", "projected")]
    inputs = [_info("encoded", "B", "T", n_encoded)]
    outputs = [_info("projected", "B", "T", n_joiner)]
    return _session("compact projection", nodes, inputs, outputs, {"weight": joiner.from_encoder})


def _scores_session(joiner: JoinerWeights) -> Session:
    n_joiner, n_vocabulary = joiner.output.shape
    nodes = [
        _node("Unsqueeze", "predicted frame_axis", "one_row"),
        _node("Add", "projected one_row", "sum"),
        _node("Relu", "sum", "hidden"),
        _node("MatMul", "hidden weight", "product"),
        _node("Add", "product bias", "scores"),
    ]
    inputs = [_info("projected", "N", "W", n_joiner), _info("predicted", "N", n_joiner)]
    outputs = [_info("scores", "N", "W", n_vocabulary)]
    constants = {
        "frame_axis": np.array([1]),
        "weight": joiner.output,
        "bias": np.broadcast_to(joiner.output_bias, (n_vocabulary,)),
    }
    return _session("compact joiner", nodes, inputs, outputs, constants)


def _node(op_type: str, inputs: str, outputs: str, axis: int | None = None) -> NodeProto:
    from onnx import helper  # noqa: PLC0415 - see graph_weights

    return helper.make_node(op_type, inputs.split(), outputs.split(), axis=axis)


def _info(name: str, *shape: int | str, integer: bool = False) -> ValueInfoProto:
    from onnx import TensorProto, helper  # noqa: PLC0415

    return helper.make_tensor_value_info(name, TensorProto.INT64 if integer else TensorProto.FLOAT, shape)


def _session(
    name: str,
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    constants: dict[str, np.ndarray[Any, Any]],
) -> Session:
    from onnx import helper, numpy_helper  # noqa: PLC0415

    tensors = [numpy_helper.from_array(np.ascontiguousarray(array), key) for key, array in constants.items()]
    graph = helper.make_graph(nodes, name.replace(" ", "_"), inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    return build_session(model.SerializeToString(), name, HEAD_OPTIONS)
