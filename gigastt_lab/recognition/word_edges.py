"""Begin and end of words, from the encoder frames of their pieces: in order, never one inside another.

A search emits a piece in one frame, near where its sound begins, and the next one where that begins. So a
word's sound goes on behind the frame of its last piece, and nothing in the tokens says how long. Measured on
synthesized speech with known times (the demo model; `docs/streaming.md`): ends at the last piece's frame come
41 ms early between words and 98 ms before pauses; by the rule here, 7 and 18 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# A word goes on for half of what is left until the next one begins, at most so many frames: 80 ms. More would
# be nearer to the truth for some voices, and run into the silence behind others.
_SOUNDS_ON: Final = 2


@dataclass(frozen=True)
class FrameSpan:
    """Encoder frames of the pieces that a word's times are of.

    Attributes:
        first: Frame of the first piece.
        last: Frame of the last piece.
        sounds: False of a word that is punctuation alone: it does not go on.
    """

    first: int
    last: int
    sounds: bool


def word_edges(spans: Sequence[FrameSpan]) -> list[tuple[float, float]]:
    """Begin and end of each word, in encoder frames and parts of them.

    Words that share a frame, as several tokens may come in one, share its time evenly, in order.

    Args:
        spans: Frames of each word; they never go back.

    Returns:
        Of each word begin < end; no end lies behind the next begin.

    >>> words = (2, 4, True), (6, 7, True), (7, 7, True), (20, 20, False)
    >>> word_edges([FrameSpan(*word) for word in words])
    [(2.0, 5.5), (6.0, 7.5), (7.5, 10.0), (20.0, 21.0)]
    """
    edges = [(float(span.first), _end(spans, i)) for i, span in enumerate(spans)]
    first = 0
    while first < len(spans):
        last = _last_in_frame(spans, first)
        n_words = last - first + 1
        for k in range(1, n_words):
            border = spans[first].last + k / n_words
            before, after = first + k - 1, first + k
            edges[before] = edges[before][0], border
            edges[after] = border, edges[after][1]
        first = max(last, first + 1)
    return edges


def _end(spans: Sequence[FrameSpan], i: int) -> float:
    """End of word i, if it shares no frame with the next one."""
    behind = spans[i].last + 1
    if not spans[i].sounds:
        return float(behind)
    if i + 1 == len(spans):
        return float(behind + _SOUNDS_ON)
    return behind + min(float(_SOUNDS_ON), max(0, spans[i + 1].first - behind) / 2)


def _last_in_frame(spans: Sequence[FrameSpan], first: int) -> int:
    """Number of the last word that has a piece in the frame in which word `first` ends."""
    frame, last = spans[first].last, first
    while last + 1 < len(spans) and spans[last].last == frame == spans[last + 1].first:
        last += 1
    return last
