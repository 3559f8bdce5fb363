"""A trained or a random network as a model directory in GigaAM's layout, and back again."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from gigastt_lab.audio import decode_audio
from gigastt_lab.features import log_mel
from gigastt_lab.files import PREFIX
from gigastt_lab.models import DEMO_CLIPS_DIRECTORY
from gigastt_lab.search import GreedySearch
from gigastt_lab.spec import GIGAAM_V3, MAX_SYMBOLS_PER_FRAME
from gigastt_lab.training.architecture import ConformerLayer, Transducer
from gigastt_lab.types import Int64Array

ENCODER_FILE, PREDICTOR_FILE, JOINER_FILE = (
    f"{PREFIX}_{graph}.onnx" for graph in ("encoder", "decoder", "joint")
)
CONFIG_FILE = "config.json"
OPSET = 17
Array = npt.NDArray[np.float32]
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
    `read_weights` finds them again. `model` itself is not changed.

    Args:
        model: Trained or random.
        directory: Made if it is not there.
    """
    directory.mkdir(parents=True, exist_ok=True)
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
        KeyError: the graphs lack a weight of `model`: they are another network's.
    """
    for network, name in (
        (model.encoder, ENCODER_FILE), (model.predictor, PREDICTOR_FILE), (model.joiner, JOINER_FILE),
    ):  # fmt: skip
        stored = _stored_weights(onnx.load(directory / name))
        for key, parameter in network.named_parameters():
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(stored[key].reshape(parameter.shape)))
    model.encoder.subsampling.unfold_normalisation(mean, deviation)


def _stored_weights(graph: onnx.ModelProto) -> dict[str, Array]:
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


def _torch_gates(stacked: Array) -> Array:
    """ONNX stacks an LSTM's gates as input, output, forget, cell; torch as input, forget, cell, output."""
    i, o, f, c = np.split(stacked, 4)
    return np.concatenate((i, f, c, o))


