"""Place at which an utterance without a pause is cut: its widest gap between words near the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gigastt_lab.types import Word

# So long before the newest audio it may be cut: later words lack right context.
_FROM_S: Final = 4.0
_TO_S: Final = 0.6


def words_before_gap(words: Sequence[Word], first: int, newest_s: float) -> int:
    """Number of words that an utterance that grew too long keeps.

    Args:
        words: Words of the pass over it, with those that the utterance before had.
        first: Number of these; at least one more is kept.
        newest_s: Second of the stream up to which it was heard.

    Returns:
        Words up to the widest gap between 4 and 0.6 s before the newest audio; else up to the last one before
        that; else all.
    """
    starts = [*(word.start for word in words[1:]), newest_s]
    gaps = {
        n: start - word.end
        for n, (word, start) in enumerate(zip(words, starts, strict=True), start=1)
        if n > first and word.end <= newest_s - _TO_S
    }
    late = [n for n in gaps if words[n - 1].end >= newest_s - _FROM_S]
    return max(late, key=gaps.__getitem__) if late else max(gaps, default=len(words))
