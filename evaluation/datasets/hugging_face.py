"""Datasets of the package `datasets` that are open already, from the Hub, a folder or Python.

Their audio is taken undecoded, so that neither torchcodec nor a resampling of theirs comes between a file and
the systems. Rows keep the order that they have there: a shuffled set is another one.

`datasets` ships no types, and what goes wrong in it has no common class: hence `Any` and `Exception`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from evaluation.datasets.cells import key_of
from evaluation.datasets.memory_rows import RowReader
from evaluation.datasets.rows import AUDIO_COLUMNS, MANIFEST_TEXT_COLUMNS, column
from evaluation.datasets.utterances import DatasetError, Row, Source
from gigastt_lab.errors import brief

DEFAULT_SPLIT: Final = "test"


@dataclass(frozen=True)
class InMemory:
    """A dataset that was open already.

    Attributes:
        source: Rows.
        name: First part of every id.
        revision: Fingerprint, by the package that holds it.
        description: Line for a report.
    """

    source: Source
    name: str
    revision: str
    description: str


def opened(data: Any, split: str | None, audio_column: str | None, text_column: str | None) -> InMemory:
    """The rows of a `Dataset`, an `IterableDataset`, or a split of a dict of them.

    Args:
        data: An object of the package `datasets`.
        split: Split of a dict; None: "test", or the only one there is.
        audio_column: Column with the audio. None: the one with the feature `Audio`, else one of
            `datasets.rows.AUDIO_COLUMNS`.
        text_column: Column with the reference. None: one of `datasets.rows.MANIFEST_TEXT_COLUMNS`.

    Raises:
        DatasetError: it is none of these, or there is no such split or column.
    """
    import datasets

    data = _split_of(data, split)
    wanted = _Wanted(audio_column, text_column)
    if isinstance(data, datasets.Dataset):
        rows: Source = _Rows(_narrowed(data, wanted), wanted)
        revision, what = str(data._fingerprint), f"a datasets.Dataset of {len(data)} rows"
    elif isinstance(data, datasets.IterableDataset):
        rows = _Stream(_narrowed(data, wanted), wanted)
        revision, what = _digest_of_info(data), "a datasets.IterableDataset"
    else:
        raise DatasetError(f"a datasets.{type(data).__name__} is no set of rows; give a Dataset")
    named = data.info.dataset_name or data.info.builder_name or "dataset"
    parts = [str(part) for part in (named, data.split) if part]
    return InMemory(rows, "/".join(parts), revision, ", ".join([what, *parts]))


def _split_of(data: Any, split: str | None) -> Any:
    """A split of a dict of them; a set that is one split already, as it is."""
    if not isinstance(data, dict):
        own = getattr(data, "split", None)
        if split is not None and str(own) != split:
            raise DatasetError(
                f"this is one split already ({own or 'unnamed'}), not {split!r}; leave split out"
            )
        return data
    taken = split or (DEFAULT_SPLIT if DEFAULT_SPLIT in data or len(data) != 1 else next(iter(data)))
    if taken not in data:
        there = ", ".join(map(repr, data)) or "none"
        raise DatasetError(f"a {type(data).__name__} has no split {taken!r}; it has {there}")
    return data[taken]


@dataclass(frozen=True)
class _Wanted:
    """Columns that were asked for; None: the usual ones."""

    audio: str | None
    text: str | None

    def reader(self, names: list[str], audio: str | None = None) -> RowReader:
        where = "the dataset"
        return RowReader(
            audio=column(names, self.audio or audio, AUDIO_COLUMNS, "audio", where),
            text=column(names, self.text, MANIFEST_TEXT_COLUMNS, "reference", where),
        )


def _narrowed(data: Any, wanted: _Wanted) -> Any:
    """The set with the audio undecoded and, beside it, the columns of single values alone."""
    import datasets

    data = data.with_format(None)
    features = data.features
    if features is None:  # of a stream that says nothing of its columns, the first row will
        return data
    reader = wanted.reader(list(features), _audio_column(features))
    single = (datasets.Value, datasets.ClassLabel)
    kept = [name for name, feature in features.items() if isinstance(feature, single) or name == reader.audio]
    if reader.text not in kept:
        raise DatasetError(
            f"column {reader.text!r} holds {features[reader.text]}, no text; say which holds the reference"
        )
    data = data.select_columns(kept)
    if isinstance(features[reader.audio], datasets.Audio):
        data = data.cast_column(reader.audio, datasets.Audio(decode=False))
    return data


def _audio_column(features: Any) -> str | None:
    """The one column with the feature `Audio`; None where there are none or several."""
    import datasets

    names = [name for name, feature in features.items() if isinstance(feature, datasets.Audio)]
    return names[0] if len(names) == 1 else None


class _Rows:
    """A `Source` over a `Dataset`, of which any row is at hand."""

    def __init__(self, data: Any, wanted: _Wanted) -> None:
        self._data = data
        self._read = _Reading(data.features, wanted)

    def count(self) -> int:
        return len(self._data)

    def rows(self, wanted: frozenset[int] | None) -> Generator[Row, None, None]:
        numbers = range(len(self._data)) if wanted is None else sorted(wanted)
        picked = self._data if wanted is None else self._data.select(numbers)
        yield from self._read.rows(zip(numbers, picked, strict=False))


class _Stream:
    """A `Source` over an `IterableDataset`, whose length nobody knows before its end."""

    def __init__(self, data: Any, wanted: _Wanted) -> None:
        self._data = data
        self._read = _Reading(data.features, wanted)

    def count(self) -> int:
        raise DatasetError("a stream has no known number of rows to draw from; give limit instead of sample")

    def rows(self, wanted: frozenset[int] | None) -> Generator[Row, None, None]:
        numbered = ((n, cells) for n, cells in enumerate(self._data) if wanted is None or n in wanted)
        with closing(self._read.rows(numbered)) as rows:
            yield from rows


class _Reading:
    """Reading of cells as rows, the columns being chosen at the first one."""

    def __init__(self, features: Any, wanted: _Wanted) -> None:
        self._features = features or {}
        self._wanted = wanted

    def rows(self, numbered: Iterable[tuple[int, Any]]) -> Generator[Row, None, None]:
        reader: RowReader | None = None
        number = -1
        rows = iter(numbered)
        while True:
            try:
                found = next(rows, None)
            except Exception as error:
                raise DatasetError(
                    f"the dataset: reading broke off after row {number} ({brief(error)}); what came before "
                    "stays good"
                ) from error
            if found is None:
                return
            number, cells = found
            reader = reader or self._wanted.reader(list(cells), _audio_column(self._features))
            where = f"the dataset, row {number}"
            yield reader.row(number, key_of(number), dict(self._named(cells)), where)

    def _named(self, cells: Any) -> Iterator[tuple[str, Any]]:
        """The cells, classes by their names."""
        for name, cell in cells.items():
            to_name = getattr(self._features.get(name), "int2str", None)
            yield name, to_name(cell) if to_name is not None and isinstance(cell, int) and cell >= 0 else cell


def _digest_of_info(data: Any) -> str:
    """SHA-256 of what a stream says of itself; its rows are not known before they are read."""
    info = data.info
    known = [info.dataset_name, info.config_name, str(info.version), str(data.split), str(data.features)]
    return f"stream {hashlib.sha256(json.dumps(known).encode()).hexdigest()}"
