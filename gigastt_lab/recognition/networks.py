"""Encoder, predictor and joiner: one thin class per graph, and the three loaded together.

The graphs' input names live nowhere: inputs and outputs are taken in the order of GigaAM's exports, which
has stayed while names changed (states ``h.1``/``c.1``/``h``/``c``, later ``hi``/``ci``/``ho``/``co``).
Dtypes, hidden sizes and the vocabulary size are read from the graphs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from gigastt_lab.errors import ModelError
from gigastt_lab.graphs.encoder.loading import load_encoder
from gigastt_lab.graphs.head import HEAD_OPTIONS, CompactJoiner, CompactPredictor, load_head, write_head
from gigastt_lab.graphs.int8_weights import load_exactly
from gigastt_lab.graphs.weights import UnrecognisedGraphError
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.runtime.cache import NotPreparedError, prepared
from gigastt_lab.runtime.sessions import RuntimeOptions, Session, as_float32
from gigastt_lab.types import Float32Array, Int64Array

logger = logging.getLogger(__name__)

Head = Literal["auto", "graphs"]

# Two ways of computing one network may differ by rounding: at most this much, relative to sizes above 1.
_ROUNDING = 1e-4


class Encoder:
    """The encoder's graph: features to encoder frames.

    Attributes:
        session: The loaded graph; says which provider was taken.
        n_mels: Mel bands of the features.
        takes_batches: True if the graph takes several utterances at once; else they go one by one.
    """

    def __init__(self, session: Session) -> None:
        _check_interface(session, "encoder", ranks=(3, 1), n_outputs=2)
        features, _ = session.inputs
        self.session = session
        self.n_mels = _declared(session, 0, axis=1, what="mel bands")
        self.takes_batches = features.shape[0] != 1

    def __call__(self, features: Float32Array, lengths: Int64Array) -> tuple[Float32Array, Int64Array]:
        """Encode a batch.

        Args:
            features: Log-mel features, padded to the longest. Shape (B, n_mels, n_frames).
            lengths: Valid feature frames of each utterance. Shape (B,).

        Returns:
            Encoder frames, time-major and contiguous, shape (B, n_encoder_frames, n_encoded), and how many
            of each utterance are valid, shape (B,).

        Raises:
            ModelError: the graph refused the features or failed.
        """
        if self.takes_batches:
            return self._run(features, lengths)
        # Without their padding: a graph for one utterance at a time need not mask it.
        alone = [self._run(features[i : i + 1, :, :n], lengths[i : i + 1]) for i, n in enumerate(lengths)]
        if len(alone) == 1:
            return alone[0]
        counts = np.concatenate([count for _, count in alone])
        frames = np.zeros((len(alone), counts.max(), alone[0][0].shape[2]), np.float32)
        for row, (its_frames, (count,)) in zip(frames, alone, strict=True):
            row[:count] = its_frames[0, :count]
        return frames, counts

    def _run(self, features: Float32Array, lengths: Int64Array) -> tuple[Float32Array, Int64Array]:
        feature_info, length_info = self.session.inputs
        encoded, encoded_lengths = self.session.run(
            features.astype(feature_info.dtype, copy=False), lengths.astype(length_info.dtype, copy=False)
        )
        # The graph's output is channels first. The copy costs a tenth of the joiner's projection, which
        # would else make it; and a stretch of frames is then a plain slice.
        time_major = np.ascontiguousarray(encoded.transpose(0, 2, 1), np.float32)
        return time_major, encoded_lengths.astype(np.int64)


class Predictor:
    """The predictor's own graph: the reference for `graphs.head.CompactPredictor`, and its stand-in.

    Attributes:
        session: The loaded graph.
        width: Numbers in its output for the joiner.
        state_size: Numbers in the state of one utterance: hidden and cell state of all layers.
    """

    def __init__(self, session: Session) -> None:
        _check_interface(session, "predictor", ranks=(2, 3, 3), n_outputs=3)
        self.session = session
        self._n_layers = _declared(session, 1, axis=0, what="LSTM layers")
        self._n_hidden = _declared(session, 1, axis=2, what="hidden units")
        self.state_size = 2 * self._n_layers * self._n_hidden
        tokens = np.zeros((2, 1), np.int64)
        states = np.random.default_rng(0).standard_normal((2, self.state_size), np.float32)
        self._run = _for_rows(self._run_batch, session, tokens, states)
        self.width = self._run(tokens, states).shape[1] - self.state_size

    def __call__(self, tokens: Int64Array, states: Float32Array) -> tuple[Float32Array, Float32Array]:
        """See `search.Predictor`."""
        both = self._run(tokens[:, None], states)
        return both[:, : self.width], both[:, self.width :]

    def _run_batch(self, tokens: Int64Array, states: Float32Array) -> Float32Array:
        """(N, 1) and (N, state_size) to the output and the states side by side, (N, width + state_size)."""
        n = len(tokens)
        token_info, hidden_info, cell_info = self.session.inputs
        # The graph has the batch on the second axis of its states, (n_layers, N, n_hidden); we on the first.
        hidden, cell = states.reshape(n, 2, self._n_layers, self._n_hidden).transpose(1, 2, 0, 3)
        predicted, *new_states = self.session.run(
            tokens.astype(token_info.dtype, copy=False),
            hidden.astype(hidden_info.dtype, copy=False),
            cell.astype(cell_info.dtype, copy=False),
        )
        columns = [predicted, *(state.transpose(1, 0, 2) for state in new_states)]
        return np.concatenate([column.reshape(n, -1) for column in columns], axis=1, dtype=np.float32)


class Joiner:
    """The joiner's own graph: the reference for `graphs.head.CompactJoiner`, and its stand-in.

    Attributes:
        session: The loaded graph.
        n_encoded: Width of an encoder frame.
        n_predicted: Width of the predictor's output.
        n_vocabulary: Scores per frame.
    """

    def __init__(self, session: Session) -> None:
        _check_interface(session, "joiner", ranks=(3, 3), n_outputs=1)
        self.session = session
        self.n_encoded = _declared(session, 0, axis=1, what="encoder channels")
        self.n_predicted = _declared(session, 1, axis=1, what="predictor channels")
        rng = np.random.default_rng(0)
        encoded = rng.standard_normal((2, self.n_encoded), np.float32)
        predicted = rng.standard_normal((2, self.n_predicted), np.float32)
        self._run = _for_rows(self._run_batch, session, encoded, predicted)
        self.n_vocabulary = self._run(encoded, predicted).shape[1]

    def project(self, encoded: Float32Array) -> Float32Array:
        """See `search.Joiner`; the graph cannot be cut, so frames stay as they are."""
        return encoded

    def __call__(self, projected: Float32Array, predicted: Float32Array) -> Float32Array:
        """See `search.Joiner`; log-probabilities."""
        n, window, _ = projected.shape
        frames = projected.reshape(n * window, -1)
        return self._run(frames, np.repeat(predicted, window, axis=0)).reshape(n, window, -1)

    def _run_batch(self, encoded: Float32Array, predicted: Float32Array) -> Float32Array:
        """(N, n_encoded) and (N, n_predicted) to (N, n_vocabulary): the frames are the graph's batch."""
        encoded_info, predicted_info = self.session.inputs
        (scores,) = self.session.run(
            encoded[:, :, None].astype(encoded_info.dtype, copy=False),
            predicted[:, :, None].astype(predicted_info.dtype, copy=False),
        )
        return as_float32(scores.reshape(len(encoded), -1))


