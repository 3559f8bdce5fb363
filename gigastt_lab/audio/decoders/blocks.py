"""Blocks of samples, as decoders give them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK_SAMPLES: Final = 65_536  # of all channels together: 256 KiB, large enough to hide the cost of a call


class Block(NamedTuple):
    """Block of samples and their rate, in Hz. Shape (n_channels, n_samples)."""

    sample_rate: int
    samples: npt.NDArray[Any]

    @property
    def format(self) -> tuple[int, int, str]:
        """Rate in Hz, number of channels, and type of the samples."""
        return self.sample_rate, self.samples.shape[0], self.samples.dtype.str


def silence(block: Block, n_samples: int) -> Iterator[Block]:
    """Blocks of silence of a block's format, together of `n_samples` samples."""
    n_channels, dtype = block.samples.shape[0], block.samples.dtype
    zero = 128 if dtype == np.uint8 else 0
    longest = max(1, BLOCK_SAMPLES // n_channels)
    for start in range(0, n_samples, longest):
        shape = (n_channels, min(longest, n_samples - start))
        yield Block(block.sample_rate, np.full(shape, zero, dtype))


def merged(blocks: Iterator[Block]) -> Generator[Block, None, None]:
    """Blocks that are worth a call, joined from the 20 ms frames of a codec."""
    pending: list[Block] = []
    n_samples = 0
    for block in blocks:
        if pending and (n_samples >= BLOCK_SAMPLES or block.format != pending[0].format):
            yield _joined(pending)
            pending, n_samples = [], 0
        if block.samples.size:
            pending.append(block)
            n_samples += block.samples.size
    if pending:
        yield _joined(pending)


def _joined(blocks: list[Block]) -> Block:
    return Block(blocks[0].sample_rate, np.concatenate([block.samples for block in blocks], axis=1))
