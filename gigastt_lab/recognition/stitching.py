"""Stitching of the words of two passes that overlap into one text: no word lost, none doubled.

Both passes heard the overlap, each with context on its other side only. Where they agree on a word, the text
may pass from one to the other; near the middle of the overlap both still know enough.

Source: gigastt `docs/longform-stitching.md`, which measured that cutting at the quietest place is worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gigastt_lab.types import Word

# The same word may come a few frames earlier or later in the other pass; the next one like it comes later.
MATCH_TOLERANCE_S: Final = 0.4


def align(before: Sequence[Word], after: Sequence[Word]) -> list[tuple[int, int]]:
    """Pairs of words of two passes that are the same word heard twice.

    In order, of the same spelling but for case and punctuation, with middles less than `MATCH_TOLERANCE_S`
    apart. The more and the closer, the better: "да да да" is not shifted by a word to match once more.

    Args:
        before: Words of the earlier pass, at least those of the overlap.
        after: Words of the later pass, likewise. Times from the same zero.

    Returns:
        Pairs of indices into `before` and `after`, rising.
    """
    spelt_before, spelt_after = [_spelling(word) for word in before], [_spelling(word) for word in after]

    def value(i: int, j: int) -> float:
        """Value of a match: 1 at the same time, 0 at the tolerance; 0 where there is none."""
        if not spelt_before[i] or spelt_before[i] != spelt_after[j]:
            return 0.0
        return max(0.0, 1.0 - abs(_middle(before[i]) - _middle(after[j])) / MATCH_TOLERANCE_S)

    # best[i][j]: of before[i:] and after[j:]
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in reversed(range(len(before))):
        for j in reversed(range(len(after))):
            matched = value(i, j)
            best[i][j] = max(best[i + 1][j], best[i][j + 1], matched and matched + best[i + 1][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(before) and j < len(after):
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            pairs.append((i, j))
            i, j = i + 1, j + 1
    return pairs


def seam(before: Sequence[Word], after: Sequence[Word], middle: float) -> tuple[int, int]:
    """Seam at which the text passes from one pass to the next: `before[:i] + after[j:]`.

    Args:
        before: Words of the earlier pass.
        after: Words of the later pass. Times from the same zero.
        middle: Middle of the overlap, in seconds.

    Returns:
        i and j: the word that both have nearest to the middle comes from the pass that has more context
        for it. Without such a word, what lies before the middle comes from `before`, the rest from `after`.
    """
    pairs = align(before, after)
    if pairs:
        i, j = min(pairs, key=lambda pair: abs(_middle(before[pair[0]]) - middle))
        return (i + 1, j + 1) if _middle(before[i]) < middle else (i, j)
    # A cut between two words of one pass leaves room on both sides for the other's times.
    cuts = [_cut_before(before, n, middle) for n in range(len(before) + 1)]
    i = min(range(len(cuts)), key=lambda n: abs(cuts[n] - middle))
    return i, sum(_middle(word) < cuts[i] for word in after)


def seam_after(before: Sequence[Word], after: Sequence[Word], n_kept: int) -> int:
    """Seam in the later pass, when the words kept of the earlier one are delivered already.

    Args:
        before: Words of the earlier pass that lie in what the later one heard again, delivered or not: those
            behind the cut tell where it was.
        after: Words of the later pass. Times from the same zero.
        n_kept: Number of words delivered: `before[:n_kept]`.

    Returns:
        Index j, from which on `after[j:]` are new.
    """
    if not before:
        return 0
    pairs = align(before, after)
    kept = [(i, j) for i, j in pairs if i < n_kept]
    low = kept[-1][1] + 1 if kept else 0
    if kept and kept[-1][0] == n_kept - 1:
        return low
    # Between the words that are known on both sides of the cut, only time can tell.
    high = next((j for i, j in pairs if i >= n_kept), len(after))
    cut = _cut_before(before, n_kept, before[0].start if n_kept == 0 else before[n_kept - 1].end)
    return low + sum(_middle(word) < cut for word in after[low:high])


def joined(before: Sequence[Word], after: Sequence[Word]) -> tuple[Word, ...]:
    """`after` as it follows `before`: no time of it lies before the end of the last word there."""
    earliest = before[-1].end if before else 0.0
    return tuple(
        replace(word, start=max(word.start, earliest), end=max(word.end, earliest))
        if word.start < earliest
        else word
        for word in after
    )


def within(words: Sequence[Word], start_s: float, end_s: float) -> tuple[Word, ...]:
    """The words with no time before `start_s` or behind `end_s`; in seconds, from the same zero."""
    return tuple(
        word
        if start_s <= word.start <= word.end <= end_s
        else replace(word, start=_between(word.start, start_s, end_s), end=_between(word.end, start_s, end_s))
        for word in words
    )


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _cut_before(words: Sequence[Word], n: int, middle: float) -> float:
    """The time between word n - 1 and word n; beyond the ends, `middle` where it lies there."""
    if n == 0:
        return min(middle, words[0].start) if words else middle
    if n == len(words):
        return max(middle, words[-1].end)
    return (words[n - 1].end + words[n].start) / 2


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2


def _spelling(word: Word) -> str:
    return "".join(filter(str.isalnum, word.text)).casefold().replace("ё", "е")
