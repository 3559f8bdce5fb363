"""NIST's segment time marks (STM): ``file channel speaker begin end [<label>] text``, a segment a line.

Lines that begin with ``;;`` are comments. A segment whose text is ``IGNORE_TIME_SEGMENT_IN_SCORING`` is not
scored. Of alternatives, ``{ a / b }``, the reference has the first; the text as it stands is kept as metadata
`stm_text` where it differs. Words in parentheses, which sclite lets a system leave out, count like others.

Source: NIST SCTK, `doc/infmts.htm`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from evaluation.datasets.corpora.alternatives import first_alternative
from evaluation.datasets.corpora.fields import Place, fields_of, lines_of, seconds_in
from evaluation.datasets.corpora.recordings import Beside
from evaluation.datasets.corpora.segments import Segment, opened
from evaluation.datasets.opening import Opened, Wanted
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError

IGNORED: Final = "ignore_time_segment_in_scoring"
_N_FIELDS: Final = 5  # before the label and the text
# A label has several parts, `<o,f0,male>`, or is one of these.
_LABELS: Final = frozenset({"O", "NA", "F0", "F1", "F2", "F3", "F4", "F5", "FX"})
# Speakers who are nobody: the stretch between two segments.
_NOBODY: Final = frozenset({"inter_segment_gap", "excluded_region"})


def read_stm(path: Path, failure: type[GigasttError] = DatasetError) -> list[Segment]:
    """Segments of an STM file, in its order; the key of each is its file, begin and end.

    Raises:
        GigasttError: a `failure`: a line that is no segment, by its number.
    """
    seen: Counter[str] = Counter()
    return [
        _segment(where, fields_of(line, _N_FIELDS), seen, failure) for where, line in lines_of(path, failure)
    ]


def recognises(path: Path) -> bool:
    """True of an STM file, and of a folder that holds some."""
    return bool(stm_files(path))


def open_stm(path: Path, wanted: Wanted) -> Opened:
    """The STM file, or all in a folder, as a dataset, their audio looked for beside.

    Raises:
        DatasetError: as `read_stm` does, or as `corpora.segments.opened`.
    """
    files = stm_files(path)
    segments = [segment for file in files for segment in read_stm(file)]
    beside = Beside(files[0])
    return opened(path, files, segments, lambda segment: beside.find(segment.recording))


def stm_files(path: Path) -> list[Path]:
    """The file itself; or those in a folder, or in its folder `stm`, by name."""
    if not path.is_dir():
        return [path] if path.suffix.lower() == ".stm" else []
    return sorted(path.glob("*.stm")) or sorted(path.glob("stm/*.stm"))


def _segment(where: Place, fields: list[str], seen: Counter[str], failure: type[GigasttError]) -> Segment:
    if len(fields) < _N_FIELDS:
        raise failure(
            f"{where}: {len(fields)} fields; a segment is file, channel, speaker, begin, end, perhaps a "
            "label in <>, and the text"
        )
    recording, channel, speaker, begin, end = fields[:_N_FIELDS]
    start_s = seconds_in(begin, "begin", where, failure)
    end_s = seconds_in(end, "end", where, failure)
    if end_s <= start_s:
        raise failure(f"{where}: the segment ends at {end} s and begins at {begin} s; mend or remove it")
    label, raw = _label_and_text(fields[_N_FIELDS] if len(fields) > _N_FIELDS else "")
    ignored = raw.lower() == IGNORED
    text = None if ignored else first_alternative(raw)
    metadata = {"label": label} if label else {}
    if text is not None and text != raw:
        metadata["stm_text"] = raw
    key = f"{recording}-{start_s:.2f}-{end_s:.2f}"
    seen[key] += 1
    return Segment(
        key=key if seen[key] == 1 else f"{key}-{seen[key]}",
        recording=recording,
        text=text,
        start_s=start_s,
        end_s=end_s,
        channel=channel,
        speaker=None if speaker.lower() in _NOBODY else speaker,
        metadata=metadata,
        where=str(where),
    )


def _label_and_text(rest: str) -> tuple[str, str]:
    """Label without its brackets, and the text: a tag at the beginning of a text, `<unk>`, is no label.

    >>> _label_and_text("<o,f0,male> да"), _label_and_text("<unk> да")
    (('o,f0,male', 'да'), ('', '<unk> да'))
    """
    if rest.startswith("<"):
        label, closed, text = rest[1:].partition(">")
        if closed and ("," in label or label.upper() in _LABELS):
            return label, text.strip()
    return "", rest
