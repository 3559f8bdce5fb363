"""Tables in a folder of audio, with the configuration and the split that their places and names tell."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from evaluation.datasets.manifests import AUDIO_SUFFIXES
from evaluation.datasets.rows import AUDIO_COLUMNS, MANIFEST_TEXT_COLUMNS, SUFFIXES, first_line
from evaluation.datasets.splits import common_folder, split_of, splits_of

METADATA_NAMES: Final = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


@dataclass(frozen=True)
class FolderTable:
    """A table of a folder: its path, and the configuration and split that it is of, where it says so."""

    path: Path
    config: str | None = None
    split: str | None = None


def tables_of(folder: Path) -> list[FolderTable]:
    """Tables that describe a folder's audio: its metadata, or else its manifests.

    None where every audio file has a text beside it: those count, whatever else lies there.
    """
    tables, has_texts = _survey(folder)
    if has_texts:
        return []
    metadata = [path for path in tables if path.name in METADATA_NAMES]
    if metadata:
        return _of_metadata([(path, path.relative_to(folder).parent.parts) for path in metadata])
    manifests = [path for path in tables if _is_manifest(path)]
    base = common_folder(manifests, folder) if manifests else folder
    return _of_manifests([(path, _label(path.relative_to(base))) for path in manifests], folder)


def _survey(folder: Path) -> tuple[list[Path], bool]:
    """Files at any depth that may be tables; True if there is audio, and a text beside each of it.

    One walk: a release may hold a million clips.
    """
    tables: list[Path] = []
    audio: set[str] = set()
    texts: set[str] = set()
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))  # a cache's
        for name in sorted(names):
            stem, suffix = os.path.splitext(os.path.join(place, name))
            if suffix.lower() in SUFFIXES or name in METADATA_NAMES:
                tables.append(Path(place, name))
            elif suffix.lower() in AUDIO_SUFFIXES:
                audio.add(stem)
            elif suffix == ".txt":
                texts.add(stem)
    return tables, bool(audio) and audio <= texts


def _is_manifest(path: Path) -> bool:
    """True of a table with usual columns for audio and reference."""
    names = {name.lower() for name in first_line(path)} if path.suffix.lower() in SUFFIXES else set()
    return not names.isdisjoint(AUDIO_COLUMNS) and not names.isdisjoint(MANIFEST_TEXT_COLUMNS)


def _label(path: Path) -> tuple[str, ...]:
    """Folders of a manifest and its name; without it where it is just called manifest."""
    return path.parent.parts if path.stem == "manifest" else (*path.parent.parts, path.stem)


def _of_metadata(found: Sequence[tuple[Path, tuple[str, ...]]]) -> list[FolderTable]:
    """Tables of metadata: a split is what a folder's name says by a usual word."""
    firsts = {label[0] for _, label in found if len(label) > 1 and split_of(Path(*label[1:]))}
    configs = [label[0] if len(firsts) > 1 and len(label) > 1 else None for _, label in found]
    rests = [
        Path(*(label[1:] if config else label), "_")
        for config, (_, label) in zip(configs, found, strict=True)
    ]
    splits = splits_of(rests)
    return [
        FolderTable(path, config, split)
        for (path, _), config, split in zip(found, configs, splits, strict=True)
    ]


def _of_manifests(found: Sequence[tuple[Path, tuple[str, ...]]], folder: Path) -> list[FolderTable]:
    """Manifests, each a split: by a usual word, or by its own name where others have that word, too."""
    if len(found) == 1:
        path, label = found[0]
        folders = [part for part in path.relative_to(folder).parent.parts if not split_of(Path(part))]
        return [
            FolderTable(path, folders[-1] if folders else None, split_of(Path(*label)) if label else None)
        ]
    deep = [label for _, label in found if len(label) > 1]
    has_configs = bool(deep) and not any(split_of(Path(label[0])) for label in deep)
    tables = []
    for path, label in found:
        config = label[0] if has_configs and len(label) > 1 else None
        name = "/".join(label[1:] if config else label) or path.stem
        tables.append((FolderTable(path, config, split_of(Path(name)) or name), name))
    taken = [(table.config, table.split) for table, _ in tables]
    return [
        replace(table, split=name) if taken.count((table.config, table.split)) > 1 else table
        for table, name in tables
    ]
