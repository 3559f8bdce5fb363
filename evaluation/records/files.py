"""Record files: what a system said to each utterance, raw, with what it took, and what it was.

One JSONL file per system and dataset. The first line is the header, each other line one utterance, the last
one, of a run that came to its end, what the dataset left out. Scoring reads them as often as wanted; texts
are never normalised on the way in. A line that a killed process broke off is no line, and is cut off when
the run goes on.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import pandas as pd

from evaluation.records.machine import WITHOUT_PART, lasting
from evaluation.records.machine_load import Load
from evaluation.records.stream_log import StreamLog, packed, unpacked
from evaluation.records.warned import Warned
from evaluation.records.warned import unpacked as unpacked_warnings
from evaluation.show.display import counted
from evaluation.show.notebook import framed
from evaluation.show.tables import records_table
from gigastt_lab.errors import GigasttError

FORMAT_VERSION: Final = 1
_N_SHOWN: Final = 10  # records in a notebook
_NO_IDENTITY: Final = ("command", "started", "normalizer")


class RecordError(GigasttError):
    """A record file that cannot be read, written or gone on with: which one, where, what to do."""


def unwritable(path: Path, error: OSError) -> RecordError:
    """Error for a record file that the system does not let us write."""
    return RecordError(f"{path} cannot be written ({error.strerror or error})")


@dataclass(frozen=True, kw_only=True)
class Header:
    """Header of a record file: which system was run on which dataset, and on what machine.

    Attributes:
        system: Name of the system, as tables show it.
        system_info: Model, SHA-256 of its files, precision, provider, threads, batch size; whatever tells
            this system from others. Empty for imported records.
        dataset: Name, revision, description, n_expected (None where not known), and how it was drawn.
        versions: Versions of the packages that took part.
        machine: Processor, cores, memory, accelerator, operating system.
        command: The command line.
        started: Start of the run, in ISO 8601, UTC.
        normalizer: Version of the normaliser in this package at the time.
        version: Version of this format.
    """

    system: str
    system_info: dict[str, Any] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    command: str = ""
    started: str = ""
    normalizer: str = ""
    version: int = FORMAT_VERSION

    def identity(self) -> dict[str, Any]:
        """Fields that have to agree for a run to go on: all that can change a record, or its times.

        When and by which words it was started, how records are scored, what reads datasets, and which
        kernel and driver there are, can not.
        """
        kept = {name: value for name, value in asdict(self).items() if name not in _NO_IDENTITY}
        kept["versions"] = {
            name: version for name, version in self.versions.items() if name not in WITHOUT_PART
        }
        return kept | {"machine": lasting(self.machine)}


@dataclass(frozen=True, kw_only=True)
class Record:
    """Record of one utterance: what was said, what was recognised, what that took.

    Attributes:
        id: Id of the utterance in its dataset.
        reference: Raw text of the dataset.
        hypothesis: Raw text of the system; None where it failed, which counts as all words deleted.
        audio_s: Seconds of audio; None where it could not be decoded.
        decode_s, features_s, encoder_s, search_s: Seconds of work in each stage; None where the system does
            not tell. In a batch, each utterance's share by its length.
        work_s: Seconds of work in all, decoding of the container included; None where not measured.
        words: (text, start, end, confidence) of each word, in seconds from the start; a confidence of NaN is
            not known.
        n_tokens: Tokens that the search emitted; None where the system does not tell.
        speaker, session: Names or numbers as the dataset states them.
        audio: Absolute path of the audio file, the home directory as ``~``; None where it is no file.
        error: What went wrong, if anything did.
        stream: Log of the stream; None where a file was transcribed as a whole.
        audio_start_s: Second of the audio file at which the utterance begins; None where it is all of it.
        stated_s: Seconds of audio as the dataset states them; None where it does not.
        metadata: What else the dataset says of the utterance, by column.
        round: Name of the round in which it was timed, where systems took turns: the same in the files of all
            of them. None where the system ran on its own.
        warnings: Warnings of the audio: what of it was cut, damaged, missing or read by a choice. Empty where
            nothing was, and where the system does not tell.
    """

    id: str
    reference: str
    hypothesis: str | None = None
    audio_s: float | None = None
    decode_s: float | None = None
    features_s: float | None = None
    encoder_s: float | None = None
    search_s: float | None = None
    work_s: float | None = None
    words: tuple[tuple[str, float, float, float], ...] = ()
    n_tokens: int | None = None
    speaker: str | None = None
    session: str | None = None
    audio: str | None = None
    error: str | None = None
    stream: StreamLog | None = None
    audio_start_s: float | None = None
    stated_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    round: str | None = None
    warnings: tuple[Warned, ...] = ()

    @property
    def confidence(self) -> float | None:
        """Mean confidence of the words; None without any, or where that of a word is not known."""
        mean = sum(word[3] for word in self.words) / len(self.words) if self.words else math.nan
        return None if math.isnan(mean) else mean


@dataclass(frozen=True, kw_only=True)
class End:
    """Last line of a run that has come to its end.

    Attributes:
        n_rows: Rows of the dataset that were read, exclusions among them.
        findings: Rows that were left out, or kept though unusual: id, reason, excluded, same_as.
        load: Load of the machine meanwhile; None where it was not taken down. No part of equality: the same
            work on another day has another one.
    """

    n_rows: int
    findings: tuple[dict[str, Any], ...] = ()
    load: Load | None = field(default=None, compare=False)


@dataclass(frozen=True)
class RecordFile:
    """A record file that was read.

    Attributes:
        path: Path of the file.
        header: First line of the file.
        records: Utterances, in the file's order.
        end: None of a run that did not come to its end.
        n_bytes: Length of what is whole; a line that was broken off lies behind it. No part of equality.
    """

    path: Path
    header: Header
    records: tuple[Record, ...]
    end: End | None
    n_bytes: int = field(compare=False)

    def _repr_html_(self) -> str:
        header, shown = self.header, records_table(as_table(self).head(_N_SHOWN))
        state = "finished" if self.end else "not finished"
        told = (
            f"{header.system} on {header.dataset.get('name', 'an unnamed set')}: "
            f"{counted(len(self.records), 'utterance')}, {state}"
        )
        return framed(told + (", the first of them:" if len(self.records) > _N_SHOWN else ""), shown)


_RECORD_FIELDS: Final = tuple(each.name for each in fields(Record))


def line_of(entry: Header | Record | End) -> bytes:
    """One line of a record file, its end included."""
    kind = type(entry).__name__.lower()
    content = _content_of(entry) if isinstance(entry, Record) else asdict(entry)
    if isinstance(entry, End) and entry.load is None:
        del content["load"]
    try:
        return json.dumps({kind: content}, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which a foreign system may send: escaped
        return json.dumps({kind: content}).encode() + b"\n"


def _content_of(record: Record) -> dict[str, Any]:
    """Content of a record, by field: `asdict` of a hundred thousand, with all words, would take a minute."""
    content = {}
    for name in _RECORD_FIELDS:
        value = getattr(record, name)
        if value is None or (isinstance(value, tuple | Mapping) and not value):
            continue
        content[name] = value
    if any(math.isnan(word[3]) for word in record.words):  # JSON has no NaN
        content["words"] = [(*word[:3], None if math.isnan(word[3]) else word[3]) for word in record.words]
    if record.metadata:
        content["metadata"] = dict(record.metadata)
    if record.stream is not None:
        content["stream"] = packed(record.stream)
    return content


def read(path: Path) -> RecordFile:
    """A record file, whole or broken off.

    Raises:
        RecordError: it is not there, has no header, or a line inside it is no record.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror or error})") from error
    whole = content[: content.rfind(b"\n") + 1]
    header: Header | None = None
    records: list[Record] = []
    end: End | None = None
    for number, line in enumerate(whole.splitlines(keepends=True), start=1):
        entry = _entry(path, number, line)
        if isinstance(entry, Header) and number == 1:
            header = entry
        elif isinstance(entry, Record) and header is not None and end is None:
            records.append(entry)
        elif isinstance(entry, End) and header is not None and end is None:
            end = entry
        else:
            raise RecordError(f"{path}, line {number}: {type(entry).__name__} is out of place; run it anew")
    if header is None:
        raise RecordError(f"{path} has no header: it is no record file, or broke off at once; run it anew")
    return RecordFile(path, header, tuple(records), end, len(whole))


