"""Turns taken in rounds, so that whatever else the machine does falls on all; and their statistics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.speed_study.process import Worker, WorkerError

Step = Callable[[], object]
"""Callback after each turn, for a progress bar."""


class Turn:
    """One request to one process, again in each round.

    Attributes:
        answers: Answers, one for each round that counted, the oldest first.
        error: Reason why there is none; then it has no more turns.
    """

    def __init__(self, worker: Worker, operation: str, **details: Any) -> None:
        """Plan a request; see `worker`."""
        self.answers: list[dict[str, Any]] = []
        self.error: str | None = None
        self._worker = worker
        self._operation = operation
        self._details = details

    def take(self, *, counts: bool) -> None:
        """Ask; keep the answer where the round counts."""
        if self.error is not None or not self._worker.is_alive:
            self.error = self.error or "its process is gone"
            return
        try:
            answer = self._worker.ask(self._operation, **self._details)
            self._worker.ask("rest")  # threads that still spin would work against whoever is next
        except WorkerError as error:
            self.error = str(error)
        else:
            if counts:
                self.answers.append(answer)


def in_rounds(groups: Sequence[Sequence[Turn]], n_rounds: int, step: Step) -> None:
    """Take turns: each round all groups, each group one turn after the other; one round before warms up.

    The order in a group is drawn anew in each round, so that nobody always follows the same one.
    """
    rng = np.random.default_rng(0)
    for number in range(n_rounds + 1):
        for group in groups:
            for place in rng.permutation(len(group)):
                group[place].take(counts=number > 0)
                step()


def n_steps(groups: Sequence[Sequence[Turn]], n_rounds: int) -> int:
    """Number of times that `in_rounds` calls its `step`."""
    return (n_rounds + 1) * sum(map(len, groups))


@dataclass(frozen=True)
class Spread:
    """A value over rounds: the median, and the quartiles, between which half of the rounds lie."""

    median: float
    low: float
    high: float


UNKNOWN = Spread(math.nan, math.nan, math.nan)


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles; NaN of nothing.

    >>> spread([1.0, 2.0, 3.0, 4.0, 5.0])
    Spread(median=3.0, low=2.0, high=4.0)
    """
    if not values:
        return UNKNOWN
    low, median, high = np.quantile(np.array(values, float), [0.25, 0.5, 0.75]).tolist()
    return Spread(median, low, high)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds that one contestant took for one piece of work, round by round.

    Attributes:
        label: Label of the contestant.
        audio_s: Seconds of audio.
        wall_s: Seconds that passed, one number for each round.
        cpu_s: Seconds that its threads worked, all together, one number for each round.
        variant: Name of the way it was done, where there were several.
        n_utterances: Utterances that the audio consists of.
        n_as_alone: Utterances whose text was the same as alone; None of one at a time.
        text: Text that came of it; None where that is not text.
        error: Reason why there is nothing; None where there is.
    """

    label: str
    audio_s: float
    wall_s: tuple[float, ...] = ()
    cpu_s: tuple[float, ...] = ()
    variant: str = ""
    n_utterances: int = 1
    n_as_alone: int | None = None
    text: str | None = None
    error: str | None = None

    @property
    def n_characters(self) -> int | None:
        """Number of characters of the text; None where there is none."""
        return None if self.text is None else len(self.text)

    @property
    def rtfx(self) -> Spread:
        """Seconds of audio per second that passed."""
        return spread([self.audio_s / wall_s for wall_s in self.wall_s])

    @property
    def wall_ms(self) -> Spread:
        """Milliseconds that passed."""
        return spread([1000 * wall_s for wall_s in self.wall_s])

    @property
    def cpu_ms_per_s(self) -> Spread:
        """Milliseconds of work per second of audio, on all cores together."""
        return spread([1000 * cpu_s / self.audio_s for cpu_s in self.cpu_s])

    @property
    def wall_ms_per_s(self) -> Spread:
        """Milliseconds that passed per second of audio."""
        return spread([1000 * wall_s / self.audio_s for wall_s in self.wall_s])

    def growth_from(self, other: Timing) -> Spread:
        """Work per second of audio as a multiple of that of `other`, round by round.

        >>> short = Timing(label="", audio_s=1.0, cpu_s=(2.0,))
        >>> Timing(label="", audio_s=4.0, cpu_s=(12.0,)).growth_from(short).median
        1.5
        """
        if len(self.cpu_s) != len(other.cpu_s):
            return UNKNOWN
        longer = self.audio_s / other.audio_s
        return spread([mine / its / longer for mine, its in zip(self.cpu_s, other.cpu_s, strict=True)])

    def times_of(self, other: Timing) -> Spread:
        """Time as a multiple of that of `other`, round by round.

        >>> a, b = (Timing(label="", audio_s=1.0, wall_s=wall_s) for wall_s in ((2.0, 4.0), (1.0, 2.0)))
        >>> a.times_of(b).median
        2.0
        """
        if len(self.wall_s) != len(other.wall_s):
            return UNKNOWN
        return spread([one / its for one, its in zip(self.wall_s, other.wall_s, strict=True)])


def timing_of(turn: Turn, **what: Any) -> Timing:
    """The answers of a turn as a `Timing`; `what` names the other fields."""
    if turn.error is not None:
        return Timing(**what, error=turn.error)
    text = turn.answers[-1].get("text") if turn.answers else None
    wall_s, cpu_s = (tuple(answer[name] for answer in turn.answers) for name in ("wall_s", "cpu_s"))
    return Timing(**what, wall_s=wall_s, cpu_s=cpu_s, text=text)
