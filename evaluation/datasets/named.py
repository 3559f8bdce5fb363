"""Datasets by name or path: Golos, the demo clips, any set of the Hub, and local ones of any known format.

From the Hub, sets of parquet files are read, as those are that hold their audio; of many others, the Hub has
a conversion under the revision ``refs/convert/parquet``. Nothing is downloaded beyond what is read. The
smallest piece is a row group (often 100 or 1,000 rows), besides 64 KiB from a file's end, which say where
its groups are. A drawn sample takes only the groups that hold a row of it, which are all of them once it is
a few times as many rows as there are groups. A request that fails is tried again by `datasets`, for some
ten minutes, before reading breaks off.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from evaluation.datasets.formats import Wanted, open_local
from evaluation.datasets.manifests import read_manifest
from evaluation.datasets.nonspeech import NONSPEECH_SET, NonSpeech
from evaluation.datasets.parquet import READ_AHEAD_BYTES
from evaluation.datasets.rows import SUFFIXES
from evaluation.datasets.splits import canonical, split_of
from evaluation.datasets.streams import Origin, builder_of, stream_of
from evaluation.datasets.tags import TagRule
from evaluation.datasets.utterances import Dataset, DatasetError, DuplicateRule, Finding, Source, Utterance
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY

__all__ = ["DEMO_SET", "NAMED_SETS", "Dataset", "DatasetError", "Finding", "Utterance", "open_dataset"]

logger = logging.getLogger(__name__)


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
_DEFAULT_SPLIT: Final = "test"


def open_dataset(
    name_or_path: object,
    *,
    split: str | None = None,
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    audio_column: str | None = None,
    text_column: str | None = None,
    revision: str | None = None,
    config: str | None = None,
    duplicates: DuplicateRule = "keep",
    tags: TagRule = "drop",
    strict_audio: bool = False,
) -> Dataset:
    """A dataset, checked as far as that goes without reading audio.

    Args:
        name_or_path: ``golos-crowd``, ``golos-farfield``, ``demo`` (the packaged clips), ``nonspeech``
            (computed silence, noise and tones: every word heard there is made up), ``owner/name`` of a set on
            the Hub, or a path of a local set, in one of the formats of `datasets.formats.FORMATS`;
            or what is in memory: a DataFrame, a list of dicts, a `datasets.Dataset` (`datasets.in_memory`).
        split: Split of a set that has several. None: "test"; of a local set, also the only one there is.
        limit: Stop after so many utterances; excluded rows do not count.
        sample: Draw so many rows, without replacement; they come in the set's order. Excluded rows among
            them are not replaced. With `limit`, the first of those.
        seed: Seed of the drawing.
        audio_column: Column with the audio. None: one of `datasets.rows.AUDIO_COLUMNS`.
        text_column: Column with the reference. None: one of `datasets.rows.TEXT_COLUMNS`.
        revision: Branch, tag or commit of a set on the Hub. None: the pinned one of a named set, else main.
        config: Configuration of a set that has several, on the Hub or local.
        duplicates: Rule for rows with the audio and the reference of an earlier row. Published figures on
            Golos keep them.
        tags: Rule for marks of noise in references, such as ``[шум]``: see `datasets.tags`.
        strict_audio: True makes failures of utterances whose audio was cut or is damaged, for every system;
            False has them heard as far as they go, and told.

    Raises:
        DatasetError: there is no such set, split or column, the Hub does not answer, or a manifest is broken.
        ValueError: an option that makes no sense.
    """
    drawing: dict[str, Any] = {
        "limit": limit,
        "sample": sample,
        "seed": seed,
        "duplicates": duplicates,
        "tags": tags,
        "strict_audio": strict_audio,
    }
    if not isinstance(name_or_path, str | os.PathLike):
        if revision is not None or config is not None:
            raise ValueError("revision and config are for sets of the Hub; leave them out")
        from evaluation.datasets.in_memory import open_in_memory  # pandas takes its time

        drawing |= {"split": split, "audio_column": audio_column, "text_column": text_column}
        return open_in_memory(name_or_path, **drawing)
    given = os.fspath(name_or_path)
    asked = {"revision": revision, "config": config, "audio_column": audio_column, "text_column": text_column}
    hub_set = replace(
        NAMED_SETS.get(given, HubSet(given)), **{key: value for key, value in asked.items() if value}
    )
    opened = _open(given, hub_set, split)
    if not opened.is_remote:
        _refuse_in_vain(given, hub_set, opened)
    return Dataset(
        opened.source,
        name=opened.name,
        prefix=f"{opened.name}/{opened.split}" if opened.split else opened.name,
        revision=opened.revision,
        description=opened.description,
        **drawing,
    )


@dataclass(frozen=True)
class _Opened:
    source: Source
    name: str
    revision: str
    description: str
    split: str | None = None
    config: str | None = None
    is_remote: bool = False


def _open(given: str, hub_set: HubSet, split: str | None) -> _Opened:
    path = Path(os.path.expanduser(given))
    if given == DEMO_SET:
        # Its `text` is written as the model writes, digits and all; `spoken` has the numbers in words.
        source, revision = read_manifest(DEMO_CLIPS_DIRECTORY / "manifest.jsonl")
        return _Opened(source, DEMO_SET, revision, "the packaged demo clips")
    if given == NONSPEECH_SET:
        computed = NonSpeech()
        return _Opened(computed, NONSPEECH_SET, computed.revision, computed.description)
    if given in NAMED_SETS or _is_on_hub(path):
        return _open_on_hub(given, hub_set, split or _DEFAULT_SPLIT)
    if not path.exists():
        names = ", ".join((*NAMED_SETS, DEMO_SET, NONSPEECH_SET))
        raise DatasetError(
            f"there is no dataset {given!r}; give a path that exists, owner/name of a set on the Hub, or "
            f"one of {names}"
        )
    wanted = Wanted(split, hub_set.config, hub_set.audio_column, hub_set.text_column)
    local = open_local(path, wanted)
    in_vain = split not in {None, _DEFAULT_SPLIT, local.split, local.only_split}
    if in_vain and local.split is None and split_of(Path(path.name)) != canonical(str(split)):
        logger.warning("%s has no splits: --split %s chooses nothing, all of it is read", path, split)
    parts = [f"{kind} {name}" for kind, name in (("config", local.config), ("split", local.split)) if name]
    description = ", ".join([str(path), *parts])
    # Of a set with several, the configuration tells apart what else would have the same ids.
    inner = "/".join(filter(None, (None if local.is_only_config else local.config, local.split)))
    return _Opened(
        local.source, _name_of(path.resolve()), local.revision, description, inner or None, local.config
    )


def _refuse_in_vain(given: str, hub_set: HubSet, opened: _Opened) -> None:
    """Refuse options that choose nothing in a local set."""
    if hub_set.revision is not None:
        raise ValueError(f"{given!r} is a local set; revision is for sets of the Hub")
    if hub_set.config is not None and opened.config is None:
        raise ValueError(f"{given!r} is a local set without configurations; leave config out")


def _name_of(path: Path) -> str:
    """A file's stem; its folder's name where the file is just called manifest."""
    stem = Path(path.name.removesuffix(".gz")).stem
    return path.parent.name if stem == "manifest" else stem


def _is_on_hub(path: Path) -> bool:
    """True if a name that is no known set's means a set of the Hub."""
    if path.exists() or path.suffix.lower() in (*SUFFIXES, ".parquet"):
        return False
    return re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", str(path), re.ASCII) is not None


def _open_on_hub(given: str, hub_set: HubSet, split: str) -> _Opened:
    builder = builder_of(
        hub_set.repository,
        hub_set.repository,
        name=hub_set.config,
        revision=hub_set.revision,
        storage_options={"hf": {"block_size": READ_AHEAD_BYTES}},
    )
    files = [file for part in (builder.config.data_files or {}).values() for file in part]
    commit = re.match(r"hf://datasets/[^@]+@([^/]+)/", str(files[0]) if files else "")
    if commit is None:
        raise DatasetError(f"{hub_set.repository} holds no data files; check its name and revision")
    origin = Origin(hub_set.repository, hub_set.audio_column, hub_set.text_column)
    description = f"{hub_set.repository} at {commit[1]}, split {split}"
    source = stream_of(builder, origin, split)
    return _Opened(source, given, commit[1], description, split, is_remote=True)
