"""Datasets by name or path: Golos, the demo clips, any set of the Hub, local manifests, folders and parquet.

From the Hub, sets of parquet files are read, as those are that hold their audio; of many others, the Hub has
a conversion under the revision ``refs/convert/parquet``. Nothing is downloaded beyond what is read. The
smallest piece is a row group (often 100 or 1,000 rows), besides 64 KiB from a file's end, which say where
its groups are. A drawn sample takes only the groups that hold a row of it, which are all of them once it is
a few times as many rows as there are groups. A request that fails is tried again by `datasets`, for some
ten minutes, before reading breaks off.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from evaluation.datasets.manifests import read_folder, read_manifest
from evaluation.datasets.parquet import READ_AHEAD_BYTES, StreamSource
from evaluation.datasets.rows import (
    AUDIO_COLUMNS,
    DURATION_COLUMNS,
    SESSION_COLUMNS,
    SPEAKER_COLUMNS,
    SUFFIXES,
    TEXT_COLUMNS,
    column,
)
from evaluation.datasets.utterances import Dataset, DatasetError, DuplicateRule, Finding, Source, Utterance
from gigastt_lab.errors import brief
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY

__all__ = ["DEMO_SET", "NAMED_SETS", "Dataset", "DatasetError", "Finding", "Utterance", "open_dataset"]


@dataclass(frozen=True)
class HubSet:
    """A set of the Hub, and which of its columns hold what; None for main, and for the usual names."""

    repository: str
    revision: str | None = None
    config: str | None = None
    audio_column: str | None = None
    text_column: str | None = None


NAMED_SETS: Final = {
    "golos-crowd": HubSet(
        "bond005/sberdevices_golos_10h_crowd",
        "e634b6b810e4d30c81b4c6d8262379fe8b9f708c",
        audio_column="audio",
        text_column="transcription",
    ),
    "golos-farfield": HubSet(
        "bond005/sberdevices_golos_100h_farfield",
        "c93949f7140beef4adc404e7b54841e957f81c54",
        audio_column="audio",
        text_column="transcription",
    ),
}
DEMO_SET: Final = "demo"


def open_dataset(
    name_or_path: str | os.PathLike[str],
    *,
    split: str = "test",
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    audio_column: str | None = None,
    text_column: str | None = None,
    revision: str | None = None,
    config: str | None = None,
    duplicates: DuplicateRule = "keep",
) -> Dataset:
    """A dataset, checked as far as that goes without reading audio.

    Args:
        name_or_path: ``golos-crowd``, ``golos-farfield``, ``demo`` (the packaged clips), ``owner/name`` of a
            set on the Hub, or a path: a manifest (.jsonl, .json, .csv, .tsv), a parquet file, a folder of
            parquet files, or a folder of audio files with a .txt beside each.
        split: Split of a set on the Hub. A local set is one split.
        limit: Stop after so many utterances; excluded rows do not count.
        sample: Draw so many rows, without replacement; they come in the set's order. Excluded rows among
            them are not replaced. With `limit`, the first of those.
        seed: Seed of the drawing.
        audio_column: Column with the audio. None: one of `datasets.rows.AUDIO_COLUMNS`.
        text_column: Column with the reference. None: one of `datasets.rows.TEXT_COLUMNS`.
        revision: Branch, tag or commit of a set on the Hub. None: the pinned one of a named set, else main.
        config: Configuration of a set on the Hub that has several.
        duplicates: Rule for rows with the audio and the reference of an earlier row. Published figures on
            Golos keep them.

    Raises:
        DatasetError: there is no such set, split or column, the Hub does not answer, or a manifest is broken.
        ValueError: an option that makes no sense.
    """
    given = os.fspath(name_or_path)
    asked = {"revision": revision, "config": config, "audio_column": audio_column, "text_column": text_column}
    hub_set = replace(
        NAMED_SETS.get(given, HubSet(given)), **{key: value for key, value in asked.items() if value}
    )
    opened = _open(given, hub_set, split)
    if not opened.is_remote and (revision is not None or config is not None):
        raise ValueError(f"{given!r} is a local set; revision and config are for sets of the Hub")
    return Dataset(
        opened.source,
        name=opened.name,
        prefix=f"{opened.name}/{split}" if opened.is_remote else opened.name,
        revision=opened.revision,
        description=opened.description,
        limit=limit,
        sample=sample,
        seed=seed,
        duplicates=duplicates,
    )


@dataclass(frozen=True)
class _Opened:
    source: Source
    name: str
    revision: str
    description: str
    is_remote: bool = False


def _open(given: str, hub_set: HubSet, split: str) -> _Opened:
    path = Path(given)
    source: Source
    if given == DEMO_SET:
        # Its `text` is written as the model writes, digits and all; `spoken` has the numbers in words.
        source, revision = read_manifest(DEMO_CLIPS_DIRECTORY / "manifest.jsonl")
        return _Opened(source, DEMO_SET, revision, "the packaged demo clips")
    if given in NAMED_SETS or _is_on_hub(path):
        source, revision = _open_on_hub(hub_set, split)
        what = f"{hub_set.repository} at {revision}, split {split}"
        return _Opened(source, given, revision, what, is_remote=True)
    source, revision = _open_local(path, hub_set)
    return _Opened(source, _name_of(path.resolve()), revision, str(path))


def _name_of(path: Path) -> str:
    """A file's stem; its folder's name where the file is just called manifest."""
    return path.parent.name if path.stem == "manifest" else path.stem


def _is_on_hub(path: Path) -> bool:
    """True if a name that is no known set's means a set of the Hub."""
    if path.exists() or path.suffix.lower() in (*SUFFIXES, ".parquet"):
        return False
    return re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", str(path), re.ASCII) is not None


