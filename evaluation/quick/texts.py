"""Error rates of texts in pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Unpack

from evaluation.datasets.cells import name_in
from evaluation.datasets.utterances import Finding
from evaluation.quick.options import changed
from evaluation.quick.pairs import Texts, ids_of, paired
from evaluation.records.files import Record
from evaluation.records.in_memory import DEFAULT_SYSTEM, Named, file_in_memory, record_of, text_of, unusable
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.options import DEFAULTS, Options, OptionsDict
from evaluation.scoring.scores import Score, score
from evaluation.show.display import counted


def wer(
    references: Texts,
    hypotheses: Texts,
    *,
    ids: Iterable[object] | None = None,
    speakers: Iterable[object] | None = None,
    sessions: Iterable[object] | None = None,
    name: str = DEFAULT_SYSTEM,
    options: Options = DEFAULTS,
    **changes: Unpack[OptionsDict],
) -> Score:
    """Word, character and sentence error rates of texts in pairs, with intervals.

    The result shows itself on a terminal and in a notebook. It is what `evaluation.score` gives of a record
    file: `evaluation.compare` takes two of them, `evaluation.write_report` any number.

    Two columns of tables are paired by their index where both have the same labels, two dicts by their keys;
    all else in the order given. A reference that is None, NaN or blank is left out, and named in the result.

    Args:
        references: True texts, raw; or one text.
        hypotheses: Recognised texts, raw, as many. None or NaN: the system failed on it, and all words count
            as deleted; what has a `text` (a `Transcript`, a dict) is that text.
        ids: Ids of the utterances, no two the same. None: the labels of the index, the keys of the dict,
            or numbers from 0.
        speakers: Speaker of each utterance: intervals draw whole speakers where there are enough.
        sessions: Session of each utterance, likewise.
        name: Name of the system, for tables.
        options: Options of the score.
        **changes: Single options by keyword: `profile`, `blocks`, `level`, `seed` and others.

    Raises:
        ScoreError: other numbers of one than of the other, other ids, an id twice, what is no text, or
            nothing to score.
        ValueError: an option outside its range.

    >>> result = wer(["включи свет на кухне", "сделай погромче"], ["включи свет на кухню", "сделай погромче"])
    >>> f"{result.wer.rate:.1%}", result.utterances["errors"].tolist()
    ('16.7%', [1, 0])
    """
    options = changed(options, changes)
    pairs = paired(references, hypotheses)
    own_ids = ids_of(pairs.labels if ids is None else pairs.column(ids, "ids"))
    columns = [pairs.column(given, what) for given, what in ((speakers, "speakers"), (sessions, "sessions"))]
    records: list[Record] = []
    findings: list[Finding] = []
    for own_id, ref, hyp, *blocks in zip(own_ids, pairs.references, pairs.hypotheses, *columns, strict=True):
        reference = text_of(ref, f"the reference of {own_id!r}", ScoreError)
        hypothesis = text_of(_spoken(hyp), f"the hypothesis of {own_id!r}", ScoreError)
        finding = unusable(own_id, reference)
        if finding is None:
            fields = dict(zip(("speaker", "session"), map(name_in, blocks), strict=True))
            records.append(record_of(own_id, reference or "", hypothesis, fields))
        else:
            findings.append(finding)
    if not records:
        raise ScoreError(f"nothing to score: {counted(len(own_ids), 'reference')}, none of them with a text")
    named = Named(system=name, dataset="texts")
    return score(file_in_memory(records, named, n_rows=len(own_ids), findings=findings), options)


def _spoken(hypothesis: object) -> object:
    """The text of what a recogniser gave; a text as it is."""
    if isinstance(hypothesis, Mapping):
        return hypothesis.get("text", hypothesis)
    return getattr(hypothesis, "text", hypothesis)