def read_all(paths: Sequence[Path]) -> list[RecordFile]:
    """Record files by name, or all of a folder.

    Raises:
        RecordError: as `read` does; or there are none.
    """
    named = [sorted(path.glob("*.jsonl")) if path.is_dir() else [path] for path in paths]
    files = [read(path) for group in named for path in group]
    if not files:
        raise RecordError(f"no record files (*.jsonl) in {', '.join(map(str, paths))}")
    return files


def load(path: str | Path) -> pd.DataFrame:
    """The records of a file as a table, one row per utterance, indexed by id; `confidence` is added.

    What the dataset says beside that has a column of its own each, missing where a row says nothing; one that
    is called as a field of `Record` is, has `metadata.` before its name. The header stands in the table's
    `attrs["header"]`, as a dict.

    Raises:
        RecordError: as `read` does.
    """
    return as_table(read(Path(path)))


def as_table(file: RecordFile) -> pd.DataFrame:
    """Table of the records of a file; see `load`."""
    names = [each.name for each in fields(Record) if each.name != "metadata"]
    content: dict[str, list[object]] = {
        name: [getattr(record, name) for record in file.records] for name in names
    }
    for name in ("reference", "hypothesis", "error"):
        content[name] = [as_text(getattr(record, name)) for record in file.records]
    content["confidence"] = [record.confidence for record in file.records]
    for name in dict.fromkeys(name for record in file.records for name in record.metadata):
        column = f"metadata.{name}" if name in content else name
        content[column] = [record.metadata.get(name) for record in file.records]
    table = pd.DataFrame(content).set_index("id")
    # All that a table of them needs to be a record file again: see `tables.record_file`.
    table.attrs |= {"header": asdict(file.header), "end": asdict(file.end) if file.end else None}
    table.attrs["path"] = str(file.path)
    return table