@dataclass(frozen=True)
class Networks:
    """The three networks of one model.

    Attributes:
        encoder: Encoder on the provider asked for.
        predictor: Predictor on one thread of the CPU: its matrix products are too small for more.
        joiner: Joiner that fits `predictor`, also on one thread of the CPU.
    """

    encoder: Encoder
    predictor: CompactPredictor | Predictor
    joiner: CompactJoiner | Joiner


def load_networks(
    files: ModelFiles, options: RuntimeOptions, *, n_vocabulary: int, head: Head = "auto"
) -> Networks:
    """Load and check the graphs of a model.

    Args:
        files: Paths of the graphs.
        options: Provider and threads of the encoder.
        n_vocabulary: Pieces of the vocabulary, the blank included.
        head: "auto" runs predictor and joiner as compact graphs (`graphs.head`) where their structure is
            known and the results agree, else their own graphs; "graphs" always runs these.

    Raises:
        ModelError: a graph is broken or has another interface, or graphs and vocabulary do not fit.
        ModelNotFoundError: a file is gone.
        ProviderError: see `runtime.sessions.load_session`.
    """
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load_encoder, files.encoder, options)  # meanwhile, the rest
        predictor, joiner = _load_head(files) if head == "auto" else _load_graphs(files)
        encoder = Encoder(loading.result())
    _check_fit(files, encoder, predictor, joiner, n_vocabulary)
    return Networks(encoder, predictor, joiner)


def _load_graphs(files: ModelFiles) -> tuple[Predictor, Joiner]:
    predictor, joiner = (
        load_exactly(path, HEAD_OPTIONS)  # there are INT8 heads, too
        for path in (files.predictor, files.joiner)
    )
    return Predictor(predictor), Joiner(joiner)


