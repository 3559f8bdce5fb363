"""NIST's transcripts (TRN): ``text (id)``, an utterance a line.

Of alternatives, ``{ a / b }``, the reference has the first; the text as it stands is kept as metadata
`trn_text` where it differs. An id tells no speaker: which part of it would, differs from corpus to corpus.

Source: NIST SCTK, `doc/infmts.htm`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from evaluation.datasets.corpora.alternatives import first_alternative
from evaluation.datasets.corpora.fields import lines_of
from evaluation.datasets.corpora.recordings import Beside
from evaluation.datasets.corpora.segments import Segment, opened
from evaluation.datasets.opening import Opened, Wanted
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError

_LINE: Final = re.compile(r"(?P<text>.*?)\s*\((?P<key>[^()\s]+)\)")


def read_trn(path: Path, failure: type[GigasttError] = DatasetError) -> list[Segment]:
    """Utterances of a TRN file, in its order: whole recordings that are called as the ids are.

    Raises:
        GigasttError: a `failure`: a line without an id at its end, by its number.
    """
    segments = []
    for where, line in lines_of(path, failure):
        match = _LINE.fullmatch(line)
        if match is None:
            raise failure(f"{where}: no id in parentheses at its end; a line is: text (id)")
        text = first_alternative(match["text"])
        metadata = {"trn_text": match["text"]} if text != match["text"] else {}
        key = match["key"]
        segments.append(Segment(key=key, recording=key, text=text, metadata=metadata, where=str(where)))
    return segments


def recognises(path: Path) -> bool:
    """True of a TRN file."""
    return path.suffix.lower() == ".trn" and path.is_file()


def open_trn(path: Path, wanted: Wanted) -> Opened:
    """The TRN file as a dataset, the audio of each id looked for beside.

    Raises:
        DatasetError: as `read_trn` does, or as `corpora.segments.opened`.
    """
    beside = Beside(path)
    return opened(path, [path], read_trn(path), lambda segment: beside.find(segment.recording))
