"""Tables of a Kaldi data folder: recordings, segments, and what is said of utterances and speakers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluation.datasets.corpora.fields import fields_of, lines_of, seconds_in
from gigastt_lab.errors import GigasttError

_N_SEGMENT_FIELDS: Final = 4  # utterance, recording, begin, end; perhaps a channel
# Read on their own, or lists of what others say.
_NO_METADATA: Final = frozenset({"utt2spk", "utt2dur", "utt2uniq"})


@dataclass(frozen=True)
class Stretch:
    """Stretch of a recording; all of it where it has no start."""

    recording: str
    start_s: float | None = None
    end_s: float | None = None
    channel: str | None = None
    where: str = ""


class About:
    """Facts on utterances and speakers: what ``utt2WHAT`` and ``spk2WHAT`` of a folder say."""

    def __init__(self, folder: Path, failure: type[GigasttError]) -> None:
        self._failure = failure
        self._speakers = self._optional(folder / "utt2spk")
        self._durations = self._optional(folder / "utt2dur") or self._optional(folder / "reco2dur")
        self._of_utterance: dict[str, Mapping[str, tuple[str, str]]] = {}
        self._of_speaker: dict[str, Mapping[str, tuple[str, str]]] = {}
        for path in sorted(folder.glob("utt2*")):
            if is_read(path.name) and path.name not in _NO_METADATA:
                self._of_utterance[path.name.removeprefix("utt2")] = self._optional(path)
        for path in sorted(folder.glob("spk2*")):
            if is_read(path.name):
                self._of_speaker[path.name.removeprefix("spk2")] = self._optional(path)

    def speaker(self, key: str) -> str | None:
        """Speaker of an utterance."""
        return self._speakers[key][1] if key in self._speakers else None

    def metadata(self, key: str) -> dict[str, str]:
        """Further facts on an utterance, and on its speaker."""
        tables = ((self._of_utterance, key), (self._of_speaker, self.speaker(key)))
        return {
            name: table[of][1]
            for named, of in tables
            for name, table in named.items()
            if of is not None and of in table
        }

    def duration_s(self, key: str) -> float | None:
        """Seconds of a recording as the folder states them."""
        if key not in self._durations:
            return None
        where, text = self._durations[key]
        return seconds_in(text, "duration", where, self._failure)

    def _optional(self, path: Path) -> Mapping[str, tuple[str, str]]:
        return table_of(path, self._failure) if path.is_file() else {}


def is_read(name: str) -> bool:
    """True of the files that a segment is made of; `spk2utt` is `utt2spk` turned round."""
    if name in {"wav.scp", "text", "segments", "reco2dur"}:
        return True
    return re.fullmatch(r"(utt2|spk2)\w+", name) is not None and name != "spk2utt"


def recordings_of(
    folder: Path, failure: type[GigasttError], *, need_audio: bool
) -> dict[str, tuple[str, str | None]]:
    """Place and path of each recording; a path of None where it is no file, and audio is not needed."""
    if not need_audio and not (folder / "wav.scp").is_file():
        return {}
    found: dict[str, tuple[str, str | None]] = {}
    for key, (where, path) in table_of(folder / "wav.scp", failure).items():
        hindrance = _hindrance(path)
        if hindrance and need_audio:
            raise failure(f"{where}: {key!r} {hindrance}")
        found[key] = (where, None if hindrance else path)
    return found


def _hindrance(path: str) -> str | None:
    """Reason why a recording is not read; None for a path."""
    if path.endswith("|") or path.startswith("|") or path == "-":
        return (
            f"is a command, {path!r}, and commands of a data set are not run; write the audio to files "
            "first, and name those"
        )
    if re.search(r"\.ark:\d+$", path):
        return f"lies in an archive, {path!r}; write the audio to files first"
    return None if path else "stands alone on its line; give the path of its audio"


def stretches_of(path: Path, failure: type[GigasttError]) -> dict[str, Stretch] | None:
    """Stretch of each segment, by its id; None where the folder has no `segments`."""
    if not path.is_file():
        return None
    stretches: dict[str, Stretch] = {}
    for where, line in lines_of(path, failure, comments=False):
        fields = fields_of(line)
        if len(fields) not in {_N_SEGMENT_FIELDS, _N_SEGMENT_FIELDS + 1}:
            raise failure(f"{where}: {len(fields)} fields; a segment is id, recording, begin and end")
        key, recording, begin, end = fields[:_N_SEGMENT_FIELDS]
        start_s = seconds_in(begin, "begin", where, failure)
        # Kaldi takes an end of -1 for the recording's.
        end_s = None if _is_minus_one(end) else seconds_in(end, "end", where, failure)
        if end_s is not None and end_s <= start_s:
            raise failure(f"{where}: {key!r} ends at {end} s and begins at {begin} s; mend or remove it")
        if key in stretches:
            raise failure(f"{where}: the id {key!r} was in {stretches[key].where} already; keep one of them")
        channel = fields[_N_SEGMENT_FIELDS] if len(fields) > _N_SEGMENT_FIELDS else None
        stretches[key] = Stretch(recording, start_s, end_s, channel, str(where))
    return stretches


def _is_minus_one(text: str) -> bool:
    return re.fullmatch(r"-1(\.0*)?", text) is not None


def table_of(path: Path, failure: type[GigasttError]) -> dict[str, tuple[str, str]]:
    """Place and rest of each line, by its first field."""
    table: dict[str, tuple[str, str]] = {}
    for where, line in lines_of(path, failure, comments=False):
        key, *rest = fields_of(line, 1)
        if key in table:
            raise failure(f"{where}: the id {key!r} was in {table[key][0]} already; keep one of them")
        table[key] = (str(where), rest[0] if rest else "")
    return table
