"""Hypotheses that come without references: by utterance (TRN, id and text, rows), or by time (CTM, STM)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from evaluation.datasets.corpora.ctm import read_ctm
from evaluation.datasets.corpora.kaldi import read_texts
from evaluation.datasets.corpora.segments import TimedWord
from evaluation.datasets.corpora.stm import read_stm
from evaluation.datasets.corpora.trn import read_trn
from evaluation.datasets.rows import SUFFIXES, read_text, rows_of
from evaluation.records.columns import HYPOTHESIS_COLUMNS, ID_COLUMNS, SYSTEM_COLUMNS, Columns, cell, text
from evaluation.records.files import RecordError

Form = Literal["rows", "ctm", "stm", "trn", "text"]
FORMS: Final = get_args(Form)
_BY_SUFFIX: Final[dict[str, Form]] = {".ctm": "ctm", ".stm": "stm", ".trn": "trn"}
TIMED: Final = frozenset({"ctm", "stm"})


@dataclass
class Hypotheses:
    """Hypotheses of one system.

    Attributes:
        by_id: Place and text by the id of the utterance; a text of None: the system gave none.
        timed: Words with times; of an STM, whole segments.
    """

    by_id: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    timed: list[TimedWord] = field(default_factory=list)


def form_of(path: Path) -> Form:
    """Form of a file, by its suffix: rows of a table or of JSON, a form of NIST's, or ``id text`` a line."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return "rows"
    return _BY_SUFFIX.get(suffix, "text")


def read_hypotheses(
    path: Path, form: Form, system: str, columns: Columns | None = None
) -> dict[str, Hypotheses]:
    """Hypotheses of a file, by system.

    Args:
        path: Path of the file.
        form: Form of the file.
        system: Name of the system, where the file does not say.
        columns: Columns of rows, by what they hold.

    Raises:
        RecordError: it cannot be read or parsed, an id stands twice, or there is nothing in it.
    """
    if form == "rows":
        found = _of_rows(path, system, columns or Columns())
    elif form in TIMED:
        found = {system: Hypotheses(timed=_timed(path, form))}
    else:
        found = {system: Hypotheses()}
        for key, where, text_ in _texts(path, form):
            _add(found[system], key, where, text_)
    if not any(each.by_id or each.timed for each in found.values()):
        raise RecordError(f"{path} holds no hypothesis")
    return found


def _timed(path: Path, form: Form) -> list[TimedWord]:
    if form == "ctm":
        return read_ctm(path, RecordError)
    return [
        TimedWord(
            recording=each.recording,
            channel=each.channel,
            text=each.text,
            start_s=each.start_s or 0.0,
            end_s=each.end_s or 0.0,
        )
        for each in read_stm(path, RecordError)
        if each.text is not None
    ]


def _texts(path: Path, form: Form) -> Iterator[tuple[str, str, str]]:
    if form == "trn":
        for each in read_trn(path, RecordError):
            yield each.key, each.where, each.text or ""
    else:
        for key, (where, text_) in read_texts(path, RecordError).items():
            yield key, where, text_


def _of_rows(path: Path, system: str, columns: Columns) -> dict[str, Hypotheses]:
    _, content = read_text(path, RecordError)
    found: dict[str, Hypotheses] = {}
    for where, cells in rows_of(path, content, RecordError, half_pairs=True):
        name = text(cells, columns.system, SYSTEM_COLUMNS, where) or system
        mine = found.setdefault(name, Hypotheses())
        key = text(cells, columns.id, ID_COLUMNS, where) or f"{len(mine.by_id):06d}"
        _add(mine, key, where, cell(cells, columns.hypothesis, HYPOTHESIS_COLUMNS, "hypothesis", where))
    return found


def _add(hypotheses: Hypotheses, key: str, where: str, text_: str | None) -> None:
    if key in hypotheses.by_id:
        raise RecordError(
            f"{where}: the id {key!r} was in {hypotheses.by_id[key][0]} already; keep one of them"
        )
    hypotheses.by_id[key] = (where, text_)
