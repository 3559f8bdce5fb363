"""What a recognition returns: words with times, and the transcript they make up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

# Execution providers of ONNX Runtime, by short name; "auto" chooses.
ProviderName = Literal["cpu", "cuda", "tensorrt", "coreml", "openvino", "directml", "nnapi"]
Provider = Literal["auto", "cpu", "cuda", "tensorrt", "coreml", "openvino", "directml", "nnapi"]

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Word:
    """One word with its punctuation attached.

    Attributes:
        text: The word as written, e.g. ``"Привет,"``; no spaces.
        start: Start of its first token's encoder frame, in seconds from the start of the audio.
        end: End of its last token's encoder frame, in seconds.
        confidence: Mean probability of its tokens, in [0, 1].
    """

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Segment:
    """A run of words that belong together: a subtitle, an utterance of a stream."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words joined by single spaces."""
        return " ".join(word.text for word in self.words)

    @property
    def start(self) -> float:
        """Start of the first word, in seconds."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """End of the last word, in seconds."""
        return self.words[-1].end


@dataclass(frozen=True)
class Timings:
    """Wall-clock seconds of work, by stage. In a batch, each utterance's share by its length."""

    decode_s: float = 0.0
    features_s: float = 0.0
    encoder_s: float = 0.0
    search_s: float = 0.0

    @property
    def total_s(self) -> float:
        """Seconds of all stages together."""
        return self.decode_s + self.features_s + self.encoder_s + self.search_s


@dataclass(frozen=True)
class Transcript:
    """The text of one piece of audio.

    Attributes:
        words: In the order spoken.
        duration_s: Seconds of audio that were recognised.
        timings: Seconds of work that it took.
        n_tokens: Tokens that the search emitted; None where that is not known.
    """

    words: tuple[Word, ...]
    duration_s: float
    timings: Timings = field(default_factory=Timings, compare=False)
    n_tokens: int | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        """The words joined by single spaces."""
        return " ".join(word.text for word in self.words)
