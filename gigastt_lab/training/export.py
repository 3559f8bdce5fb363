"""Export of a network to a model directory in GigaAM's layout, and back again."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from gigastt_lab.errors import ModelError
from gigastt_lab.models.files import PREFIX
from gigastt_lab.spec import GIGAAM_V3, MAX_SYMBOLS_PER_FRAME
from gigastt_lab.training.architecture import Transducer
from gigastt_lab.types import Float32Array

ENCODER_FILE, PREDICTOR_FILE, JOINER_FILE = (
    f"{PREFIX}_{graph}.onnx" for graph in ("encoder", "decoder", "joint")
)
CONFIG_FILE = "config.json"
OPSET = 17
_TRANSPOSED = ".T"  # ends the name of a weight that the graph holds transposed

# What every directory says of itself; without it onnx-asr silently takes the v2 front end.
MODEL_DESCRIPTION = {
    "model_type": "gigaam-v3-e2e-rnnt",
    "version": "v3",
    "features_size": GIGAAM_V3.n_mels,
    "subsampling_factor": GIGAAM_V3.subsampling,
    "max_tokens_per_step": MAX_SYMBOLS_PER_FRAME,
}


def export(model: Transducer, directory: Path) -> None:
    """Write the three graphs and `config.json`; the vocabulary is the caller's.

    Feature normalisation is folded into the first convolution, the weights keep their names, so that
    `read_weights` finds them again. `model` itself is not changed. Quantised graphs that lie in the
    directory are removed: they were made of other weights.

    Args:
        model: Network, trained or random.
        directory: Directory to write to, made if it is not there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for stale in directory.glob(f"{PREFIX}_*?int8.onnx"):
        stale.unlink()
    model = copy.deepcopy(model).eval()
    model.encoder.subsampling.fold_normalisation()
    config = model.config
    width, hidden = config.d_model, config.pred_hidden
    batch, frames = {0: "batch_size"}, {0: "batch_size", 2: "seq_len"}
    _export_graph(
        model.encoder, (torch.randn(2, config.n_mels, 200), torch.tensor([200, 150])),
        directory / ENCODER_FILE,
        {"audio_signal": frames, "length": batch}, {"encoded": frames, "encoded_len": batch},
    )  # fmt: skip
    state = torch.zeros(1, 2, hidden)
    _export_graph(
        model.predictor, (torch.zeros(2, 1, dtype=torch.long), state, state), directory / PREDICTOR_FILE,
        {"x": batch, "h.1": {1: "batch_size"}, "c.1": {1: "batch_size"}},
        {"dec": batch, "h": {1: "batch_size"}, "c": {1: "batch_size"}},
    )  # fmt: skip
    _export_graph(
        model.joiner, (torch.randn(2, width, 1), torch.randn(2, hidden, 1)), directory / JOINER_FILE,
        {"enc": batch, "dec": batch}, {"joint": batch},
    )  # fmt: skip
    (directory / CONFIG_FILE).write_text(json.dumps(MODEL_DESCRIPTION) + "\n", encoding="utf-8")


def read_weights(model: Transducer, directory: Path, mean: Tensor, deviation: Tensor) -> None:
    """Load the graphs of a directory that `export` wrote into `model`, to train on from shipped weights.

    The CTC heads are not in the graphs and stay as they are. Normalisation by `mean` and `deviation`,
    (n_mels,) each, is taken out of the first convolution again: the function stays the same.

    Raises:
        ModelError: the graphs are those of another network.
    """
    for network, name in (
        (model.encoder, ENCODER_FILE), (model.predictor, PREDICTOR_FILE), (model.joiner, JOINER_FILE),
    ):  # fmt: skip
        stored = _stored_weights(onnx.load(directory / name))
        for key, parameter in network.named_parameters():
            array = stored.get(key)
            if array is None or array.shape != parameter.shape:
                found = "it is not there" if array is None else f"it has shape {array.shape}"
                raise ModelError(
                    f"{directory / name}: expected {key} of shape {tuple(parameter.shape)}, but {found}; "
                    "give the directory of a model of the same sizes"
                )
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(array))
    model.encoder.subsampling.unfold_normalisation(mean, deviation)


def _stored_weights(graph: onnx.ModelProto) -> dict[str, Float32Array]:
    """Arrays of a graph under the names that torch gives them."""
    stored = {tensor.name: np.array(numpy_helper.to_array(tensor)) for tensor in graph.graph.initializer}
    named = {
        name.removesuffix(_TRANSPOSED): array.T if name.endswith(_TRANSPOSED) else array
        for name, array in stored.items()
    }
    for node in graph.graph.node:
        if node.op_type == "Identity" and node.input[0] in named:  # equal arrays are stored once
            named[node.output[0]] = named[node.input[0]]
        if node.op_type == "LSTM":
            from_input, from_hidden, biases = (stored[name][0] for name in node.input[1:4])
            input_bias, hidden_bias = np.split(biases, 2)
            named |= {
                "lstm.weight_ih_l0": _torch_gates(from_input), "lstm.weight_hh_l0": _torch_gates(from_hidden),
                "lstm.bias_ih_l0": _torch_gates(input_bias), "lstm.bias_hh_l0": _torch_gates(hidden_bias),
            }  # fmt: skip
    return named


def _torch_gates(stacked: Float32Array) -> Float32Array:
    """LSTM gates in torch's order (input, forget, cell, output) from ONNX's (input, output, forget, cell)."""
    i, o, f, c = np.split(stacked, 4)
    return np.concatenate((i, f, c, o))


def _export_graph(
    network: nn.Module, example: tuple[Tensor, ...], path: Path,
    inputs: Mapping[str, Mapping[int, str]], outputs: Mapping[str, Mapping[int, str]],
) -> None:  # fmt: skip
    partial = path.with_suffix(".partial.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, but it writes graphs as GigaAM's are
        torch.onnx.export(
            network, example, str(partial), input_names=list(inputs), output_names=list(outputs),
            dynamic_axes={k: dict(v) for k, v in {**inputs, **outputs}.items()}, opset_version=OPSET,
            dynamo=False,
        )  # fmt: skip
    graph = onnx.load(partial)
    _name_weights(graph, network)
    onnx.save(graph, partial)
    partial.replace(path)


def _name_weights(model: onnx.ModelProto, network: nn.Module) -> None:
    """Give folded weights (`onnx::MatMul_123`) the names of the parameters they come from."""
    parameters = {name: p.detach().numpy() for name, p in network.named_parameters()}
    names = {t.name for t in model.graph.initializer}
    renamed = {}
    for tensor in model.graph.initializer:
        if tensor.name in parameters or tensor.name.split("::")[0] != "onnx":
            continue
        array = numpy_helper.to_array(tensor)
        match = _matching_name(array, {k: v for k, v in parameters.items() if k not in names})
        if match is not None:
            renamed[tensor.name] = tensor.name = match
            names.add(match)
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]


def _matching_name(array: Float32Array, parameters: Mapping[str, Float32Array]) -> str | None:
    for name, parameter in parameters.items():
        for candidate, suffix in ((parameter, ""), (parameter.T, _TRANSPOSED)):
            # The first row decides almost always, and large matrices are many.
            alike = candidate.shape == array.shape and np.array_equal(candidate[:1], array[:1])
            if alike and np.array_equal(candidate, array):
                return name + suffix
    return None
