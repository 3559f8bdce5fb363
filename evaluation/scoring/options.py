"""Options of a score: profile of the normaliser, and what intervals rest on; their defaults stand here.

Functions take an `Options` (or a `Bootstrap`) and hand it on; those that notebooks call also take single
options by keyword, which change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from evaluation.normalize import DEFAULT_PROFILE, NORMALIZER_VERSION, Profile
from evaluation.statistics.options import BOOTSTRAP, Bootstrap, BootstrapDict, Method

__all__ = [
    "BOOTSTRAP",
    "DEFAULTS",
    "Block",
    "Blocks",
    "Bootstrap",
    "BootstrapDict",
    "Method",
    "Options",
    "OptionsDict",
]

Block = Literal["speaker", "session", "utterance"]
Blocks = Literal["auto", "speaker", "session", "utterance"]


@dataclass(frozen=True, kw_only=True)
class Options(Bootstrap):
    """Options of a score; the same for every file of a comparison or report.

    Attributes:
        profile: Profile of the normaliser.
        blocks: Kind of the units drawn; "auto" takes speakers where records name two or more, else sessions
            likewise, else utterances.
        normalizer: Version of the normaliser's rules, one of `normalize.VERSIONS`; an older one scores as
            that version of this package did.
        compounds: True where words that only a space parts are no error: `радио пираты`, `радиопираты`.
    """

    profile: Profile = DEFAULT_PROFILE
    blocks: Blocks = "auto"
    normalizer: str = NORMALIZER_VERSION
    compounds: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.blocks not in get_args(Blocks):
            raise ValueError(f"blocks is {self.blocks!r}; allowed are {', '.join(get_args(Blocks))}")


DEFAULTS: Final = Options()


class OptionsDict(BootstrapDict, total=False):
    """Keywords that change an `Options`."""

    profile: Profile
    blocks: Blocks
    normalizer: str
    compounds: bool