def as_text(text: str | None) -> str | None:
    """The text with U+FFFD for halves of surrogate pairs, which no table and no file of UTF-8 can hold."""
    return None if text is None else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def write(path: Path, header: Header, records: Sequence[Record], end: End | None = None) -> None:
    """Write a whole file at once; another of this name is replaced once the new one is on disk.

    Raises:
        RecordError: it cannot be written.
    """
    entries: list[Header | Record | End] = [header, *records, *([end] if end else [])]
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(b"".join(map(line_of, entries)))
            file.flush()
            os.fsync(file.fileno())  # else a power cut could leave the new name with nothing in it
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()  # on a full disk, half a file is of no use
        raise unwritable(path, error) from error


def end_of(content: Mapping[str, Any]) -> End:
    """The end from its JSON."""
    load = Load.of(content["load"]) if content.get("load") else None
    return End(**{**content, "findings": tuple(content.get("findings", ())), "load": load})


def _entry(path: Path, number: int, line: bytes) -> Header | Record | End:
    kinds: dict[str, type[Header | Record | End]] = {"header": Header, "record": Record, "end": End}
    try:
        # Decoded here: json would first guess, of every line, which of five encodings it has.
        [(kind, content)] = json.loads(line.decode("utf-8", "surrogatepass")).items()
        if kind == "record":
            words = content.get("words", ())
            content["words"] = tuple((*word[:3], math.nan if word[3] is None else word[3]) for word in words)
            if "warnings" in content:
                content["warnings"] = unpacked_warnings(content["warnings"])
            if "stream" in content:
                content["stream"] = unpacked(content["stream"])
        entry = end_of(content) if kind == "end" else kinds[kind](**content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordError(f"{path}, line {number} is no record ({error}); mend it or run it anew") from error
    if isinstance(entry, Header) and entry.version != FORMAT_VERSION:
        raise RecordError(
            f"{path} is of format {entry.version}, and this version reads {FORMAT_VERSION}; run it anew"
        )
    return entry
