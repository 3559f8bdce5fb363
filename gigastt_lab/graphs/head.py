"""Predictor and joiner as compact graphs, packed for the processor.

Run by ONNX Runtime on one thread: the matrix product of 1, 4, 8 and 16 rows with the output layer took 37,
48, 64 and 117 us, in numpy on one thread 29, 123, 151 and 207 us; and numpy's BLAS starts threads for it,
which cost more CPU time and stand in the way of other requests.
"""

from __future__ import annotations

from pathlib import Path

from gigastt_lab.graphs.head_graphs import head_graphs
from gigastt_lab.runtime.session_options import packs_any_size
from gigastt_lab.runtime.sessions import RuntimeOptions, Session, as_float32, load_session, save_packed
from gigastt_lab.runtime.tensors import TensorInfo
from gigastt_lab.types import Float32Array, Int64Array

HEAD_OPTIONS = RuntimeOptions(provider="cpu", threads=1)


class CompactPredictor:
    """Predictor: embedding, LSTM cell and the predictor's half of the joiner's first layer.

    Its output is not the predictor's own but what the joiner adds to a projected frame, biases included:
    shape (N, n_joiner). It fits `CompactJoiner` only.

    Attributes:
        width: Numbers in its output for the joiner.
        state_size: Numbers in the state of one utterance, [hidden | cell].
    """

    def __init__(self, session: Session) -> None:
        self.width = _size(session.outputs[0])
        self.state_size = _size(session.inputs[1])
        self._session = session

    def __call__(self, tokens: Int64Array, states: Float32Array) -> tuple[Float32Array, Float32Array]:
        """See `recognition.search.Predictor`."""
        predicted, new_states = self._session.run(tokens, states)
        return as_float32(predicted), as_float32(new_states)


class CompactJoiner:
    """Joiner: the encoder's half of its first layer, and the rest of it.

    Attributes:
        n_encoded: Width of an encoder frame.
        n_predicted: Width of the predictor's output.
        n_vocabulary: Scores per frame.
    """

    def __init__(self, projection: Session, scores: Session) -> None:
        self.n_encoded = _size(projection.inputs[0])
        self.n_predicted = _size(scores.inputs[1])
        self.n_vocabulary = _size(scores.outputs[0])
        self._projection = projection
        self._scores = scores

    def project(self, encoded: Float32Array) -> Float32Array:
        """See `recognition.search.Joiner`: (B, T, n_encoded) to (B, T, n_joiner), without bias."""
        (projected,) = self._projection.run(encoded)
        return as_float32(projected)

    def __call__(self, projected: Float32Array, predicted: Float32Array) -> Float32Array:
        """See `recognition.search.Joiner`: scores before the log-softmax, shape (N, W, n_vocabulary)."""
        (scores,) = self._scores.run(projected, predicted)
        return as_float32(scores)


def write_head(predictor_path: Path, joiner_path: Path, folder: Path) -> None:
    """Read both graphs' weights, and write the compact graphs into `folder`.

    Raises:
        UnrecognisedGraphError: a graph has another structure than GigaAM's.
        ModelError: the two do not fit each other.
        OSError: `folder` cannot be written.
    """
    for part, graph in head_graphs(predictor_path, joiner_path).items():
        if packs_any_size():
            save_packed(graph, _path(folder, part), name=f"compact {part}")
        else:
            _path(folder, part).write_bytes(graph)


def load_head(folder: Path) -> tuple[CompactPredictor, CompactJoiner]:
    """The compact graphs that `write_head` has written.

    Raises:
        ModelError: they are damaged, or not there.
    """

    def load(part: str) -> Session:
        return load_session(
            _path(folder, part), HEAD_OPTIONS, name=f"compact {part}", is_packed=packs_any_size()
        )

    return CompactPredictor(load("predictor")), CompactJoiner(load("projection"), load("scores"))


def _path(folder: Path, part: str) -> Path:
    return folder / f"{part}.onnx"


def _size(info: TensorInfo) -> int:
    size = info.shape[-1]
    assert size is not None  # these graphs leave it open nowhere
    return size
