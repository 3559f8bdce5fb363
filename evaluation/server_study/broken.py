"""Files that were cut or are damaged, and what an answer has to say of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_CUT: Final = frozenset({"cut"})
_DAMAGED: Final = frozenset({"damaged"})
_HOLE: Final = frozenset({"hole"})
_CUT_AT: Final = 0.55
_N_DAMAGED_BYTES: Final = 600
# An MP4 that was cut has no index; a WAV has nothing by which damage could be told from sound.
_CAN_BE_CUT: Final = ("wav", "flac", "mp3", "ogg", "webm")
# Pages of an Ogg that are damaged are dropped by what reads it, and so missing.
_CAN_BE_DAMAGED: Final = {"flac": _DAMAGED, "mp3": _DAMAGED, "m4a": _DAMAGED, "ogg": _HOLE, "webm": _DAMAGED}


@dataclass(frozen=True)
class Broken:
    """A file that is not whole.

    Attributes:
        name: Name in messages.
        content: Bytes.
        kinds: Kinds of the warnings that its answer may have; one at least it has to have.
    """

    name: str
    content: bytes = field(repr=False)
    kinds: frozenset[str]

    @property
    def can_be_refused(self) -> bool:
        """True if `strict` refuses it: it reads what has holes."""
        return self.kinds != _HOLE


def broken_files(files: Mapping[str, bytes]) -> tuple[Broken, ...]:
    """Each file cut, and each damaged in the middle, as far as that can be told of its container."""
    noise = random.Random(0).randbytes(_N_DAMAGED_BYTES)
    cut = [
        Broken(f"cut {name}", files[name][: round(_CUT_AT * len(files[name]))], _CUT) for name in _CAN_BE_CUT
    ]
    damaged = [
        Broken(f"damaged {name}", _overwritten(files[name], noise), kinds)
        for name, kinds in _CAN_BE_DAMAGED.items()
    ]
    return (*cut, *damaged)


def _overwritten(content: bytes, noise: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + noise + content[middle + len(noise) :]
