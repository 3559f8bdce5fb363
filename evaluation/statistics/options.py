"""Options of an interval; their defaults stand here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypedDict, get_args

Method = Literal["auto", "bootstrap", "jackknife"]


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """Options of an interval.

    Attributes:
        method: Method of the interval: "auto" takes the jackknife with Student's t below
            `intervals.FEW_UNITS` blocks with an error, and the percentile bootstrap from there on.
        n_resamples: Number of resamples of the bootstrap; 1,000 settle the ends to a twentieth of the width
            or so.
        level: Confidence level, 0 to 1: the share of such intervals that hold the true value.
        seed: Seed of the draws; the same seed and number of utterances draw the same resamples.

    Raises:
        ValueError: an option outside its range.
    """

    n_resamples: int = 1000
    level: float = 0.95
    seed: int = 0
    method: Method = "auto"

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ValueError(f"method is {self.method!r}; allowed are {', '.join(get_args(Method))}")
        if self.n_resamples < 1:
            raise ValueError(f"n_resamples is {self.n_resamples}; draw at least once")
        if not 0 < self.level < 1:
            raise ValueError(f"level is {self.level}; give a share between 0 and 1, such as 0.95")


BOOTSTRAP: Final = Bootstrap()


class BootstrapDict(TypedDict, total=False):
    """Keywords that change a `Bootstrap`."""

    n_resamples: int
    level: float
    seed: int
    method: Method
