"""Input of a stream on its way to the recogniser: bytes to samples, features, and quiet frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.reading import Pcm16Framer, StreamResampler
from gigastt_lab.audio.samples import to_float32
from gigastt_lab.audio.vad import SpeechDetector
from gigastt_lab.errors import AudioError
from gigastt_lab.recognition.features import LogMelStream
from gigastt_lab.spec import AcousticSpec
from gigastt_lab.streaming.feature_buffer import FeatureBuffer
from gigastt_lab.types import Float32Array

# Samples worked on at once: a whole file in one call takes no more memory than a microphone.
_BLOCK_SAMPLES = 16_000


class StreamInput:
    """Input of one stream: audio in any pieces to features and, for each encoder frame, may it be speech.

    Attributes:
        features: Features that are still needed, under their numbers in the stream.
        n_samples: Samples so far, at the model's rate. A whole number: exact for as long as anyone talks.
    """

    def __init__(self, sample_rate: int, spec: AcousticSpec, detector: SpeechDetector) -> None:
        """Begin a stream.

        Raises:
            AudioError: a sample rate that cannot be.
        """
        self.features = FeatureBuffer(spec.n_mels)
        self.n_samples = 0
        self._spec = spec
        self._framer = Pcm16Framer()
        self._resampler = StreamResampler(sample_rate, spec.sample_rate)
        self._log_mel = LogMelStream(spec)
        self._detector = detector
        self._hops: list[bool] = []  # judged, and not given yet
        self._n_given = 0  # encoder frames

    def blocks(self, audio: bytes | bytearray | memoryview | npt.NDArray[Any]) -> Iterator[Float32Array]:
        """Audio in blocks of samples at the model's rate, for `take`.

        Args:
            audio: Audio as `StreamingSession.accept` takes it.

        Raises:
            AudioError: an array of another shape or type, NaN or infinity; before anything of it was taken.
        """
        samples = _mono(audio) if isinstance(audio, np.ndarray) else self._framer.accept(audio)
        starts = range(0, len(samples), _BLOCK_SAMPLES)
        return (self._resampler.accept(samples[at : at + _BLOCK_SAMPLES]) for at in starts)

    def rest(self) -> Float32Array:
        """The samples that the resampler still held, at the end of the stream."""
        return self._resampler.finish()

    def take(self, block: Float32Array) -> list[bool]:
        """Take samples at the model's rate: True for each encoder frame that they complete and may be speech.

        A frame is complete when its features are and the detector has judged its hops.
        """
        self.n_samples += len(block)
        self.features.append(self._log_mel.accept(block))
        self._hops += self._detector.accept(block).tolist()
        scale = self._spec.subsampling
        n_new = min(self.features.end // scale - self._n_given, len(self._hops) // scale)
        frames = [any(self._hops[scale * at : scale * (at + 1)]) for at in range(n_new)]
        del self._hops[: scale * n_new]
        self._n_given += n_new
        return frames

    def is_muted_from(self, frame: int) -> bool:
        """True if all from this encoder frame on is digital silence, in which a model hears nothing."""
        first = max(self.features.start, self._spec.subsampling * frame)
        unheard = self.features.between(first, max(first, self.features.end))
        return not np.any(unheard > math.log(self._spec.log_floor) + 1e-3)

    def heard_by(self, position: int) -> float:
        """Seconds of the stream that had to arrive before encoder frame `position` - 1 was complete."""
        spec = self._spec
        needed = (spec.subsampling * position - 1) * spec.hop_length + spec.win_length
        return min(needed, self.n_samples) / spec.sample_rate


def _mono(samples: npt.NDArray[Any]) -> Float32Array:
    if samples.ndim != 1:
        raise AudioError(
            f"an array of shape {samples.shape}; a stream takes mono samples, shape (n_samples,)"
        )
    return to_float32(samples)  # all of it is checked before any of it is taken
