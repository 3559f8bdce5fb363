"""Report of what a file did not give as it should have: warnings, in bounded number, or a refusal."""

from __future__ import annotations

import copy
import logging
from collections import Counter, defaultdict
from typing import Final

from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning, AudioWarningKind

logger = logging.getLogger(__name__)

# A recording with thousands of lost packets gets no thousands of warnings.
MAX_OF_A_KIND: Final = 20
_REFUSED: Final[frozenset[AudioWarningKind]] = frozenset({"cut", "damaged"})


class EveryWarning(list[AudioWarning]):
    """List of warnings that takes every place, and no sum of those beyond the first of a kind."""


class Report:
    """Report of one file.

    Attributes:
        strict: True refuses a file that was cut or is damaged.
    """

    def __init__(self, name: str, warnings: list[AudioWarning] | None, *, strict: bool) -> None:
        """Begin without a warning.

        Args:
            name: Name of the file, for the log.
            warnings: List that takes the warnings as they come: the first of each kind and a sum of the
                rest, or all if it is an `EveryWarning`.
            strict: True refuses a file that was cut or is damaged.
        """
        self.strict = strict
        self._name = name
        self._warnings = warnings
        self._offset_s = 0.0
        self._counts: Counter[AudioWarningKind] = Counter()
        self._seconds: defaultdict[AudioWarningKind, float] = defaultdict(float)

    def behind(self, seconds: float) -> Report:
        """The same report for a recording that is joined behind `seconds` of others: times are moved on."""
        other = copy.copy(self)  # counts and lists are shared
        other._offset_s = self._offset_s + seconds
        return other

    def warn(
        self, kind: AudioWarningKind, message: str, start: float | None = None, end: float | None = None
    ) -> None:
        """Take a warning: into the list and the log.

        Raises:
            AudioError: it is of a loss, and the report is strict.
        """
        if kind in _REFUSED:
            self.refuse_if_strict(message)
        if self._offset_s:
            message = f"in what is joined behind {self._offset_s:.2f} s, {message}"
            start, end = (None if at is None else at + self._offset_s for at in (start, end))
        self._counts[kind] += 1
        if start is not None and end is not None:
            self._seconds[kind] += end - start
        if self._counts[kind] <= MAX_OF_A_KIND:
            self._take(AudioWarning(kind, message, start, end))
        elif isinstance(self._warnings, EveryWarning):
            self._warnings.append(AudioWarning(kind, message, start, end))

    def refuse_if_strict(self, loss: str) -> None:
        """Raise `AudioError` for a loss, if the report is strict."""
        if self.strict:
            raise AudioError(f"{loss}. Send the file whole, or leave out `strict` to read what is there")

    def close(self) -> None:
        """Say how many warnings were held back; the file has ended."""
        for kind, n_warnings in self._counts.items():
            more = n_warnings - MAX_OF_A_KIND
            if more > 0:
                message = f"so are {more} further places, {self._seconds[kind]:.2f} s with those above"
                warning = AudioWarning(kind, message)
                if isinstance(self._warnings, EveryWarning):
                    self._log(warning)
                else:
                    self._take(warning)

    def _take(self, warning: AudioWarning) -> None:
        self._log(warning)
        if self._warnings is not None:
            self._warnings.append(warning)

    def _log(self, warning: AudioWarning) -> None:
        logger.warning("%s: %s", self._name, warning.message)