@torch.no_grad()
def randomise(model: Transducer, *, frames_per_token: float = 7.0, seed: int = 0) -> None:
    """Random weights that behave like trained ones where speed is concerned.

    Plain random weights give every frame the same output. Here the layers' branches are weak beside
    what they are added to, and each layer's output is centred and rescaled over the packaged clips, so
    that frames differ. About one frame in `frames_per_token` emits a token.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            fan_in = parameter[0].numel()
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * fan_in**-0.5)
        elif "norm" not in name:
            parameter.zero_()
    model.predictor.embedding.weight[model.config.blank_id] = 0.0
    subsampling = model.encoder.subsampling
    subsampling.mean.fill_(-9.0)  # of log-mel features, roughly
    subsampling.deviation.fill_(3.0)
    features = _sample_features()
    x, _ = subsampling(features, torch.tensor([features.shape[2]]))
    tables = (model.encoder.cos[: x.shape[1]], model.encoder.sin[: x.shape[1]])
    for layer in cast("Iterable[ConformerLayer]", model.encoder.layers):
        for end in layer.branch_ends():
            end.weight *= 0.3
        output = layer(x, *tables, None, torch.zeros(1, x.shape[1], dtype=torch.bool))
        scale, mean = output[0].std(dim=0) + 1e-5, output[0].mean(dim=0)
        norm = cast("nn.LayerNorm", layer.norms[4])
        norm.bias.copy_(-mean / scale)
        norm.weight.copy_(1.0 / scale)
        x = (output - mean) / scale
    _make_talkative(model, x.transpose(1, 2), frames_per_token)


def _sample_features() -> Tensor:
    """Log-mel features of the packaged clips, one after another. Shape (1, n_mels, n_frames)."""
    clips = sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac"))
    return torch.from_numpy(log_mel(np.concatenate([decode_audio(clip) for clip in clips])))[None]


def _make_talkative(model: Transducer, encoded: Tensor, frames_per_token: float) -> None:
    """Wire predictor and joiner so that tokens come one at a time, about one in `frames_per_token` frames.

    Purely random ones fall silent, or emit up to the limit in one frame. So two inner units of the joiner
    see one direction of the encoder's frames, one its positive side, the other its negative side, and each
    is closed by the predictor while the last token was of its own kind (even or odd): a token is emitted
    whenever the direction's sign turns by more than the blank's bias, which bisection finds. Which token of
    the kind it is, random weights decide.
    """
    joiner, blank = model.joiner, model.config.blank_id
    embedding = model.predictor.embedding.weight
    embedding[:, :2] = 0.0
    for kind in (0, 1):
        embedding[kind:blank:2, kind] = 4.0
        _remember_input(model.predictor.lstm, kind)
        joiner.predictor.weight[kind] = 0.0
        joiner.predictor.weight[kind, kind] = -100.0
        joiner.out.weight[:, kind] = 0.0
        joiner.out.weight[kind:blank:2, kind] = 10.0
    joiner.out.weight[blank] = 0.0
    joiner.encoder.weight[1] = -joiner.encoder.weight[0]
    turning = joiner.encoder.weight[:2] @ encoded[0]  # centred, so that both signs come
    joiner.encoder.bias[:2] = -turning.mean(dim=1)
    frames = joiner.encoder(encoded.transpose(1, 2)).numpy()
    lengths = np.array([frames.shape[1]])
    low, high = 0.0, 50.0
    for _ in range(12):
        joiner.out.bias[blank] = (low + high) / 2
        search = GreedySearch(_TorchPredictor(model), _TorchJoiner(model), blank_id=blank)
        (tokens,), _ = search(frames, lengths)
        too_many = len(tokens) * frames_per_token > lengths[0]
        low, high = ((low + high) / 2, high) if too_many else (low, (low + high) / 2)


def _remember_input(lstm: nn.LSTM, unit: int) -> None:
    """Make one unit of an LSTM show the input of its own number, and forget it at the next step."""
    width, weights = lstm.hidden_size, dict(lstm.named_parameters())
    for name in ("weight_ih_l0", "weight_hh_l0"):
        weights[name][unit::width] = 0.0
    weights["weight_ih_l0"][2 * width + unit, unit] = (
        1.0  # torch stacks the gates: input, forget, cell, output
    )
    for gate, open_or_closed in ((0, 10.0), (1, -10.0), (3, 10.0)):
        weights["bias_ih_l0"][gate * width + unit] = open_or_closed


class _TorchPredictor:
    """The predictor for `GreedySearch`, straight from torch."""

    def __init__(self, model: Transducer) -> None:
        self._model = model
        self.state_size = 2 * model.config.pred_hidden

    @torch.no_grad()
    def __call__(self, tokens: Int64Array, states: Array) -> tuple[Array, Array]:
        hidden, cell = torch.from_numpy(states).chunk(2, dim=1)
        output, hidden, cell = self._model.predictor(
            torch.from_numpy(tokens)[:, None], hidden[None].contiguous(), cell[None].contiguous()
        )
        predicted = self._model.joiner.predictor(output[:, 0])
        return predicted.numpy(), torch.cat((hidden[0], cell[0]), dim=1).numpy()


class _TorchJoiner:
    """The joiner for `GreedySearch`, straight from torch; frames are projected already."""

    def __init__(self, model: Transducer) -> None:
        self._model = model

    def project(self, encoded: Array) -> Array:
        return encoded

    @torch.no_grad()
    def __call__(self, projected: Array, predicted: Array) -> Array:
        inner = torch.relu(torch.from_numpy(projected + predicted[:, None]))
        return np.asarray(self._model.joiner.out(inner).numpy(), np.float32)


def write_placeholder_vocabulary(n_tokens: int, path: Path) -> None:
    """A vocabulary for random weights: made-up pieces, every fourth starting a word, the blank last."""
    letters = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъ"
    base = len(letters)
    lines = ["<unk> 0"]
    for i in range(1, n_tokens - 1):
        body = letters[i % base] + letters[i // base % base] + (letters[i // base**2] if i >= base**2 else "")
        lines.append(f"{'▁' if i % 4 == 0 else ''}{body} {i}")
    lines.append(f"<blk> {n_tokens - 1}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _export_graph(
    network: nn.Module, example: tuple[Tensor, ...], path: Path,
    inputs: Mapping[str, Mapping[int, str]], outputs: Mapping[str, Mapping[int, str]],
) -> None:  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, but it writes graphs as GigaAM's are
        torch.onnx.export(
            network, example, str(path), input_names=list(inputs), output_names=list(outputs),
            dynamic_axes={k: dict(v) for k, v in {**inputs, **outputs}.items()}, opset_version=OPSET,
            dynamo=False,
        )  # fmt: skip
    graph = onnx.load(path)
    _name_weights(graph, network)
    onnx.save(graph, path)


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


def _matching_name(array: Array, parameters: Mapping[str, Array]) -> str | None:
    for name, parameter in parameters.items():
        for candidate, suffix in ((parameter, ""), (parameter.T, _TRANSPOSED)):
            # The first row decides almost always, and large matrices are many.
            alike = candidate.shape == array.shape and np.array_equal(candidate[:1], array[:1])
            if alike and np.array_equal(candidate, array):
                return name + suffix
    return None
