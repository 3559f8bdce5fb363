"""Keywords and names: a list of terms, how many of them are heard, and how often one is heard in vain.

Terms are compared as the normaliser writes them, in the forms that the list gives and no others: Russian
inflects, so `Москва, Москвы, Москве` on one line are one term in three forms. An occurrence in the reference
is found where the hypothesis has the same term, in any of its forms, at the words that answer to it or next
to them; each occurrence of the hypothesis is taken once. What is left in the hypothesis is a false alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from evaluation.beyond.pooled import UNKNOWN, IntArray, rate
from evaluation.beyond.retrieval import retrieval
from evaluation.beyond.wordwise import Span, spans
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.options import Options
from evaluation.scoring.scores import Score
from evaluation.scoring.texts import normalized

ALL: Final = "all"
_MS: Final = 1000
_HOUR_MS: Final = 3_600_000
_FOUND, _IN_REFERENCE, _IN_HYPOTHESIS = range(3)

Occurrence = tuple[int, int, str]  # first word, the one after the last, the term
Forms = Mapping[str, Sequence[tuple[tuple[str, ...], str]]]  # by first word, the longest first


@dataclass(frozen=True)
class Term:
    """Term to be found.

    Attributes:
        name: Name in tables: its first form, as given.
        forms: Forms that count as the term, as given.
    """

    name: str
    forms: tuple[str, ...]


def read_terms(path: str | Path) -> list[Term]:
    """Terms of a text file: one a line, its forms separated by commas; `#` begins a comment.

    Raises:
        ScoreError: the file cannot be read, is no UTF-8, or holds no term.
    """
    try:
        content = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ScoreError(f"{path} cannot be read as a list of terms in UTF-8 ({error})") from error
    terms = terms_of(line.partition("#")[0] for line in content.splitlines())
    if not terms:
        raise ScoreError(f"{path} holds no term; write one a line, its forms separated by commas")
    return terms


def terms_of(lines: Iterable[str]) -> list[Term]:
    """Terms of lines, blank ones left out.

    >>> terms_of(["Москва, Москвы", "", "Большой театр"])
    [Term(name='Москва', forms=('Москва', 'Москвы')), Term(name='Большой театр', forms=('Большой театр',))]
    """
    split = ([form.strip() for form in line.split(",") if form.strip()] for line in lines)
    return [Term(forms[0], tuple(forms)) for forms in split if forms]


def keywords(one: Score, terms: Sequence[Term]) -> pd.DataFrame:
    """Terms that were heard, with intervals.

    Args:
        one: Score of the system; its profile normalises the terms, too.
        terms: Terms, from `read_terms` or `terms_of`.

    Returns:
        Table indexed by the term, `ALL` last: the columns of `retrieval.retrieval`, `n_false` (false
        alarms), `per_1000_words` with its ends (false alarms per 1,000 words of the references), and
        `per_hour` with its ends (per hour of audio, over utterances that state seconds; NaN without).

    Raises:
        ScoreError: there is no term, one has no letter, or one form belongs to two terms.
    """
    events, n = _events(one, terms), len(one.utterances)

    def row(chosen: IntArray) -> dict[str, float]:
        found, ours, theirs = (
            np.bincount(chosen[chosen[:, 2] == kind, 0], minlength=n)
            for kind in (_FOUND, _IN_REFERENCE, _IN_HYPOTHESIS)
        )
        return _row(found, ours, theirs, one)

    rows = {term.name: row(events[events[:, 1] == number]) for number, term in enumerate(terms)}
    return pd.DataFrame.from_dict(rows | {ALL: row(events)}, orient="index").rename_axis("term")


def _row(found: IntArray, ours: IntArray, theirs: IntArray, one: Score) -> dict[str, float]:
    false = theirs - found
    audio_s = one.utterances["audio_s"].to_numpy(float)
    known = np.isfinite(audio_s)
    audio_ms = np.rint(np.where(known, audio_s, 0) * _MS).astype(np.int64)
    by_time = rate(np.where(known, false, 0), audio_ms, one, per=_HOUR_MS) if audio_ms.any() else UNKNOWN
    row = retrieval(found, ours, theirs, one) | {"n_false": int(false.sum())}
    row |= rate(false, one.utterances["n_words"].to_numpy(), one, per=1000).cells("per_1000_words")
    return row | by_time.cells("per_hour")


def _events(one: Score, terms: Sequence[Term]) -> IntArray:
    """Utterance, term and kind of everything that counts, as numbers. Shape (n_events, 3)."""
    forms = _forms(terms, one.options)
    number_of = {term.name: number for number, term in enumerate(terms)}
    table = one.utterances
    events: list[tuple[int, int, int]] = []
    pairs = zip(table["normalized_reference"], table["normalized_hypothesis"], strict=True)
    for row, (reference, hypothesis) in enumerate(pairs):
        ref, hyp = reference.split(), hypothesis.split()
        ours, theirs = occurrences(ref, forms), occurrences(hyp, forms)
        events += [(row, number_of[name], _IN_REFERENCE) for _, _, name in ours]
        events += [(row, number_of[name], _IN_HYPOTHESIS) for _, _, name in theirs]
        if ours and theirs:
            found = _found(ours, theirs, spans(ref, hyp, compounds=one.options.compounds), len(hyp))
            events += [(row, number_of[name], _FOUND) for name in found]
    return np.array(events, np.int64).reshape(-1, 3)


def _forms(terms: Sequence[Term], options: Options) -> Forms:
    if not terms:
        raise ScoreError("no term to look for; give one or more")
    owners: dict[tuple[str, ...], str] = {}
    for term in terms:
        for form in term.forms:
            words = tuple(normalized(form, options.profile, options.normalizer).split())
            if not words:
                raise ScoreError(f"the term {form!r} has no letter or digit; leave it out")
            owner = owners.setdefault(words, term.name)
            if owner != term.name:
                raise ScoreError(
                    f"{form!r} is a form of two terms, {owner!r} and {term.name!r}, once normalised "
                    f"({' '.join(words)!r}); keep it in one"
                )
    by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for words, name in sorted(owners.items(), key=lambda each: -len(each[0])):
        by_first.setdefault(words[0], []).append((words, name))
    return by_first


def occurrences(words: Sequence[str], forms: Forms) -> list[Occurrence]:
    """Occurrences of terms, from left to right, the longest form first; none overlaps another.

    >>> forms = {"большой": [(("большой", "театр"), "театр"), (("большой",), "размер")]}
    >>> occurrences("самый большой театр большой".split(), forms)
    [(1, 3, 'театр'), (3, 4, 'размер')]
    """
    if forms.keys().isdisjoint(words):
        return []
    found: list[Occurrence] = []
    place = 0
    while place < len(words):
        for form, name in forms.get(words[place], ()):
            if tuple(words[place : place + len(form)]) == form:
                found.append((place, place + len(form), name))
                place += len(form)
                break
        else:
            place += 1
    return found


def _found(
    ours: Sequence[Occurrence], theirs: Sequence[Occurrence], aligned: Sequence[Span], n_hypothesis: int
) -> list[str]:
    """Terms of the reference's occurrences that an occurrence of the hypothesis answers to."""
    left = list(theirs)
    found = []
    for first, last, name in ours:
        low, high = _window(first, last, aligned, n_hypothesis)
        answer = next((each for each in left if each[2] == name and each[0] <= high and each[1] >= low), None)
        if answer is not None:
            left.remove(answer)
            found.append(name)
    return found


def _window(first: int, last: int, aligned: Sequence[Span], n_hypothesis: int) -> tuple[int, int]:
    """Words of the hypothesis that answer to some of the reference: the first, and the one after the last."""
    low, high = n_hypothesis, 0
    for span in aligned:
        if span.ref_end < first or span.ref_start > last:
            continue
        if span.kind in ("equal", "replace"):
            shift = span.hyp_start - span.ref_start
            begin, end = max(first, span.ref_start) + shift, min(last, span.ref_end) + shift
        else:
            begin, end = span.hyp_start, span.hyp_end
        low, high = min(low, begin), max(high, end)
    return low, high
