"""Options of a score from keywords, with a word for those that are another's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from evaluation.scoring.options import Options

_OF_DATASETS: Final = (
    "split",
    "limit",
    "sample",
    "audio_column",
    "text_column",
    "duplicates",
    "config",
    "revision",
    "tags",
    "strict_audio",
)


def changed(options: Options, changes: Mapping[str, Any]) -> Options:
    """Options of which some are changed.

    Raises:
        TypeError: there is no such option; of one of a dataset, how to give it.
        ValueError: an option outside its range.
    """
    names = [each.name for each in fields(Options)]
    unknown = next((name for name in changes if name not in names), None)
    if unknown in _OF_DATASETS:
        raise TypeError(
            f"{unknown} is of the dataset: give evaluation.open_dataset(..., {unknown}=...) in its place"
        )
    if unknown is not None:
        raise TypeError(f"there is no option {unknown!r}; options of a score are {', '.join(names)}")
    return replace(options, **changes)
