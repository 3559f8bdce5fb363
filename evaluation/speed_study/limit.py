"""The machine's own limit: speed of an encoder that did nothing but matrix products, at the best rate.

Matrix products of the encoder's own shapes are measured, with as many rows as the clip has encoder frames.
The best rate over the shapes and over the libraries is taken for all of the encoder's work. Nothing else is
counted: neither reading weights from memory, which do not fit a cache together, nor norms, softmax, features,
search.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluation.speed_study.clips import Clip
from evaluation.speed_study.process import Worker
from evaluation.speed_study.rounds import Turn
from gigastt_lab.models.files import Precision
from gigastt_lab.spec import GIGAAM_V3

KIND_NAMES: Final = {"fp32": "MatMul", "fp32_blas": "BLAS", "int8": "INT8"}
"""Names of `gemm.KINDS` for people."""
BLAS_VARIABLES: Final = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""They tell numpy's BLAS, whichever it is, how many threads to take."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Limit of the machine for a clip of one length.

    Attributes:
        audio_s: Length of the clip in seconds.
        n_rows: Encoder frames, which are the rows of every matrix product.
        flop: FLOP of one pass of the encoder.
        rates: FLOP per second by `gemm.KINDS`, the best round of each shape, in the order of `shapes`.
        shapes: Shapes (n_in, n_out) of the constant matrices.
    """

    audio_s: float
    n_rows: int
    flop: float
    rates: Mapping[str, tuple[float, ...]]
    shapes: tuple[tuple[int, int], ...]

    @property
    def flop_per_s(self) -> float:
        """FLOP of the encoder per second of audio."""
        return self.flop / self.audio_s

    def rate(self, precision: Precision) -> float:
        """The best rate of a precision, in FLOP per second: over libraries and shapes."""
        kinds = ("int8",) if precision == "int8" else ("fp32", "fp32_blas")
        return max((rate for kind in kinds for rate in self.rates.get(kind, ())), default=math.nan)

    def rtfx(self, precision: Precision) -> float:
        """Seconds of audio that could be encoded per second.

        >>> rates = {"fp32": (2e9, 1e9), "int8": (6e9, 8e9)}
        >>> limit = Limit(audio_s=4.0, n_rows=100, flop=4e9, rates=rates, shapes=((2, 3), (3, 2)))
        >>> limit.rtfx("fp32"), limit.rtfx("int8")
        (2.0, 8.0)
        """
        return self.rate(precision) / self.flop_per_s


class LimitSection:
    """Turns that measure the limit, one for each clip.

    Attributes:
        turns: Turns by clip; empty before `prepare`.
        error: Reason why there is no limit; None where there is one.
    """

    def __init__(self, worker: Worker, encoder: Path, clips: Sequence[Clip]) -> None:
        """Use the process `worker` for matrix products like those of the graph `encoder`."""
        self.turns: dict[Clip, Turn] = {}
        self.error: str | None = None
        self._worker = worker
        self._encoder = encoder
        self._clips = clips
        self._flop: Mapping[Clip, float] = {}
        self._rows: Mapping[Clip, int] = {}
        self._shapes: tuple[tuple[int, int], ...] = ()

    def prepare(self) -> None:
        """Count the FLOP and encoder frames of each clip.

        Raises:
            WorkerError: the graph cannot be counted.
        """
        n_frames = [GIGAAM_V3.n_frames(round(clip.audio_s * GIGAAM_V3.sample_rate)) for clip in self._clips]
        work = self._worker.ask("work", path=str(self._encoder), n_frames=n_frames)
        self._flop = dict(zip(self._clips, work["flops"], strict=True))
        self._rows = dict(zip(self._clips, work["n_encoder_frames"], strict=True))
        self._shapes = tuple((n_in, n_out) for n_in, n_out in work["shapes"])
        self.turns = {
            clip: Turn(self._worker, "gemm", n_rows=self._rows[clip], shapes=self._shapes)
            for clip in self._clips
        }

    def limits(self) -> list[Limit]:
        """Limits that were measured; only of clips whose turns have been taken."""
        found = []
        for clip, turn in self.turns.items():
            self.error = self.error or turn.error
            if turn.answers:
                rates = {kind: _best(answers) for kind, answers in _by_kind(turn).items()}
                found.append(
                    Limit(
                        audio_s=clip.audio_s, n_rows=self._rows[clip], flop=self._flop[clip], rates=rates,
                        shapes=self._shapes,
                    )
                )  # fmt: skip
        return found


def _by_kind(turn: Turn) -> dict[str, list[list[float]]]:
    return {kind: [answer[kind] for answer in turn.answers] for kind in turn.answers[0]}


def _best(rates: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The best round of each shape."""
    return tuple(map(max, zip(*rates, strict=True)))
