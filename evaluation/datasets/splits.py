"""Splits and configurations of a folder, as the paths of its files name them.

A file belongs to the split that its path below the folder names: `data/test-00000-of-00002.parquet`,
`test/metadata.csv`, `validation.parquet`. Folders beside each other that have splits of their own, as
`ru/test-*` and `en/test-*` have, are configurations.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from evaluation.datasets.utterances import DatasetError

logger = logging.getLogger(__name__)

DEFAULT_SPLIT: Final = "test"
# As `datasets` names them, by words in a path.
_WORDS: Final = {
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
    "train": "train", "training": "train",
    "dev": "validation", "val": "validation", "valid": "validation", "validation": "validation",
}  # fmt: skip
_SHARD: Final = re.compile(r"([\w.]+)-\d{5}-of-\d{5}")


def split_of(path: Path) -> str | None:
    """Split that a path, relative to its set, names; None where it names none.

    >>> split_of(Path("data/test-00000-of-00002.parquet")), split_of(Path("valid/a.parquet"))
    ('test', 'validation')
    >>> split_of(Path("test.clean-00000-of-00001.parquet")), split_of(Path("latest.parquet"))
    ('test.clean', None)
    """
    if sharded := _SHARD.match(path.stem):
        return canonical(sharded[1])
    named = (_word_in(part) for part in reversed((*path.parts[:-1], path.stem)))
    return next(filter(None, named), None)


def splits_of(paths: Sequence[Path]) -> list[str | None]:
    """Splits of the paths of a set; folders that name one split in several ways are splits of their own.

    >>> splits_of([Path("test-clean/0.parquet"), Path("test-other/0.parquet"), Path("dev/0.parquet")])
    ['test-clean', 'test-other', 'validation']
    >>> splits_of([Path("test/0.parquet"), Path("test_1/0.parquet"), Path("train/0.parquet")])
    ['test', 'test', 'train']
    """
    splits = [split_of(path) for path in paths]
    folders = [_naming_folder(path) for path in paths]
    ways: dict[str | None, set[str | None]] = {}
    for split, folder in zip(splits, folders, strict=True):
        ways.setdefault(split, set()).add(folder)
    return [
        folder if len(ways[split]) > 1 and None not in ways[split] else split
        for split, folder in zip(splits, folders, strict=True)
    ]


def _naming_folder(path: Path) -> str | None:
    """Folder that names the split of a path, without a number at its end; None where the file does, too."""
    if _SHARD.match(path.stem) or _word_in(path.stem):
        return None
    name = next((part for part in reversed(path.parts[:-1]) if _word_in(part)), None)
    bare = re.sub(r"[\W_]*\d+$", "", name or "")
    return bare if bare.lower() in _WORDS else name


def _word_in(name: str) -> str | None:
    """Split that a word in the name of a file or folder means."""
    words = re.split(r"[\W_\d]+", name.lower())
    return next((_WORDS[word] for word in words if word in _WORDS), None)


def canonical(split: str) -> str:
    """The one name of a split that has several: "validation" for "dev"."""
    return _WORDS.get(split.lower(), split)


def grouped(files: Iterable[tuple[Path, str | None]], folder: Path) -> dict[str, list[Path]]:
    """Files by the split that they are of; empty where none is of one.

    Files of no split beside others are left out, and the log names them.
    """
    groups: dict[str | None, list[Path]] = {}
    for path, split in files:
        groups.setdefault(split, []).append(path)
    without = groups.pop(None, [])
    if groups and without:
        logger.warning(
            "%s: files that name no split are left out, %d in all, %s for one",
            folder,
            len(without),
            without[0],
        )
    return {name: found for name, found in groups.items() if name is not None}


def configurations(files: Iterable[Path]) -> list[str]:
    """Folders that have splits of their own, of files by their paths in the set.

    >>> configurations([Path("ru/test-0.parquet"), Path("en/test-0.parquet"), Path("test/0.parquet")])
    ['en', 'ru']
    """
    return sorted({path.parts[0] for path in files if path.parts[1:] and split_of(Path(*path.parts[1:]))})


def common_folder(files: Sequence[Path], folder: Path) -> Path:
    """The folder in which all files of a set lie; of folders that name a split, the one above."""
    common = folder
    shared = os.path.commonpath([file.parent for file in files])
    for part in Path(shared).relative_to(folder).parts:
        if split_of(Path(part)):
            break
        common /= part
    return common


def chosen_configuration(
    found: Sequence[str], asked: str | None, folder: Path, others: Sequence[str] = ()
) -> str | None:
    """The configuration that is asked for; without a word, None where there is no choice.

    Args:
        found: Configurations that are there.
        asked: The one that is asked for.
        folder: Folder of the set, for messages.
        others: Names by which the only one may be called: `default`, or a folder that all files are in.

    Raises:
        DatasetError: it is not there, or there are several and none is asked for.
    """
    if asked in found or (len(found) < 2 and asked in others):
        return asked
    if asked is None and len(found) <= 1:
        return None
    given = f"no configuration {asked!r}" if asked else "several configurations"
    do = "Choose one (--config)" if found else "Leave it out"
    raise DatasetError(f"{folder} has {given}; there are: {', '.join(found) or 'none'}. {do}")


def chosen_split(found: Iterable[str], asked: str | None, folder: Path) -> str:
    """The split that is asked for; without a word, "test" or the only one.

    Raises:
        DatasetError: it is not there.
    """
    names = list(found)
    wanted = asked or (names[0] if len(names) == 1 else DEFAULT_SPLIT)
    if asked is None and canonical(wanted) != DEFAULT_SPLIT:
        logger.info("%s has one split, %s: it is read", folder, wanted)
    for name in (wanted, *(name for name in names if canonical(name) == canonical(wanted))):
        if name in names:
            return name
    raise DatasetError(
        f"{folder} has no split {wanted!r}; there are: {', '.join(names)}. Choose one (--split)"
    )
