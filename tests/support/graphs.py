"""Tiny ONNX models in GigaAM's interface, with random weights: any width, vocabulary and state names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from gigastt_lab.models.files import PREFIX, VOCABULARY_NAME

OLD_NAMES = ("h.1", "c.1", "h", "c")
NEW_NAMES = ("hi", "ci", "ho", "co")


@dataclass(frozen=True)
class Sizes:
    """Widths of a tiny model; all differ, so that a mixed-up axis shows."""

    n_mels: int = 8
    n_encoded: int = 6
    n_hidden: int = 5
    n_joiner: int = 7
    n_vocabulary: int = 11


@dataclass(frozen=True)
class Export:
    """How a model is written.

    Attributes:
        states: Names of the states: two inputs, two outputs.
        batch: "B", or 1 for exports that fix it.
        form: How products and weights appear: "matmul" as MatMul + Add, "gemm" as Gemm on flattened rows,
            "constants" as MatMul with weights in Constant nodes, the LSTM's put together from slices.
        length_type: Dtype of the encoder's lengths.
        token_type: Dtype of the predictor's tokens.
        activation: The joiner's.
        n_layers: Of the LSTM.
        feature_type: Dtype of the encoder's features and frames.
    """

    states: tuple[str, str, str, str] = OLD_NAMES
    batch: str | int = "B"
    form: str = "matmul"
    length_type: int = TensorProto.INT64
    token_type: int = TensorProto.INT64
    activation: str = "Relu"
    n_layers: int = 1
    feature_type: int = TensorProto.FLOAT


def write_model(
    directory: Path,
    sizes: Sizes = Sizes(),
    export: Export = Export(),
    *,
    seed: int = 0,
    blank_bias: float = 0.0,
) -> Path:
    """Write encoder, predictor, joiner and vocabulary; return `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    graphs = {
        "encoder": encoder_graph(sizes, export, rng),
        "decoder": predictor_graph(sizes, export, rng),
        "joint": joiner_graph(sizes, export, rng, blank_bias),
    }
    for name, model in graphs.items():
        onnx.save(model, directory / f"{PREFIX}_{name}.onnx")
    (directory / VOCABULARY_NAME).write_text(vocabulary(sizes.n_vocabulary), encoding="utf-8")
    return directory


def vocabulary(size: int) -> str:
    """``<unk>``, then ``▁а``, ``б``, ``▁в``, ... and ``<blk>`` last."""
    letters = [("▁" if i % 2 == 0 else "") + chr(ord("а") + i) for i in range(size - 2)]
    return "".join(f"{piece} {i}\n" for i, piece in enumerate(["<unk>", *letters, "<blk>"]))


def encoder_graph(sizes: Sizes, export: Export, rng: np.random.Generator) -> onnx.ModelProto:
    """Every fourth feature frame through one linear layer: ceil(T / 4) encoder frames."""
    writer = _Writer(rng)
    features = writer.add("Cast", "audio_signal", to=TensorProto.FLOAT)
    encoded = writer.add("Conv", features, writer.weight(sizes.n_encoded, sizes.n_mels, 1), strides=[4])
    writer.add("Cast", encoded, to=export.feature_type, output="encoded")
    length = writer.add("Cast", "length", to=TensorProto.INT64)
    padded = writer.add("Add", length, writer.constant(np.array(3)))
    frames = writer.add("Div", padded, writer.constant(np.array(4)))
    writer.add("Cast", frames, to=TensorProto.INT32, output="encoded_len")
    batch = export.batch
    return writer.model(
        [
            ("audio_signal", export.feature_type, [batch, sizes.n_mels, "T"]),
            ("length", export.length_type, [batch]),
        ],
        [
            ("encoded", export.feature_type, [batch, sizes.n_encoded, "F"]),
            ("encoded_len", TensorProto.INT32, [batch]),
        ],
    )


def predictor_graph(sizes: Sizes, export: Export, rng: np.random.Generator) -> onnx.ModelProto:
    """Embedding and LSTM, as torch exports them."""
    writer = _Writer(rng, as_nodes=export.form == "constants")
    hidden_in, cell_in, hidden_out, cell_out = export.states
    n, batch, layers = sizes.n_hidden, export.batch, export.n_layers
    embedding = writer.array(sizes.n_vocabulary, n)
    embedding[-1] = 0.0  # the blank's row, torch's padding_idx
    x = writer.add("Gather", writer.constant(embedding), "x", axis=0)
    x = writer.add("Transpose", x, perm=[1, 0, 2])
    states = []
    for layer in range(layers):
        w, r = (
            writer.lstm_weight(n) if export.form == "constants" else writer.weight(1, 4 * n, n)
            for _ in range(2)
        )
        h, c = (hidden_in, cell_in)
        if layers > 1:
            h, c = (writer.slice(name, layer) for name in (hidden_in, cell_in))
        y, *new = writer.add_many("LSTM", [x, w, r, writer.weight(1, 8 * n), "", h, c], 3, hidden_size=n)
        states.append(new)
        x = writer.add("Squeeze", y, writer.constant(np.array([1])))
    writer.add("Transpose", x, perm=[1, 0, 2], output="dec")
    for names, output in zip(zip(*states, strict=True), (hidden_out, cell_out), strict=True):
        writer.add("Concat", *names, axis=0, output=output)
    shape = [layers, batch, n]
    return writer.model(
        [
            ("x", export.token_type, [batch, 1]),
            (hidden_in, TensorProto.FLOAT, shape),
            (cell_in, TensorProto.FLOAT, shape),
        ],
        [
            ("dec", TensorProto.FLOAT, [batch, 1, n]),
            (hidden_out, TensorProto.FLOAT, shape),
            (cell_out, TensorProto.FLOAT, shape),
        ],
    )


def joiner_graph(
    sizes: Sizes, export: Export, rng: np.random.Generator, blank_bias: float = 0.0
) -> onnx.ModelProto:
    """Two linear layers, their sum, an activation, a linear layer and log-softmax, as torch exports them."""
    writer = _Writer(rng, as_nodes=export.form == "constants")
    gemm = export.form == "gemm"
    branches = []
    for name, width, axis in (("enc", sizes.n_encoded, 2), ("dec", sizes.n_hidden, 1)):
        rows = writer.add("Transpose", name, perm=[0, 2, 1])
        linear = writer.linear(rows, width, sizes.n_joiner, gemm=gemm)
        branches.append(writer.add("Unsqueeze", linear, writer.constant(np.array([axis]))))
    hidden = writer.add(export.activation, writer.add("Add", *branches))
    bias = writer.array(sizes.n_vocabulary)
    bias[-1] += blank_bias
    scores = writer.linear(hidden, sizes.n_joiner, sizes.n_vocabulary, gemm=False, bias=bias)
    writer.add("LogSoftmax", scores, axis=-1, output="joint")
    batch = export.batch
    return writer.model(
        [
            ("enc", TensorProto.FLOAT, [batch, sizes.n_encoded, 1]),
            ("dec", TensorProto.FLOAT, [batch, sizes.n_hidden, 1]),
        ],
        [("joint", TensorProto.FLOAT, [batch, 1, 1, sizes.n_vocabulary])],
    )


class _Writer:
    """Collects nodes and weights of one graph and names what nobody names."""

    def __init__(self, rng: np.random.Generator, *, as_nodes: bool = False) -> None:
        self._rng = rng
        self._as_nodes = as_nodes
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._n_names = 0

    def array(self, *shape: int) -> np.ndarray:
        return self._rng.standard_normal(shape, np.float32)

    def weight(self, *shape: int) -> str:
        return self.constant(self.array(*shape))

    def constant(self, array: np.ndarray) -> str:
        if self._as_nodes:
            return self.add("Constant", value=numpy_helper.from_array(array))
        name = self._name()
        self._weights.append(numpy_helper.from_array(array, name))
        return name

    def lstm_weight(self, n: int) -> str:
        """(1, 4n, n) put together from slices and an Unsqueeze, as torch's newer exporter writes it."""
        whole = self.weight(4 * n, n)
        quarters = [self.slice(whole, slice(i * n, (i + 1) * n)) for i in (3, 0, 2, 1)]
        return self.add("Unsqueeze", self.add("Concat", *quarters, axis=0), self.constant(np.array([0])))

    def slice(self, name: str, part: slice | int) -> str:
        start, stop = (part.start, part.stop) if isinstance(part, slice) else (part, part + 1)
        return self.add("Slice", name, *(self.constant(np.array([edge])) for edge in (start, stop, 0)))

    def linear(self, x: str, n_in: int, n_out: int, *, gemm: bool, bias: np.ndarray | None = None) -> str:
        bias_name = self.constant(self.array(n_out) if bias is None else bias)
        if not gemm:
            return self.add("Add", bias_name, self.add("MatMul", x, self.weight(n_in, n_out)))
        rows = self.add("Reshape", x, self.constant(np.array([-1, n_in])))
        product = self.add("Gemm", rows, self.weight(n_out, n_in), bias_name, transB=1)
        return self.add("Reshape", product, self.constant(np.array([-1, 1, n_out])))

    def add(self, op_type: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        name = output or self._name()
        self._nodes.append(helper.make_node(op_type, inputs, [name], **attributes))
        return name

    def add_many(self, op_type: str, inputs: list[str], n_outputs: int, **attributes: object) -> list[str]:
        names = [self._name() for _ in range(n_outputs)]
        self._nodes.append(helper.make_node(op_type, inputs, names, **attributes))
        return names

    def model(
        self,
        inputs: list[tuple[str, int, list[int | str]]],
        outputs: list[tuple[str, int, list[int | str]]],
    ) -> onnx.ModelProto:
        infos = [[helper.make_tensor_value_info(*info) for info in side] for side in (inputs, outputs)]
        graph = helper.make_graph(self._nodes, "tiny", *infos, self._weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    def _name(self) -> str:
        self._n_names += 1
        return f"t{self._n_names}"
