"""Parquet files on this machine: one, a folder of them, or a copy of a set of the Hub with splits.

A folder whose files name no split (see `datasets.splits`) is one split, and so is a single file. A README.md
with `configs:` in its head says itself which files are which, as on the Hub.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluation.datasets.opening import Opened, Wanted
from evaluation.datasets.splits import (
    DEFAULT_SPLIT,
    canonical,
    chosen_configuration,
    chosen_split,
    common_folder,
    configurations,
    grouped,
    split_of,
    splits_of,
)
from evaluation.datasets.streams import Origin, builder_of, stream_of
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import brief

logger = logging.getLogger(__name__)


def recognises(path: Path) -> bool:
    """True of a parquet file, and of a folder that holds one at any depth; not of audio's metadata."""
    return _is_part(path) if path.is_file() else bool(_files_of(path))


def _is_part(path: Path) -> bool:
    return path.suffix.lower() == ".parquet" and path.stem != "metadata"  # that is an audio folder's


def read(path: Path, wanted: Wanted) -> Opened:
    """The file, or a folder's split.

    Raises:
        DatasetError: there is no such split or configuration, or several and none was asked for.
    """
    if path.is_file():
        own = split_of(Path(path.name))
        if wanted.split and own and own != canonical(wanted.split):
            logger.warning("%s is of split %s by its name, and read as it is", path, own)
        return _opened([path], path, wanted)
    if _says_itself(path):
        return _by_card(path, wanted)
    files = _files_of(path)
    base = common_folder(files, path)
    configs = configurations(file.relative_to(base) for file in files)
    config = chosen_configuration(configs, wanted.config, path, (*base.relative_to(path).parts, "default"))
    root = base / config if config in configs else path
    files = [file for file in files if file.is_relative_to(root)]
    named_splits = splits_of([file.relative_to(root) for file in files])
    splits = grouped(zip(files, named_splits, strict=True), path)
    split = chosen_split(splits, wanted.split, path) if splits else None
    named = split if len(splits) > 1 else None
    opened = _opened(splits[split] if split else files, path, wanted, split=named, config=config)
    return replace(opened, is_only_config=len(configs) < 2, only_split=None if named else split)


def _files_of(folder: Path) -> list[Path]:
    """Parquet files of a folder itself, or else of those below it; hidden ones are a cache's."""
    direct = sorted(path for path in folder.glob("*.parquet") if _is_part(path) and not path.is_dir())
    return direct or sorted(
        path
        for path in folder.rglob("*.parquet")
        if _is_part(path)
        and not path.is_dir()  # Spark calls folders so
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
    )


def _opened(
    files: Sequence[Path], path: Path, wanted: Wanted, *, split: str | None = None, config: str | None = None
) -> Opened:
    origin = Origin(str(path), wanted.audio_column, wanted.text_column)
    name = re.sub(r"\W", ".", split or DEFAULT_SPLIT)  # of which `datasets` makes a name of its own
    builder = builder_of(origin.name, "parquet", data_files={name: [str(file.resolve()) for file in files]})
    return Opened(stream_of(builder, origin, name), _digest(files), split, config)


def _digest(files: Sequence[Path]) -> str:
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _says_itself(folder: Path) -> bool:
    """True where a README.md says in its head which files are which."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    head = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
    return head is not None and re.search(r"^configs:", head[1], re.MULTILINE) is not None


def _by_card(folder: Path, wanted: Wanted) -> Opened:
    """Split of a folder whose README.md names its files, by `datasets`' own reading of that."""
    import datasets

    resolved = str(folder.resolve())
    try:
        configs = [str(name) for name in datasets.get_dataset_config_names(resolved)]
        default = datasets.get_dataset_default_config_name(resolved)
    except Exception as error:
        raise DatasetError(
            f"{folder}: the configs of its README.md cannot be read ({brief(error)}); mend them"
        ) from error
    config = chosen_configuration(configs, wanted.config or default, folder)
    builder = builder_of(str(folder), resolved, name=config)
    found = {
        str(name): sorted(Path(file) for file in files) for name, files in builder.config.data_files.items()
    }
    split = chosen_split(found, wanted.split, folder)
    named = split if len(found) > 1 else None
    opened = _opened(found[split], folder, wanted, split=named, config=config or configs[0])
    return replace(opened, is_only_config=len(configs) == 1, only_split=None if named else split)
