"""Integer ranges of INT8 weights; one of them is exact on every processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class WeightRange:
    """Range of the integers that weights may become.

    Attributes:
        largest: Largest absolute value of a weight.
        largest_pair: Largest absolute value of the sum of a pair: rows 2i and 2i + 1 of one column.
    """

    largest: int
    largest_pair: int


# -128 is left out, so that zero is exact and the sign costs nothing.
EIGHT_BITS: Final = WeightRange(127, 2 * 127)


SEVEN_BITS: Final = WeightRange(64, 2 * 64)


# Eight bits with exact sums on every processor. Without VNNI, x86 kernels multiply a pair of weights by two
# unsigned bytes and add the products in 16 bits (`vpmaddubsw`): 255 * 128 = 32,640 still fits. Few pairs are
# larger, and what these lose, the rows after them make good (docs/quantization.md).
EXACT: Final = WeightRange(127, 128)
