"""Terms in which a format of local datasets is written: what is asked for, what was opened, the format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evaluation.datasets.utterances import Source


@dataclass(frozen=True)
class Wanted:
    """Demands on a local dataset. None: none, so that the usual applies.

    Attributes:
        split: Split of a set that has several; None for "test", or the only one.
        config: Configuration of a set that has several.
        audio_column: Column with the audio.
        text_column: Column with the reference.
    """

    split: str | None = None
    config: str | None = None
    audio_column: str | None = None
    text_column: str | None = None


@dataclass(frozen=True)
class Opened:
    """A local dataset that was opened.

    Attributes:
        source: Rows.
        revision: Digest of what a run depends on: texts, times, names and sizes of the audio files.
        split: Split that was opened; None where the set has no splits, or one. A part of the ids.
        config: Configuration that was opened; None where the set has none.
        is_only_config: True where the set has no other one; else it is a part of the ids, too.
        only_split: The one split of a set that has no other; no part of the ids.
    """

    source: Source
    revision: str
    split: str | None = None
    config: str | None = None
    is_only_config: bool = False
    only_split: str | None = None


@dataclass(frozen=True)
class Format:
    """A format of local datasets.

    Attributes:
        name: What it is called, for messages.
        recognises: True of a path, which exists, that is of this format.
        read: Opens it, as far as that goes without reading audio. Raises `DatasetError`.
    """

    name: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, Wanted], Opened]
