"""Splits and configurations of a folder, as the paths of its files name them.

A file belongs to the split that its path below the folder names: `data/test-00000-of-00002.parquet`,
`test/metadata.csv`, `validation.parquet`. Folders beside each other that have splits of their own, as
`ru/test-*` and `en/test-*` have, are configurations.
"""

from __future__ import annotations

import logging
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
    for part in reversed((*path.parts[:-1], path.stem)):
        for word in re.split(r"[\W_\d]+", part.lower()):
            if word in _WORDS:
                return _WORDS[word]
    return None


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


def chosen_configuration(found: Sequence[str], asked: str | None, folder: Path) -> str | None:
    """The configuration that is asked for; without a word, None where there is no choice.

    Raises:
        DatasetError: it is not there, or there are several and none is asked for.
    """
    if asked in found:
        return asked
    if asked is None and len(found) <= 1:
        return None
    given = f"no configuration {asked!r}" if asked else "several configurations"
    raise DatasetError(
        f"{folder} has {given}; there are: {', '.join(found) or 'none'}. Choose one (--config)"
    )


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
