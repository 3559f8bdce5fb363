"""Words of the hypotheses that have a confidence, each with its verdict: right or wrong.

A word is right where the alignment has it equal to the reference's. The system's words carry the
confidences, and the normaliser may make several of one or one of several: what its words give when
normalised one by one is aligned to the normalised hypothesis, and a stretch that differs takes the mean of
the confidences in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from evaluation.beyond.pooled import FloatArray, IntArray
from evaluation.beyond.wordwise import spans
from evaluation.records.files import Record
from evaluation.scoring.options import Options
from evaluation.scoring.scores import Score
from evaluation.scoring.texts import normalized


@dataclass(frozen=True, eq=False)
class JudgedWords:
    """Words of the normalised hypotheses that have a confidence.

    Attributes:
        utterances: Number of the utterance of each word, from 0. Shape (n_words,).
        confidences: Confidence of each word, 0 to 1. Shape (n_words,).
        right: True of words that are right. Shape (n_words,).
    """

    utterances: IntArray
    confidences: FloatArray
    right: npt.NDArray[np.bool_]


_judged: WeakKeyDictionary[Score, JudgedWords] = WeakKeyDictionary()


def judged_words(one: Score) -> JudgedWords:
    """Words of a score's hypotheses with their confidence and verdict, worked out once."""
    if one not in _judged:
        table, options = one.utterances, one.options
        utterances, confidences, right = [], [], []
        for number, (record, reference, hypothesis) in enumerate(
            zip(one.file.records, table["normalized_reference"], table["normalized_hypothesis"], strict=True)
        ):
            told = _confidences(record, hypothesis, options)
            if told:
                utterances += [number] * len(told)
                confidences += told
                right += _right(reference, hypothesis, options.compounds)
        _judged[one] = JudgedWords(
            np.array(utterances, np.int64), np.array(confidences, float), np.array(right, bool)
        )
    return _judged[one]


def _confidences(record: Record, hypothesis: str, options: Options) -> list[float]:
    """Confidence of each word of a normalised hypothesis; none where the record has none."""
    pieces: list[str] = []
    confidences: list[float] = []
    for text, _, _, confidence in record.words:
        words = normalized(text, options.profile, options.normalizer).split()
        pieces += words
        confidences += [confidence] * len(words)
    if not pieces or record.hypothesis is None or record.confidence is None:
        return []
    heard = hypothesis.split()
    if pieces == heard:
        return confidences
    told: list[float] = []
    for span in spans(pieces, heard):
        inside = confidences[span.ref_start : span.ref_end]
        if span.kind in ("equal", "replace"):
            told += inside if span.kind == "equal" else [sum(inside) / len(inside)] * len(inside)
        elif span.kind == "insert":
            # More words than the pieces gave: as sure as the piece before them, or after.
            told += [confidences[max(0, span.ref_start - 1)]] * (span.hyp_end - span.hyp_start)
    return told


def _right(reference: str, hypothesis: str, compounds: bool) -> list[bool]:
    right: list[bool] = []
    for span in spans(reference.split(), hypothesis.split(), compounds=compounds):
        right += [span.kind in ("equal", "join")] * (span.hyp_end - span.hyp_start)
    return right
