"""Predictor and joiner as compact graphs, built from the weights of a model's own graphs.

They save, with GigaAM's sizes: the encoder's projection is computed once for all frames instead of at
every score, the predictor's once a token; the embedding's part of the LSTM gates becomes a table; no
log-softmax over 1025 scores.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gigastt_lab.graphs.weights import JoinerWeights, PredictorWeights, read_joiner, read_predictor

if TYPE_CHECKING:
    from onnx import NodeProto, ValueInfoProto

_OPSET = 17
_IR_VERSION = 8


def head_graphs(predictor_path: Path, joiner_path: Path) -> dict[str, bytes]:
    """The compact graphs, serialized: "predictor", "projection" and "scores" (see `head`).

    Raises:
        UnrecognisedGraphError: a graph has another structure than GigaAM's.
    """
    predictor, joiner = read_predictor(predictor_path), read_joiner(joiner_path)
    return {
        "predictor": _predictor_graph(predictor, joiner),
        "projection": _projection_graph(joiner),
        "scores": _scores_graph(joiner),
    }


def _predictor_graph(predictor: PredictorWeights, joiner: JoinerWeights) -> bytes:
    """Predictor by the LSTM's equations: (token (N,), state (N, 2H)) to (predicted (N, J), state (N, 2H)).

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
    return _graph("predictor", nodes, inputs, outputs, constants)


def _projection_graph(joiner: JoinerWeights) -> bytes:
    n_encoded, n_joiner = joiner.from_encoder.shape
    nodes = [_node("MatMul", "encoded weight", "projected")]
    inputs = [_info("encoded", "B", "T", n_encoded)]
    outputs = [_info("projected", "B", "T", n_joiner)]
    return _graph("projection", nodes, inputs, outputs, {"weight": joiner.from_encoder})


def _scores_graph(joiner: JoinerWeights) -> bytes:
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
    return _graph("scores", nodes, inputs, outputs, constants)


def _node(op_type: str, inputs: str, outputs: str, axis: int | None = None) -> NodeProto:
    from onnx import helper

    return helper.make_node(op_type, inputs.split(), outputs.split(), axis=axis)


def _info(name: str, *shape: int | str, integer: bool = False) -> ValueInfoProto:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.INT64 if integer else TensorProto.FLOAT, shape)


def _graph(
    name: str,
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    constants: dict[str, np.ndarray[Any, Any]],
) -> bytes:
    from onnx import helper, numpy_helper

    tensors = [numpy_helper.from_array(np.ascontiguousarray(array), key) for key, array in constants.items()]
    graph = helper.make_graph(nodes, f"compact_{name}", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    serialized: bytes = model.SerializeToString()
    return serialized
