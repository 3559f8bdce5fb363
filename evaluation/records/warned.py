"""Warnings of an utterance's audio as record files hold them: what of it was cut, damaged or missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gigastt_lab.types import AudioWarning


class Warned(NamedTuple):
    """Warning of an utterance's audio.

    Attributes:
        kind: Kind, as of `gigastt_lab.types.AudioWarning`.
        message: Sentence for people.
        start: Second of the utterance at which it begins; None: it is of all of it.
        end: Second at which it ends; None where that is not known.
    """

    kind: str
    message: str
    start: float | None
    end: float | None


def warned(warnings: Iterable[AudioWarning]) -> tuple[Warned, ...]:
    """Warnings as a record holds them, their seconds to the millisecond, as those of its words are."""
    return tuple(
        Warned(each.kind, each.message, _rounded(each.start), _rounded(each.end)) for each in warnings
    )


def unpacked(content: Iterable[Any]) -> tuple[Warned, ...]:
    """Warnings from a record's JSON: of each a list of kind, message, start and end.

    Raises:
        TypeError, ValueError: it is none.
    """
    found = tuple(Warned(*each) for each in content)
    for each in found:
        if not (isinstance(each.kind, str) and isinstance(each.message, str)):
            raise ValueError(f"{each.kind!r} is no kind of a warning")
        for second in (each.start, each.end):
            if not (second is None or isinstance(second, int | float)):
                raise ValueError(f"{second!r} is no second of a warning")
    return found


def _rounded(second: float | None) -> float | None:
    return None if second is None else round(float(second), 3)
