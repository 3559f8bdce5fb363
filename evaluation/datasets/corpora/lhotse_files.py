"""Files of lhotse: which of them are manifests, of what, and their entries."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from evaluation.datasets.corpora.fields import text_of
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError

SUFFIXES: Final = (".jsonl", ".jsonl.gz")
_LONGEST_LINE: Final = 50_000_000  # bytes; a cut of a day has all of its supervisions in a line

Entry = Mapping[str, Any]


def is_lhotse(path: Path) -> bool:
    """True of a manifest of cuts or supervisions, and of a folder that holds some."""
    return bool(lhotse_files(path)) if path.is_dir() else kind_of(path) in {"cut", "supervision"}


def lhotse_files(folder: Path) -> list[Path]:
    """Manifests of cuts in a folder, or else those of supervisions."""
    files = [each for each in sorted(folder.iterdir()) if each.is_file() and each.name.endswith(SUFFIXES)]
    cuts = [each for each in files if "cuts" in each.name and kind_of(each) == "cut"]
    return cuts or [each for each in files if "supervisions" in each.name and kind_of(each) == "supervision"]


def lhotse_file(path: Path, split: str | None = None) -> tuple[Path, str | None]:
    """The manifest at a path, and the split that chose it: of several, the one that names the split.

    Raises:
        DatasetError: several do, or none.
    """
    if not path.is_dir():
        return path, None
    files = lhotse_files(path)
    if len(files) == 1 and split is None:
        return files[0], None
    wanted = split or "test"
    named = [each for each in files if wanted in each.name.partition(".")[0].replace("-", "_").split("_")]
    if len(named) != 1:
        raise DatasetError(
            f"{str(path)!r}: {len(named)} of its manifests name the split {wanted!r}; there are: "
            f"{', '.join(each.name for each in files)}. Give one of the files, or another split"
        )
    return named[0], wanted


def kind_of(path: Path) -> str | None:
    """Kind of a manifest by its first line: of a cut, a supervision or a recording; None of anything else."""
    if not path.name.lower().endswith(SUFFIXES):
        return None
    first = _first_entry(path)
    if "sources" in first and "sampling_rate" in first:
        return "recording"
    if first.get("type") in {"MonoCut", "MultiCut", "MixedCut", "PaddingCut"} or (
        "supervisions" in first and "start" in first
    ):
        return "cut"
    return "supervision" if {"recording_id", "start", "duration", "id"} <= first.keys() else None


def _first_entry(path: Path) -> Entry:
    """Object of the first line, which is all that is read; empty where it is none."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            line = file.readline(_LONGEST_LINE)
        entry = json.loads(line.decode("utf-8-sig"))
    except (OSError, EOFError, ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def recordings_beside(path: Path, failure: type[GigasttError]) -> Path:
    """The manifest of recordings that belongs to one of supervisions, by its name."""
    packed = path.name.removesuffix(".gz")
    names = [name.replace("supervisions", "recordings") for name in (path.name, packed, f"{packed}.gz")]
    for name in names:
        if name != path.name and (path.parent / name).is_file():
            return path.parent / name
    raise failure(
        f"{path} holds supervisions, and their recordings are not beside it ({names[0]!r}); put them there"
    )


def entries_of(path: Path, failure: type[GigasttError]) -> Iterator[tuple[str, Entry]]:
    """Entries of a manifest, with the place of each; a `failure` for a line that is no JSON object."""
    for number, line in enumerate(text_of(path, failure).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise failure(f"{where}: not JSON ({error}); mend or remove it") from error
        if not isinstance(entry, dict):
            raise failure(f"{where}: not a JSON object; each line is one")
        yield where, entry
