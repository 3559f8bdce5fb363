"""Audio of a window's utterances as systems take it: pieces are cut out, in the order of their recordings.

In that order a recording is decoded once, however many pieces it holds; a batch has them by length, and a
manifest may have been shuffled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evaluation.datasets.audio import Audio, content
from evaluation.datasets.pieces import Piece
from evaluation.datasets.utterances import Utterance
from evaluation.systems.base import Outcome
from gigastt_lab.errors import AudioError, brief


@dataclass(frozen=True)
class Uncut:
    """A piece that could not be cut out, and why."""

    outcome: Outcome


def handed(utterances: Iterable[Utterance]) -> dict[str, Audio | Uncut]:
    """Audio by the utterance's id; what cannot be cut out is an outcome, which no system is asked for."""
    found: dict[str, Audio | Uncut] = {}
    for utterance in sorted(utterances, key=_place):
        try:
            found[utterance.id] = content(utterance.audio)
        except (AudioError, MemoryError) as error:
            found[utterance.id] = Uncut(Outcome(error=brief(error)))
    return found


def _place(utterance: Utterance) -> tuple[str, float]:
    """Recording of a piece, and its start; all else stays in its order."""
    piece = utterance.audio
    return (str(piece.path), piece.start_s) if isinstance(piece, Piece) else ("", 0.0)
