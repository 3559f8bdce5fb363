"""Streams of parquet files by `datasets`: of the Hub or of a folder, with the columns that are needed.

`datasets` ships no types, and what goes wrong in it has no common class: errors of httpx (or requests),
fsspec, huggingface_hub, pyarrow and yaml come through as they are. So `Any` and `Exception`, here and in
`datasets.parquet`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from evaluation.datasets.parquet import StreamSource, footer
from evaluation.datasets.rows import (
    AUDIO_COLUMNS,
    DURATION_COLUMNS,
    SESSION_COLUMNS,
    SPEAKER_COLUMNS,
    TEXT_COLUMNS,
    column,
)
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import brief

# Bytes of a cell, on average over a file, up to which a column beyond the needed ones is read: a name, a
# place, a device, not an embedding or an article.
_SMALL_CELL_BYTES: Final = 256


@dataclass(frozen=True)
class Origin:
    """A set that is streamed: its name, for messages, and its columns; None for one of the usual names."""

    name: str
    audio_column: str | None = None
    text_column: str | None = None


def builder_of(name: str, path: str, /, **options: Any) -> Any:
    """Builder of `datasets` for a set.

    Args:
        name: What the set is called in messages.
        path: What `datasets.load_dataset_builder` takes: a repository, a folder, or "parquet".
        **options: Its further options.

    Raises:
        DatasetError: it cannot be opened.
    """
    try:
        import datasets

        # Its cache holds nothing that streaming needs, only locks; and sets of any revision, to which it
        # would turn without a word where the Hub does not answer.
        with tempfile.TemporaryDirectory() as empty:
            return datasets.load_dataset_builder(path, cache_dir=empty, **options)
    except Exception as error:
        raise DatasetError(
            f"{name} cannot be opened ({brief(error)}); check its name and revision, the "
            "network, and, where it is gated or private, your access"
        ) from error


def stream_of(builder: Any, origin: Origin, split: str) -> StreamSource:
    """Rows of a split, of the columns that are needed.

    Raises:
        DatasetError: there is no such split or column, or it is not one split of parquet files.
    """
    where = f"{origin.name}, split {split!r}"
    try:
        return _stream_of(builder, origin, split, where)
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(
            f"{where} cannot be opened ({brief(error)}); check the split and the network"
        ) from error


def _stream_of(builder: Any, origin: Origin, split: str, where: str) -> StreamSource:
    """Source over the stream of `datasets.load_dataset(streaming=True)`, audio undecoded."""
    import datasets

    stream = builder.as_streaming_dataset(split)
    names = stream.column_names or []
    if split not in builder.config.data_files or not hasattr(builder.config, "columns"):
        raise DatasetError(
            f"{where} is not one split of parquet files. Of loose audio files, `datasets` reads nothing "
            "without decoding it: try the Hub's own conversion, revision 'refs/convert/parquet'"
        )
    audio = column(names, origin.audio_column, AUDIO_COLUMNS, "audio", where)
    text = column(names, origin.text_column, TEXT_COLUMNS, "reference", where)
    files = [str(file) for file in builder.config.data_files[split]]
    further = _small_columns(stream.features or {}, files[0]) if files else set()
    needed = {audio, text, *SPEAKER_COLUMNS, *SESSION_COLUMNS, *DURATION_COLUMNS, *further}
    builder.config.columns = [name for name in names if name in needed]  # the others stay where they are
    stream = builder.as_streaming_dataset(split)
    if isinstance((stream.features or {}).get(audio), datasets.Audio):
        stream = stream.cast_column(audio, datasets.Audio(decode=False))
    labels = {
        name: feature.names
        for name, feature in (stream.features or {}).items()
        if name in further and isinstance(feature, datasets.ClassLabel)
    }
    return StreamSource(stream, files, where=where, audio=audio, text=text, labels=labels)


def _small_columns(features: Any, file: str) -> Collection[str]:
    """Columns of plain values that are small in a file."""
    import datasets

    plain = {
        name
        for name, feature in features.items()
        if isinstance(feature, datasets.Value | datasets.ClassLabel)
    }
    metadata = footer(file)
    n_bytes = dict.fromkeys(plain, 0)
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        for position in range(group.num_columns):
            chunk = group.column(position)
            if chunk.path_in_schema in n_bytes:
                n_bytes[chunk.path_in_schema] += chunk.total_uncompressed_size
    return {name for name in plain if n_bytes[name] <= _SMALL_CELL_BYTES * max(metadata.num_rows, 1)}
