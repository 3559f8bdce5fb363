"""When an utterance of a stream has ended: by silence after speech, told by loudness and by the model's blanks.

Positions count in hops of 10 ms and in encoder frames of 40 ms from the start of the stream, as integers: a
stream may last for days.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import BoolArray, Float32Array

HOP: Final = GIGAAM_V3.hop_length


class SpeechDetector(Protocol):
    """Tells hops that may hold speech from quiet ones. One object serves one stream.

    `EnergyDetector` is the one that needs nothing; `silero.SileroDetector` is another.
    """

    def accept(self, samples: Float32Array) -> BoolArray:
        """Take the next samples.

        The answers, joined, must not depend on how the stream is cut into chunks.

        Args:
            samples: Mono, in [-1, 1], at 16 kHz, any number. Shape (n_samples,).

        Returns:
            For every further hop of 160 samples that can be judged by now: True where it may be speech. Hops
            may come late, by as much as the detector looks ahead, but each comes once and in order.
        """
        ...
