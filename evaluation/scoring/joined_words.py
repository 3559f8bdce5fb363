"""Effect of forgiving split and joined words: the WER without it, to stand beside the one with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluation.scoring.texts import word_counts
from evaluation.show.display import percent

if TYPE_CHECKING:
    from evaluation.scoring.scores import Score


def wer_without_compounds(one: Score) -> float:
    """WER of a score if words that only a space parts were errors; NaN without a reference word."""
    table = one.utterances
    pairs = zip(table["normalized_reference"], table["normalized_hypothesis"], strict=True)
    errors = sum(word_counts(reference, hypothesis).errors for reference, hypothesis in pairs)
    return errors / one.wer.n_reference if one.wer.n_reference else float("nan")


def compounds_remark(*scores: Score) -> str:
    """Effect of forgiving them, for the sentence beneath a table; "" where they are errors.

    Args:
        *scores: Scores in the order of the table, all with the same options.
    """
    if not scores[0].options.compounds:
        return ""
    rates = ", ".join(percent(wer_without_compounds(one)) for one in scores)
    return f", split and joined words forgiven (WER {rates} % if they were not)"
