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


def compounds_remark(one: Score) -> str:
    """Effect of forgiving them, for the sentence beneath a table; "" where they are errors."""
    if not one.options.compounds:
        return ""
    return f", split and joined words forgiven (WER {percent(wer_without_compounds(one))} % if they were not)"