def _open_local(path: Path, hub_set: HubSet) -> tuple[Source, str]:
    if not path.exists():
        names = ", ".join((*NAMED_SETS, DEMO_SET))
        raise DatasetError(
            f"there is no dataset {str(path)!r}; give a path that exists, owner/name of a set on the Hub, or "
            f"one of {names}"
        )
    shards = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not shards:
        return read_folder(path)
    if path.is_dir() or path.suffix.lower() == ".parquet":
        files = {"test": [str(shard.resolve()) for shard in shards]}
        return _stream(_builder(hub_set, "parquet", data_files=files), hub_set, "test"), _digest(shards)
    if path.suffix.lower() in SUFFIXES:
        return read_manifest(path, audio_column=hub_set.audio_column, text_column=hub_set.text_column)
    known = ", ".join((*SUFFIXES, ".parquet"))
    raise DatasetError(f"{str(path)!r} is no manifest; known are {known} and folders")


def _digest(files: Sequence[Path]) -> str:
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _open_on_hub(hub_set: HubSet, split: str) -> tuple[Source, str]:
    builder = _builder(
        hub_set,
        hub_set.repository,
        name=hub_set.config,
        revision=hub_set.revision,
        storage_options={"hf": {"block_size": READ_AHEAD_BYTES}},
    )
    files = [file for part in (builder.config.data_files or {}).values() for file in part]
    commit = re.match(r"hf://datasets/[^@]+@([^/]+)/", str(files[0]) if files else "")
    if commit is None:
        raise DatasetError(f"{hub_set.repository} holds no data files; check its name and revision")
    return _stream(builder, hub_set, split), commit[1]


# `datasets` ships no types, and what goes wrong in it has no common class: errors of httpx (or requests),
# fsspec, huggingface_hub, pyarrow and yaml come through as they are. So `Any` and `Exception`, here and in
# `datasets.parquet`.


def _builder(hub_set: HubSet, path: str, **options: Any) -> Any:
    try:
        import datasets

        # Its cache holds nothing that streaming needs, only locks; and sets of any revision, to which it
        # would turn without a word where the Hub does not answer.
        with tempfile.TemporaryDirectory() as empty:
            return datasets.load_dataset_builder(path, cache_dir=empty, **options)
    except Exception as error:
        raise DatasetError(
            f"{hub_set.repository} cannot be opened ({brief(error)}); check its name and revision, the "
            "network, and, where it is gated or private, your access"
        ) from error


def _stream(builder: Any, hub_set: HubSet, split: str) -> StreamSource:
    """The columns that are needed, of the split that is asked for."""
    where = f"{hub_set.repository}, split {split!r}"
    try:
        stream, audio, text = _opened(builder, hub_set, split, where)
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(
            f"{where} cannot be opened ({brief(error)}); check the split and the network"
        ) from error
    files = [str(file) for file in builder.config.data_files[split]]
    return StreamSource(stream, files, where=where, audio=audio, text=text)


def _opened(builder: Any, hub_set: HubSet, split: str, where: str) -> tuple[Any, str, str]:
    """Stream as of `datasets.load_dataset(streaming=True)`, audio undecoded; and two columns' names."""
    import datasets

    stream = builder.as_streaming_dataset(split)
    names = stream.column_names or []
    if split not in builder.config.data_files or not hasattr(builder.config, "columns"):
        raise DatasetError(
            f"{where} is not one split of parquet files. Of loose audio files, `datasets` reads nothing "
            "without decoding it: try the Hub's own conversion, revision 'refs/convert/parquet'"
        )
    audio = column(names, hub_set.audio_column, AUDIO_COLUMNS, "audio", where)
    text = column(names, hub_set.text_column, TEXT_COLUMNS, "reference", where)
    needed = {audio, text, *SPEAKER_COLUMNS, *SESSION_COLUMNS, *DURATION_COLUMNS}
    builder.config.columns = [name for name in names if name in needed]  # the others stay where they are
    stream = builder.as_streaming_dataset(split)
    if isinstance((stream.features or {}).get(audio), datasets.Audio):
        stream = stream.cast_column(audio, datasets.Audio(decode=False))
    return stream, audio, text
