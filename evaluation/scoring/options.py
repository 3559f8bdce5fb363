"""Options of a score: profile of the normaliser, and what the bootstrap draws; their defaults stand here.

Functions take an `Options` (or a `Bootstrap`) and hand it on; those that notebooks call also take single
options by keyword, which change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypedDict

from evaluation.normalize import DEFAULT_PROFILE, NORMALIZER_VERSION, Profile

Block = Literal["speaker", "session", "utterance"]
Blocks = Literal["auto", "speaker", "session", "utterance"]


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """Options of the percentile bootstrap.

    Attributes:
        n_resamples: Number of resamples; 1,000 settle the ends to a twentieth of the width or so.
        level: Confidence level, 0 to 1: the share of the resampled values that an interval encloses.
        seed: Seed of the draws; the same seed and number of utterances draw the same resamples.

    Raises:
        ValueError: an option outside its range.
    """

    n_resamples: int = 1000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_resamples < 1:
            raise ValueError(f"n_resamples is {self.n_resamples}; draw at least once")
        if not 0 < self.level < 1:
            raise ValueError(f"level is {self.level}; give a share between 0 and 1, such as 0.95")


@dataclass(frozen=True, kw_only=True)
class Options(Bootstrap):
    """Options of a score; the same for every file of a comparison or report.

    Attributes:
        profile: Profile of the normaliser.
        blocks: Kind of the units drawn; "auto" takes speakers where every record names one and there are two
            or more, else sessions likewise, else utterances.
        normalizer: Version of the normaliser's rules, one of `normalize.VERSIONS`; an older one scores as
            that version of this package did.
        compounds: True where words that only a space parts are no error: `радио пираты`, `радиопираты`.
    """

    profile: Profile = DEFAULT_PROFILE
    blocks: Blocks = "auto"
    normalizer: str = NORMALIZER_VERSION
    compounds: bool = False


BOOTSTRAP: Final = Bootstrap()
DEFAULTS: Final = Options()


class BootstrapDict(TypedDict, total=False):
    """Keywords that change a `Bootstrap`."""

    n_resamples: int
    level: float
    seed: int


class OptionsDict(BootstrapDict, total=False):
    """Keywords that change an `Options`."""

    profile: Profile
    blocks: Blocks
    normalizer: str
    compounds: bool
