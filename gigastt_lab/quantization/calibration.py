"""Calibration statistics of the encoder's MatMul inputs, and the rounding of weights by them.

The FP32 encoder runs over speech with the inputs of its MatMul (and of convolutions of kernel 1) as further
outputs. Of these a sample of frames is kept, and the Gram matrix of each is computed when a weight asks for
it: all at once would be 2.6 GB for GigaAM v3.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError, ModelError
from gigastt_lab.graphs.weight_range import EXACT, WeightRange
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.quantization.gptq import (
    Float64Array,
    correction,
    damped,
    quantize_weight,
    round_with,
    weight_scales,
)
from gigastt_lab.quantization.int8_graph import ProductInput, Recipe, Rewriter, watch
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.runtime.sessions import RuntimeOptions, Session, as_float32, build_session
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array, Int8Array

if TYPE_CHECKING:
    from onnx import ModelProto

logger = logging.getLogger(__name__)

# Frames kept of each tensor: 82 s of speech, 0.8 GB for GigaAM v3. 5,500 frames gave no smaller error than
# 1,770 on speech that was not calibrated on, and 500 one that was 2 % larger (docs/quantization.md).
_MAX_FRAMES: Final = 2048
_MAX_PIECE_S: Final = 25.0  # of one pass, as in training

Inputs = Mapping[str, tuple[ProductInput, ...]]


@dataclass(frozen=True)
class WatchedEncoder:
    """Encoder with the MatMul inputs as further outputs.

    Attributes:
        graph: The FP32 encoder with further outputs, serialized.
        name: The encoder's path, for messages.
        inputs: Tensors that each weight is multiplied by, by the weight's name.
        outputs: Name of the output that holds each of these tensors.
    """

    graph: bytes
    name: str
    inputs: Inputs
    outputs: Mapping[ProductInput, str]


@dataclass(frozen=True)
class _Rows:
    """Rows of one tensor in units of the largest number in them. Shape (n_rows, n_in).

    Half precision has 11 bits; when the INT8 encoder runs, the same rows have 8.
    """

    values: npt.NDArray[np.float16]
    unit: float

    @classmethod
    def of(cls, rows: Float32Array) -> _Rows:
        unit = float(np.abs(rows).max(initial=0.0)) or 1.0
        return cls((rows / np.float32(unit)).astype(np.float16), unit)

    def restored(self) -> Float32Array:
        rows: Float32Array = self.values.astype(np.float32)
        rows *= np.float32(self.unit)
        return rows


@dataclass(frozen=True)
class _Energy:
    """Statistics of a weight's inputs that its rounding needs.

    Attributes:
        importance: Cost of an error in each row of the weight: the input's energy, damped. Shape (n_in,).
        correction: See `quantization.gptq.correction`. Shape (n_in, n_in).
    """

    importance: Float64Array
    correction: Float64Array

    @classmethod
    def of(cls, gram: Float64Array) -> _Energy:
        return cls(np.diagonal(damped(gram)).copy(), correction(gram))


class Calibration:
    """Sampled MatMul inputs of one encoder, over some speech.

    Attributes:
        n_clips: Number of utterances that were heard.
        duration_s: Seconds of speech in them.
    """

    def __init__(self, name: str, inputs: Inputs, *, n_clips: int, duration_s: float) -> None:
        self.n_clips = n_clips
        self.duration_s = duration_s
        self._name = name
        self._inputs = inputs
        self._uses = Counter(tensor for tensors in inputs.values() for tensor in tensors)
        self._rows: dict[ProductInput, list[_Rows]] = {}
        self._latest: tuple[tuple[ProductInput, ...], _Energy | None] | None = None

    def __str__(self) -> str:
        return f"calibrated, {self.n_clips} clip{'s' * (self.n_clips != 1)}, {self.duration_s:.0f} s"

    def add(self, tensor: ProductInput, rows: Float32Array) -> None:
        """Keep rows of one tensor from one piece of speech. Shape of `rows` (n_rows, n_in).

        Raises:
            ModelError: a number is not finite.
        """
        if not np.isfinite(rows).all():
            raise ModelError(
                f"{self._name} gives numbers that are not finite in {tensor.tensor}: it is damaged "
                "(download it again), or the speech is"
            )
        self._rows.setdefault(tensor, []).append(_Rows.of(rows))

    @property
    def tensors(self) -> tuple[ProductInput, ...]:
        """Tensors that were sampled."""
        return tuple(self._rows)

    def weights_of(self, tensor: ProductInput) -> set[str]:
        """Names of the weights that a tensor is multiplied by."""
        return {name for name, tensors in self._inputs.items() if tensor in tensors}

    def largest(self, tensor: ProductInput) -> Float32Array:
        """Largest absolute value in each channel of a tensor. Shape (n_in,)."""
        largest: Float32Array = np.max(
            [np.abs(rows.restored()).max(axis=0, initial=0.0) for rows in self._rows[tensor]], axis=0
        )
        return largest

    def divide(self, tensor: ProductInput, by: Float32Array) -> None:
        """Divide the channels of a tensor by factors, of shape (n_in,), as they were in the graph."""
        self._rows[tensor] = [_Rows.of(rows.restored() / by) for rows in self._rows[tensor]]

    def gram(self, tensors: Iterable[ProductInput]) -> Float64Array:
        """Gram matrix: the sum of ``x^T x`` over the rows ``x`` of these tensors. Shape (n_in, n_in)."""
        kept = [rows.restored() for tensor in tensors for rows in self._rows[tensor]]
        rows = np.concatenate(kept, dtype=np.float64)
        gram: Float64Array = rows.T @ rows
        return gram

    def quantize_weight(
        self, name: str, weight: Float32Array, allowed: WeightRange = EXACT
    ) -> tuple[Int8Array, Float32Array]:
        """Round a weight so that the outputs for this speech move least: an `int8_graph.QuantizeWeight`.

        Each weight can be asked for once: statistics that no other weight needs are thrown away.
        """
        tensors = self._inputs[name]
        energy = self._energy(tensors, name)
        self._uses.subtract(tensors)
        for tensor in tensors:
            if not self._uses[tensor]:
                del self._rows[tensor]  # memory for the INT8 weights, which grow meanwhile
        if energy is None:
            return quantize_weight(weight, allowed)
        scales = weight_scales(weight, allowed, energy.importance)
        return round_with(weight / scales, energy.correction, allowed), scales

    def _energy(self, tensors: tuple[ProductInput, ...], name: str) -> _Energy | None:
        """Statistics of inputs, computed once for query and key, which share theirs and are neighbours."""
        if self._latest is None or self._latest[0] != tensors:
            try:
                self._latest = (tensors, _Energy.of(self.gram(tensors)))
            except np.linalg.LinAlgError as error:
                logger.warning("%s: %s is rounded to nearest, not calibrated: %s", self._name, name, error)
                self._latest = (tensors, None)
        return self._latest[1]


def watched(model: ModelProto, name: str, recipe: Recipe) -> WatchedEncoder:
    """Encoder with the inputs of all that `recipe` quantizes as further outputs; changes `model`.

    Raises:
        ModelError: it is too large to be serialized.
    """
    inputs = Rewriter(model.graph, recipe).product_inputs()
    distinct = list(dict.fromkeys(each for its_inputs in inputs.values() for each in its_inputs))
    names = watch(model.graph, [each.tensor for each in distinct])
    try:
        graph = model.SerializeToString()
    except ValueError as error:  # protobuf's limit of 2 GB
        raise ModelError(f"{name} is too large to calibrate on: {error}") from error
    return WatchedEncoder(graph, name, inputs, dict(zip(distinct, names, strict=True)))


def calibrate(
    encoder: WatchedEncoder, waveforms: Sequence[Float32Array], *, show_progress: bool = False
) -> Calibration:
    """Run the encoder over speech, and keep a sample of its MatMul inputs.

    Args:
        encoder: Encoder that `watched` returned.
        waveforms: Utterances at 16 kHz, each of shape (n_samples,). Long ones are cut.
        show_progress: Show a bar on stderr.

    Raises:
        AudioError: they are too short for a single frame, or no waveforms.
        ModelError: the graph has not the interface of an encoder, or failed.
    """
    from tqdm import tqdm

    pieces = [piece for waveform in waveforms for piece in _pieces(waveform)]
    n_frames = sum(_n_encoder_frames(piece) for piece in pieces)
    if not n_frames:
        raise AudioError(
            f"{len(waveforms)} waveforms to calibrate on hold no window of {GIGAAM_V3.win_length} samples; "
            "give some seconds of speech"
        )
    session = build_session(encoder.graph, encoder.name, RuntimeOptions(provider="cpu"))
    _check_interface(session)
    n_samples = sum(map(len, waveforms))
    calibration = Calibration(
        encoder.name, encoder.inputs, n_clips=len(waveforms), duration_s=n_samples / GIGAAM_V3.sample_rate
    )
    share = min(1.0, _MAX_FRAMES / n_frames)
    for piece in tqdm(pieces, desc="calibrating", unit="clip", disable=not show_progress, dynamic_ncols=True):
        for tensor, values in _run(session, encoder, piece).items():
            rows = tensor.rows(values)
            calibration.add(tensor, rows[_evenly(len(rows), share)])
    return calibration


def _pieces(waveform: Float32Array) -> list[Float32Array]:
    """Equal parts of a waveform, `_MAX_PIECE_S` at most; none that is too short for an encoder frame."""
    n_parts = max(1, int(np.ceil(len(waveform) / (_MAX_PIECE_S * GIGAAM_V3.sample_rate))))
    return [part for part in np.array_split(waveform, n_parts) if _n_encoder_frames(part)]


def _n_encoder_frames(waveform: Float32Array) -> int:
    return -(-GIGAAM_V3.n_frames(len(waveform)) // GIGAAM_V3.subsampling)


def _evenly(n_rows: int, share: float) -> npt.NDArray[np.int64]:
    """Indices of a share of the rows, one at least, spread over all of them.

    >>> _evenly(4, 1.0).tolist(), _evenly(10, 0.3).tolist()
    ([0, 1, 2, 3], [1, 5, 8])
    """
    n_kept = max(1, round(n_rows * share)) if n_rows else 0
    return ((np.arange(n_kept) + 0.5) * n_rows / max(n_kept, 1)).astype(np.int64)


def _run(session: Session, encoder: WatchedEncoder, piece: Float32Array) -> dict[ProductInput, Float32Array]:
    feature_info, length_info = session.inputs
    features = log_mel(piece)[None]
    lengths = np.array([features.shape[2]])
    outputs = session.run(
        features.astype(feature_info.dtype, copy=False), lengths.astype(length_info.dtype, copy=False)
    )
    by_name = dict(zip((info.name for info in session.outputs), outputs, strict=True))
    return {tensor: as_float32(by_name[output]) for tensor, output in encoder.outputs.items()}


def _check_interface(session: Session) -> None:
    ranks = [len(info.shape) for info in session.inputs]
    if ranks != [3, 1]:
        raise ModelError(
            f"{session.name} takes inputs of ranks {ranks}, and an encoder features and lengths, [3, 1]: it "
            "cannot be run over speech; round its weights to nearest (--no-calibration)"
        )


def sample_clips() -> list[Float32Array]:
    """The packaged clips; each of shape (n_samples,) at 16 kHz."""
    return [decode_audio(path) for path in sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac"))]
