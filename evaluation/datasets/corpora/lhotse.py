"""lhotse's manifests: cuts, or supervisions with the recordings beside them, as JSON lines, packed or not.

An utterance is a supervision: its text, and the stretch of the recording that it covers, whichever cut it is
in. Refused, because the audio would not be what the text says: mixed and padded cuts, recordings that are
changed when read (speed, volume ...), that are commands, or that have several channels.

Paths are relative to the manifest's folder, or else to the working directory, as lhotse has it.

Source: https://lhotse.readthedocs.io/en/latest/corpus.html and cuts.html.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from evaluation.datasets.corpora.lhotse_files import (
    Entry,
    entries_of,
    kind_of,
    lhotse_file,
    recordings_beside,
)
from evaluation.datasets.corpora.recordings import at_path
from evaluation.datasets.corpora.segments import Segment, opened
from evaluation.datasets.opening import Opened, Wanted
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError

# Of a supervision that covers its recording but for this, the audio is the whole file, undivided.
_SLACK_S: Final = 0.001
_UNCHANGED: Final = frozenset({"Resample"})


def open_lhotse(path: Path, wanted: Wanted) -> Opened:
    """The manifest of cuts or supervisions as a dataset, or one of several in a folder by the split.

    Raises:
        DatasetError: as `read_lhotse` does, or as `corpora.segments.opened`.
    """
    file, split = lhotse_file(path, wanted.split)
    segments = read_lhotse(file)
    folders = (file.parent, Path())
    files = [file] if kind_of(file) == "cut" else [file, recordings_beside(file, DatasetError)]

    def find(segment: Segment) -> Path | None:
        return None if segment.audio is None else at_path(segment.audio, folders)

    return opened(path, files, segments, find, split=split)


def read_lhotse(path: Path, failure: type[GigasttError] = DatasetError) -> list[Segment]:
    """Segments of a manifest, one for each supervision, in its order.

    Raises:
        GigasttError: a `failure`: a line that is no cut or supervision, or one of a kind that is not read.
    """
    if kind_of(path) == "cut":
        pairs = [
            pair for where, entry in entries_of(path, failure) for pair in _of_cut(where, entry, failure)
        ]
    else:
        beside = recordings_beside(path, failure)
        recordings = {str(entry.get("id")): entry for _, entry in entries_of(beside, failure)}
        pairs = [
            (where, entry, recordings.get(str(entry.get("recording_id"))), 0.0)
            for where, entry in entries_of(path, failure)
        ]
    found = []
    for where, supervision, recording, from_s in pairs:
        try:
            found.append(_segment(where, supervision, recording, from_s, failure))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise failure(f"{where}: no supervision of lhotse ({error!r}); write it anew") from error
    return found


def _of_cut(
    where: str, cut: Entry, failure: type[GigasttError]
) -> list[tuple[str, Entry, Entry | None, float]]:
    """Supervisions of a cut, its recording, and the second of the recording from which their times count."""
    kind = cut.get("type", "MonoCut")
    if kind != "MonoCut":
        raise failure(f"{where}: a {kind}; only MonoCut is read: save the audio of cuts (save_audios) first")
    supervisions = cut.get("supervisions") or []
    if not supervisions:  # no text: a row that is left out, and counted
        supervisions = [{"id": cut.get("id"), "start": 0.0, "duration": cut.get("duration"), "text": None}]
    return [(where, each, cut.get("recording"), float(cut.get("start") or 0.0)) for each in supervisions]


def _segment(
    where: str, supervision: Entry, recording: Entry | None, from_s: float, failure: type[GigasttError]
) -> Segment:
    key = str(supervision["id"])
    start_s = from_s + float(supervision["start"])
    end_s = start_s + float(supervision["duration"])
    if not (math.isfinite(end_s) and -_SLACK_S <= start_s < end_s):  # NaN is not, either
        raise failure(f"{where}: {key!r} lies between {start_s:g} and {end_s:g} s of its recording; mend it")
    audio = None if recording is None else _audio_of(where, recording, failure)
    total_s = None if recording is None else float(recording["duration"])
    whole = total_s is not None and start_s <= _SLACK_S and end_s >= total_s - _SLACK_S
    text = supervision.get("text")
    return Segment(
        key=key,
        recording=str(supervision.get("recording_id") or (recording or {}).get("id") or key),
        text=None if text is None else str(text),
        start_s=None if whole else max(start_s, 0.0),
        end_s=None if whole else end_s,
        speaker=_name(supervision.get("speaker")),
        duration_s=total_s if whole else None,
        audio=audio,
        metadata=_metadata(supervision),
        where=where,
    )


def _audio_of(where: str, recording: Entry, failure: type[GigasttError]) -> str:
    """Path of a recording's audio, as the manifest has it."""
    name = recording.get("id")
    sources = recording["sources"]
    kinds = sorted({str(each["type"]) for each in sources})
    if kinds != ["file"]:
        raise failure(
            f"{where}: the audio of {name!r} is of type {', '.join(kinds) or 'nothing'}, and only files are "
            "read: save the recordings as files first"
        )
    channels = [channel for each in sources for channel in each.get("channels") or [0]]
    if len(channels) > 1:
        raise failure(
            f"{where}: {name!r} has {len(channels)} channels, which would be mixed into one when read; make "
            "a file of each"
        )
    kinds = [str(each.get("name", each)) for each in recording.get("transforms") or []]
    changing = [each for each in kinds if each not in _UNCHANGED]
    if changing:
        raise failure(
            f"{where}: {name!r} is changed when read ({', '.join(changing)}); save the recordings as files "
            "first"
        )
    return str(sources[0]["source"])


def _metadata(supervision: Entry) -> dict[str, str]:
    """Language, gender and whatever else is a plain value."""
    found: dict[str, Any] = {name: supervision.get(name) for name in ("language", "gender")}
    found |= supervision.get("custom") or {}
    return {name: str(value) for name, value in found.items() if isinstance(value, str | int | float)}


def _name(value: object) -> str | None:
    return None if value in (None, "") else str(value)
