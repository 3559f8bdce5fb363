"""Audio of a window's utterances as systems take it: pieces are cut out, in the order of their recordings.

In that order a recording is decoded once, however many pieces it holds; a batch has them by length, and a
manifest may have been shuffled. What of a piece its recording lacks is known here alone: the WAV file that a
system gets shows none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from evaluation.datasets.audio import Audio, content, decoded
from evaluation.datasets.pieces import Piece
from evaluation.datasets.utterances import Utterance
from evaluation.systems.base import Outcome
from gigastt_lab.errors import AudioError, brief
from gigastt_lab.types import AudioWarning

_REFUSED: Final = ("cut", "damaged")  # as of `strict` in `gigastt_lab.audio.reading`


@dataclass(frozen=True)
class Handed:
    """Audio for a system, and what is known of its losses."""

    audio: Audio
    warnings: tuple[AudioWarning, ...] = ()


@dataclass(frozen=True)
class Uncut:
    """An utterance that no system is asked for, and why: its piece cannot be cut out, or it is refused."""

    outcome: Outcome


def handed(utterances: Iterable[Utterance], *, strict: bool = False) -> dict[str, Handed | Uncut]:
    """Audio by the utterance's id; what cannot be cut out is an outcome, which no system is asked for.

    Args:
        utterances: Utterances of a window.
        strict: True decodes each utterance here, and refuses those that were cut or are damaged: whatever the
            systems are, all of them fail on the same ones.
    """
    found: dict[str, Handed | Uncut] = {}
    for utterance in sorted(utterances, key=_place):
        try:
            found[utterance.id] = _handed(utterance, strict)
        except (AudioError, MemoryError) as error:
            found[utterance.id] = Uncut(Outcome(error=brief(error)))
    return found


def outcome_of(each: Handed | Uncut, outcomes: Iterator[Outcome]) -> Outcome:
    """Outcome of an utterance: the next one of the system's, where it was asked, with what was known here."""
    if isinstance(each, Uncut):
        return each.outcome
    outcome = next(outcomes)
    return replace(outcome, warnings=(*each.warnings, *outcome.warnings)) if each.warnings else outcome


def _handed(utterance: Utterance, strict: bool) -> Handed:
    warnings = list(utterance.warnings)
    audio = content(utterance.audio, warnings)
    if strict:
        was_cut_out = isinstance(utterance.audio, Piece) and isinstance(audio, bytes)
        for each in (*warnings, *(() if was_cut_out else decoded(audio).warnings)):
            if each.kind in _REFUSED:
                raise AudioError(f"{each.message}. Refused, as strict_audio asks")
    return Handed(audio, tuple(warnings))


def _place(utterance: Utterance) -> tuple[str, float]:
    """Recording of a piece, and its start; all else stays in its order."""
    piece = utterance.audio
    return (str(piece.path), piece.start_s) if isinstance(piece, Piece) else ("", 0.0)
