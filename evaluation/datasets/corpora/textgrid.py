"""Praat's TextGrid, long and short text form: tiers of intervals.

A text file in UTF-8, or UTF-16 with a byte order mark, as Praat writes them. Praat heeds only what stands
free in the file: numbers, texts in quotes and flags in `<>`; all else (``xmin =``, ``intervals [1]:``) is for
people, and the short form is the long one without it. So one reader reads both.

Source: https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluation.datasets.corpora.segments import TimedWord
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError

# Aligners' marks (MFA, WebMAUS) for stretches without a word.
NO_WORDS: Final = frozenset({"", "sil", "sp", "spn", "<eps>", "<sil>", "<p:>", "<usb>", "<nib>", "#"})
_WORD_TIERS: Final = frozenset({"words", "word", "слова", "слово", "ort", "ort-mau"})
_TOKEN: Final = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?<!\S)(?P<number>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?!\S)'
    r"|(?<!\S)<(?P<flag>\w+)>(?!\S)|(?<!\S)!(?P<comment>[^\n]*)"
)


@dataclass(frozen=True)
class Tier:
    """Tier of intervals.

    Attributes:
        name: Name of the tier.
        intervals: Begin, end (seconds) and text of each interval, those without a text too.
    """

    name: str
    intervals: tuple[tuple[float, float, str], ...]


def read_textgrid(path: Path, failure: type[GigasttError] = DatasetError) -> list[Tier]:
    """Tiers of intervals, in the file's order; tiers of points are passed over.

    Raises:
        GigasttError: a `failure`: it cannot be read, or is no TextGrid in one of the text forms.
    """
    tokens = _Tokens(path, _content(path, failure), failure)
    if not tokens.text().startswith("ooTextFile") or tokens.text() != "TextGrid":
        raise failure(f"{path} is no TextGrid of Praat; save it as a text file, long or short")
    tokens.skip_span()
    n_tiers = round(tokens.number()) if tokens.flag() == "exists" else 0
    tiers = []
    for _ in range(n_tiers):
        kind, name = tokens.text(), tokens.text()
        tokens.skip_span()
        n_items = round(tokens.number())
        if kind == "IntervalTier":
            items = [(tokens.number(), tokens.number(), tokens.text().strip()) for _ in range(n_items)]
            tiers.append(Tier(name, tuple(items)))
        elif kind == "TextTier":
            for _ in range(n_items):
                tokens.number()
                tokens.text()
        else:
            raise failure(f"{path}: a tier of the kind {kind!r}; known are IntervalTier and TextTier")
    return tiers


def words_of(
    path: Path, tier: str | None = None, failure: type[GigasttError] = DatasetError
) -> list[TimedWord]:
    """Words of a TextGrid; the recording is called as the file is.

    Args:
        path: Path of the file.
        tier: Name of the tier, in capitals or not. None: the one that is called `words` or ends so, else the
            first that holds a text.
        failure: Class of the error that is raised.

    Raises:
        GigasttError: a `failure`: as `read_textgrid` does; there is no such tier, or it holds several words
            in one interval.
    """
    chosen = _chosen(path, read_textgrid(path, failure), tier, failure)
    words = []
    for start_s, end_s, text in chosen.intervals:
        if text.lower() in NO_WORDS:
            continue
        if len(text.split()) > 1:
            raise failure(
                f"{path}: tier {chosen.name!r} has {text!r} in one interval, which is more than a word; name "
                "the tier that has a word in each"
            )
        words.append(TimedWord(recording=path.stem, channel=None, text=text, start_s=start_s, end_s=end_s))
    return words


def _chosen(path: Path, tiers: list[Tier], name: str | None, failure: type[GigasttError]) -> Tier:
    filled = [each for each in tiers if any(text.lower() not in NO_WORDS for _, _, text in each.intervals)]
    if name is not None:
        named = [each for each in tiers if each.name.lower() == name.lower()]
    else:
        named = [each for each in filled if _says_words(each.name)] or filled
    if not named:
        there = ", ".join(repr(each.name) for each in tiers) or "none"
        what = f"tier of intervals named {name!r}" if name is not None else "tier of intervals with a text"
        raise failure(f"{path}: no {what}; tiers of intervals: {there}")
    return named[0]


def _says_words(name: str) -> bool:
    """True of `words`, and of `speaker - words` (MFA)."""
    return re.split(r"\s[-–]\s", name.strip().lower())[-1] in _WORD_TIERS


def _content(path: Path, failure: type[GigasttError]) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise failure(f"{path} cannot be read ({error.strerror or error}); check the path") from error
    if content.startswith(b"ooBinaryFile"):
        raise failure(f"{path} is a binary TextGrid; save it as a text file in Praat")
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise failure(f"{path} is neither UTF-8 nor UTF-16 ({error}); save it as UTF-8 in Praat") from error


class _Tokens:
    """Tokens of a file that Praat would heed, one after the other."""

    def __init__(self, path: Path, content: str, failure: type[GigasttError]) -> None:
        self._path = path
        self._content = content
        self._failure = failure
        self._found: Iterator[re.Match[str]] = (
            match for match in _TOKEN.finditer(content) if match["comment"] is None
        )

    def text(self) -> str:
        """Next token, a text."""
        return self._next("text").replace('""', '"')

    def number(self) -> float:
        """Next token, a number."""
        return float(self._next("number"))

    def skip_span(self) -> None:
        """Pass over two numbers: begin and end of what follows."""
        self.number()
        self.number()

    def flag(self) -> str:
        """Next token, a flag."""
        return self._next("flag")

    def _next(self, kind: str) -> str:
        match = next(self._found, None)
        if match is None:
            raise self._failure(f"{self._path} breaks off: a {kind} is missing at its end")
        value: str | None = match[kind]
        if value is None:
            line = self._content.count("\n", 0, match.start()) + 1
            raise self._failure(
                f"{self._path}, line {line}: {match.group()!r} where a {kind} should be; it is no TextGrid, "
                "or was broken: save it again in Praat"
            )
        return value
