"""Results of a recognition: words with times, and the transcript they make up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from gigastt_lab.transcript_html import transcript_html

# Execution providers of ONNX Runtime, by short name; "auto" chooses.
ProviderName = Literal["cpu", "cuda", "tensorrt", "coreml", "openvino", "directml", "nnapi"]
Provider = Literal["auto", "cpu", "cuda", "tensorrt", "coreml", "openvino", "directml", "nnapi"]

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Int8Array = npt.NDArray[np.int8]

ResultKind = Literal["partial", "final"]
# What of a recording was not heard as its file promises: packets that could not be decoded; the end of a file
# that was cut; a time without packets; a length that is stated wrongly; several tracks; channels in opposite
# phase; a clock that jumps.
AudioWarningKind = Literal["damaged", "cut", "hole", "length", "track", "phase", "clock"]
# Why an utterance of a stream ended: the speaker paused, it grew too long, or the stream was stopped.
EndReason = Literal["silence", "limit", "stop", "flush"]


@dataclass(frozen=True)
class AudioWarning:
    """Warning of something that a file did not give as it should have.

    Attributes:
        kind: Kind, for programs.
        message: Sentence for people, with the times.
        start: Second of the recording at which it begins; None: it is of the whole file.
        end: Second at which it ends; None where that is not known.
    """

    kind: AudioWarningKind
    message: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Word:
    """One word with its punctuation attached.

    Attributes:
        text: The word as written, e.g. ``"Привет,"``; no spaces.
        start: Begin of its sound: of the first encoder frame with a token of it, in seconds from the start of
            the audio.
        end: End of its sound, in seconds: up to 80 ms behind the last frame with a token, never behind the
            next word's `start` or the end of the audio. Punctuation, which comes late, does not count.
        confidence: Mean probability of its tokens without punctuation, in [0, 1].
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

    def __add__(self, other: Timings) -> Timings:
        return Timings(
            self.decode_s + other.decode_s,
            self.features_s + other.features_s,
            self.encoder_s + other.encoder_s,
            self.search_s + other.search_s,
        )


@dataclass(frozen=True)
class Part:
    """Words that one step through a long recording adds to its transcript.

    Attributes:
        words: The next words; their times count from the start of the recording.
        done_s: Seconds of the recording that are behind, from its start.
        duration_s: Seconds of the whole recording; None where that is not known yet.
        timings: Seconds of work on this part.
        n_tokens: Tokens that the search emitted for it, those of overlaps counted twice.
        warnings: Warnings of the file that came up with it, in the order found.
        is_last: True of the part that ends the recording. Times do not tell: a header may state any length.
    """

    words: tuple[Word, ...]
    done_s: float
    duration_s: float | None
    timings: Timings = field(default_factory=Timings, compare=False)
    n_tokens: int = field(default=0, compare=False)
    warnings: tuple[AudioWarning, ...] = field(default=(), compare=False)
    is_last: bool = field(default=False, compare=False)

    @property
    def text(self) -> str:
        """The words joined by single spaces."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class Transcript:
    """The text of one piece of audio.

    Attributes:
        words: Words in the order spoken.
        duration_s: Seconds of audio that were recognised.
        timings: Seconds of work that it took.
        n_tokens: Tokens that the search emitted; None where that is not known.
        warnings: Warnings of the file, in the order found: what of it was damaged, cut or missing.
    """

    words: tuple[Word, ...]
    duration_s: float
    timings: Timings = field(default_factory=Timings, compare=False)
    n_tokens: int | None = field(default=None, compare=False)
    warnings: tuple[AudioWarning, ...] = field(default=(), compare=False)

    @property
    def text(self) -> str:
        """The words joined by single spaces."""
        return " ".join(word.text for word in self.words)

    @classmethod
    def of_parts(cls, parts: Sequence[Part]) -> Transcript:
        """The transcript of a whole recording from all its parts, in order; there is one at least."""
        return cls(
            words=tuple(word for part in parts for word in part.words),
            duration_s=parts[-1].done_s,
            timings=sum((part.timings for part in parts), Timings()),
            n_tokens=sum(part.n_tokens for part in parts),
            warnings=tuple(warning for part in parts for warning in part.warnings),
        )

    def _repr_html_(self) -> str:
        warnings = [warning.message for warning in self.warnings]
        return transcript_html(self.words, self.duration_s, warnings)


@dataclass(frozen=True)
class StreamResult:
    """Result of a stream for one of its utterances: a partial one, or the final.

    Attributes:
        kind: A partial, which may still change, or the final, the last result of each utterance.
        utterance: Number of the utterance in the stream, from 0.
        words: All words of the utterance so far; times in seconds from the start of the stream.
        stable: Length of the prefix of `text`, in characters, that the next partial will begin with; of a
            final, the whole text. The final comes from a pass of its own, and may differ anywhere.
        start: Second of the stream at which the utterance's audio begins.
        end: Second at which it ends: that of a partial, as far as it was heard.
        heard: Seconds of the stream that had to arrive for this result. Of a final this is when its end was
            decided.
        reason: Reason why the utterance ended; None in a partial.
        timings: Seconds of work on this result.
    """

    kind: ResultKind
    utterance: int
    words: tuple[Word, ...]
    stable: int
    start: float
    end: float
    heard: float
    reason: EndReason | None = None
    timings: Timings = field(default_factory=Timings, compare=False)

    @property
    def text(self) -> str:
        """The words joined by single spaces."""
        return " ".join(word.text for word in self.words)
