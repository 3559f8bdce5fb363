"""HTML of a transcript for notebooks: the text, a word's times under the pointer, unsure words marked."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

_MOST_WORDS: Final = 1_000
"""Shown of a long recording: a page of a notebook, not its hour."""

# Below a confidence, how a word is underlined: told apart by shape, so that no colour has to be seen. The
# limits are those of `widgets.TranscriptView`.
_MARKS: Final = ((0.7, "3px double #d55e00"), (0.9, "2px dotted #e69f00"))
_LEGEND: Final = "underlined twice: confidence below 0.7; dotted: below 0.9"


class TimedWord(Protocol):
    """A word as it is shown here; see `gigastt_lab.types.Word`."""

    @property
    def text(self) -> str:
        """The word as written."""

    @property
    def start(self) -> float:
        """Start of the word in seconds."""

    @property
    def end(self) -> float:
        """End of the word in seconds."""

    @property
    def confidence(self) -> float:
        """Confidence between 0 and 1."""


def transcript_html(words: Sequence[TimedWord], duration_s: float, warnings: Sequence[str] = ()) -> str:
    """An HTML fragment, its texts escaped; of a long recording the first words, and how many more there are.

    Args:
        words: Words in the order spoken.
        duration_s: Length of the audio in seconds.
        warnings: Sentences on what of the file was damaged, cut or missing.
    """
    shown = words[:_MOST_WORDS]
    text = " ".join(map(_word, shown)) or "<em>no speech was recognised</em>"
    more = f" … and {len(words) - len(shown):,} more words" if len(shown) < len(words) else ""
    about = html.escape(_about(words, duration_s))
    told = "".join(
        f'<p style="margin:0.2em 0 0;font-size:0.85em;border-left:3px solid #d55e00;padding-left:0.6em">'
        f"{html.escape(warning)}</p>"
        for warning in warnings
    )
    return (
        f'<div><p lang="ru" style="margin:0.3em 0;line-height:1.8">{text}{more}</p>'
        f'<p style="margin:0;font-size:0.85em;opacity:0.75">{about}</p>{told}</div>'
    )


def _word(word: TimedWord) -> str:
    title = f"{word.start:.2f} to {word.end:.2f} s, confidence {word.confidence:.2f}"
    mark = next((line for below, line in _MARKS if word.confidence < below), None)
    style = f' style="border-bottom:{mark}"' if mark else ""
    return f'<span title="{title}"{style}>{html.escape(word.text)}</span>'


def _about(words: Iterable[TimedWord], duration_s: float) -> str:
    sure = [word.confidence for word in words]
    counted = f"{len(sure):,} word{'' if len(sure) == 1 else 's'} in {duration_s:.2f} s of audio"
    if not sure:
        return counted
    legend = f"; {_LEGEND}" if min(sure) < _MARKS[-1][0] else ""
    return f"{counted}; mean confidence {sum(sure) / len(sure):.2f}{legend}"
