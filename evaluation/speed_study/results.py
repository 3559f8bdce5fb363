"""Plan and results of a measurement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from evaluation.speed_study.limit import Limit
from evaluation.speed_study.memory import Footprint, Start, footprints
from evaluation.speed_study.rounds import UNKNOWN, Spread, Timing
from evaluation.speed_study.sections import OURS, PLAIN
from evaluation.systems.timed import Also, Contestant

SectionName = Literal["end-to-end", "batch", "encoder", "memory", "stages", "growth", "limit"]
SECTION_NAMES: Final[tuple[SectionName, ...]] = get_args(SectionName)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Plan of a measurement.

    Attributes:
        model: Name of the model.
        directory: Directory of the model, if not the usual one.
        threads: Threads of those that can be told; None: as many as `runtime.cores.default_threads` says.
        n_rounds: Rounds that count, of files, encoder and stages; half as many of batches and growth.
        lengths_s: Lengths in seconds of the clips that are taken one at a time.
        sections: Names of the sections to measure.
        with_peers: True to measure peers, too.
        also: More directories for the engine.
        gigastt_preload: Library to preload for gigastt's wheel, see `systems.timed.Conditions`.
        growth_s: Lengths in seconds over which the work per second of audio is followed.
        encoder_s: Lengths in seconds for the encoder alone.
        batch_sizes: Utterances at once, at most `clips.N_MIXED`.
    """

    model: str = "demo"
    directory: str | None = None
    threads: int | None = None
    n_rounds: int = 7
    lengths_s: Sequence[float] = (4.0, 16.0, 60.0)
    sections: Sequence[SectionName] = SECTION_NAMES
    with_peers: bool = True
    also: Sequence[Also] = ()
    gigastt_preload: str | None = None
    growth_s: Sequence[float] = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0)
    encoder_s: Sequence[float] = (4.0, 16.0, 30.0)
    batch_sizes: Sequence[int] = (1, 2, 4, 8, 16)

    @property
    def n_fewer_rounds(self) -> int:
        """Rounds that count of batches and growth, which are long."""
        return math.ceil(self.n_rounds / 2)


@dataclass(frozen=True)
class Entry:
    """Contestant that took part, or could not.

    Attributes:
        contestant: The contestant.
        version: Version of its package; "" where that is not known.
        error: Reason why it could not take part; None if it did.
    """

    contestant: Contestant
    version: str = ""
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """Results of a measurement; a section that was not asked for is empty.

    Attributes:
        plan: Plan that was asked for.
        threads: Threads of those that can be told.
        entries: Contestants, those that could not take part among them.
        load_average: Load of the machine, before and after: processes that ran or waited, over a minute.
        end_to_end, growth, batch, encoder, stages: Timings of the sections.
        starts: Fresh processes.
        limits: Limits of the machine, one for each length.
        limit_error: Reason why there is no limit; None where there is one.
    """

    plan: Plan
    threads: int
    entries: Sequence[Entry]
    load_average: tuple[float, float]
    end_to_end: Sequence[Timing] = ()
    growth: Sequence[Timing] = ()
    batch: Sequence[Timing] = ()
    encoder: Sequence[Timing] = ()
    stages: Sequence[Timing] = ()
    starts: Sequence[Start] = ()
    limits: Sequence[Limit] = ()
    limit_error: str | None = None

    @property
    def footprints(self) -> list[Footprint]:
        """Start-up and memory of each contestant, from its fresh processes."""
        return list(footprints(self.starts))

    def times_ours(self, timing: Timing, timings: Sequence[Timing]) -> Spread:
        """Time as a multiple of the engine's, round by round; NaN of the engine's own.

        The engine's is the one with the same precision, or with the same graph where it is a plain graph.
        """
        if timing.label.startswith(PLAIN):
            ours = timing.label.replace(PLAIN, OURS, 1)
        else:
            ours = f"{OURS}{self._contestant(timing.label).precision.upper()}"
        other = next((each for each in timings if each.label == ours and is_same_work(each, timing)), None)
        return UNKNOWN if other is None or other is timing else timing.times_of(other)

    def limit_rtfx(self, timing: Timing) -> float:
        """RTFx that the machine's rate allows for this length and precision; NaN where not measured."""
        precision = self._contestant(timing.label.replace(PLAIN, OURS, 1)).precision
        return next((one.rtfx(precision) for one in self.limits if one.audio_s == timing.audio_s), math.nan)

    def share_of_limit(self, timing: Timing) -> float:
        """Share of the limit that a timing reached, at the median."""
        return timing.rtfx.median / self.limit_rtfx(timing)

    def _contestant(self, label: str) -> Contestant:
        return next(entry.contestant for entry in self.entries if entry.contestant.label == label)


def is_same_work(a: Timing, b: Timing) -> bool:
    """True if two timings are of the same audio in the same manner."""
    return (a.audio_s, a.variant, a.n_utterances) == (b.audio_s, b.variant, b.n_utterances)