def _load_head(files: ModelFiles) -> tuple[CompactPredictor, CompactJoiner] | tuple[Predictor, Joiner]:
    """Compact graphs, from the cache or into it; the original ones where their structure is not known."""
    graphs: list[tuple[Predictor, Joiner]] = []

    def make(folder: Path) -> None:
        graphs.append(_load_graphs(files))
        try:
            write_head(files.predictor, files.joiner, folder)
            _require_same(graphs[-1], load_head(folder))
        except (ValueError, ModelError) as error:  # a foreign graph may break any step of reading it
            raise NotPreparedError(str(error)) from error

    paths = [files.predictor, files.joiner]
    if not all(path.is_file() for path in paths):
        return _load_graphs(files)  # which says what is missing
    try:
        return prepared("heads", paths, make, load_head)
    except NotPreparedError as error:
        logger.warning("running predictor and joiner as they are, which is slower: %s", error)
        return graphs[-1] if graphs else _load_graphs(files)


def _require_same(graphs: tuple[Predictor, Joiner], compact: tuple[CompactPredictor, CompactJoiner]) -> None:
    """Check that a few random steps give what the graphs give."""
    predictor, joiner = graphs
    compact_predictor, compact_joiner = compact
    if compact_predictor.state_size != predictor.state_size:
        raise UnrecognisedGraphError("the predictor's state is not that of its LSTM")
    rng = np.random.default_rng(0)
    n = 3
    states = compact_states = np.zeros((n, predictor.state_size), np.float32)
    for _ in range(4):
        tokens = rng.integers(joiner.n_vocabulary, size=n)
        encoded = rng.standard_normal((n, 2, joiner.n_encoded), np.float32)
        predicted, states = predictor(tokens, states)
        compact_predicted, compact_states = compact_predictor(tokens, compact_states)
        scores = joiner(joiner.project(encoded), predicted)
        compact_scores = compact_joiner(compact_joiner.project(encoded), compact_predicted)
        if not (_agree(states, compact_states) and _agree(scores, _log_softmax(compact_scores))):
            raise UnrecognisedGraphError(
                "the weights read from the graphs give other results than the graphs"
            )


def _check_fit(
    files: ModelFiles,
    encoder: Encoder,
    predictor: CompactPredictor | Predictor,
    joiner: CompactJoiner | Joiner,
    n_vocabulary: int,
) -> None:
    n_encoded = encoder.session.outputs[0].shape[1]
    pairs = [
        (files.encoder, "encoder frames are", n_encoded, joiner.n_encoded, "wide in the joiner"),
        (files.predictor, "output is", predictor.width, joiner.n_predicted, "wide in the joiner"),
        (files.vocabulary, "pieces are", n_vocabulary, joiner.n_vocabulary, "in the joiner"),
    ]
    for path, what, given, expected, where in pairs:
        if given is not None and given != expected:
            raise ModelError(
                f"{path}: its {what} {given}, but {expected} {where} {files.joiner.name}; "
                "take all files from one export of one model"
            )


def _check_interface(session: Session, role: str, *, ranks: tuple[int, ...], n_outputs: int) -> None:
    found = tuple(len(info.shape) for info in session.inputs)
    if found == ranks and len(session.outputs) == n_outputs:
        return
    inputs, outputs = (
        ", ".join(f"{info.name}{list(info.shape)}" for info in infos) or "none"
        for infos in (session.inputs, session.outputs)
    )
    raise ModelError(
        f"{session.name} is not a {role}: its inputs are {inputs}, its outputs {outputs}; "
        f"expected inputs of ranks {ranks} and {n_outputs} outputs; check which file has which name"
    )


def _declared(session: Session, position: int, *, axis: int, what: str) -> int:
    info = session.inputs[position]
    size = info.shape[axis]
    if size is None:
        raise ModelError(
            f"{session.name}: {info.name}{list(info.shape)} leaves the number of {what} open (axis {axis}); "
            "export the model with a fixed size there"
        )
    return size


_RowFunction = Callable[..., Float32Array]


def _for_rows(run: _RowFunction, session: Session, *arrays: np.ndarray) -> _RowFunction:
    """`run` as it is, or row by row where the graph takes one row only or mixes the rows of a batch.

    Dynamic quantisation mixes them: its scale is that of the whole batch, so that the result of one row
    depends on the others, and search would depend on what shares its batch.
    """

    def row_by_row(*arrays: np.ndarray) -> Float32Array:
        return np.concatenate([run(*(array[i : i + 1] for array in arrays)) for i in range(len(arrays[0]))])

    if session.inputs[0].shape[0] == 1:
        return row_by_row
    if _agree(run(*arrays), row_by_row(*arrays)):
        return run
    logger.warning("%s is quantised dynamically: it runs row by row, which is slower", session.name)
    return row_by_row


def _agree(one: Float32Array, other: Float32Array) -> bool:
    return one.shape == other.shape and np.allclose(one, other, rtol=_ROUNDING, atol=_ROUNDING)


def _log_softmax(scores: Float32Array) -> Float32Array:
    shifted: Float32Array = scores - scores.max(axis=-1, keepdims=True)
    result: Float32Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result
