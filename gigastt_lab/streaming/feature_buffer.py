"""Buffer of the features of a stream, from the oldest that are still needed to the newest."""

from __future__ import annotations

import numpy as np

from gigastt_lab.types import Float32Array


class FeatureBuffer:
    """Buffer of frames under their numbers in the stream; memory follows what is kept, not what has passed.

    Attributes:
        start: Number of the first frame that is kept.
        end: Number of the frame after the last.
    """

    def __init__(self, n_mels: int) -> None:
        self.start = 0
        self.end = 0
        self._frames = np.empty((n_mels, 512), np.float32)
        self._first = 0  # where frame `start` lies in `_frames`

    def append(self, features: Float32Array) -> None:
        """Add the next frames, shape (n_mels, n_frames)."""
        n_kept, n_new = self.end - self.start, features.shape[1]
        if self._first + n_kept + n_new > self._frames.shape[1]:
            kept = self._frames[:, self._first : self._first + n_kept]
            # Twice what is needed, so that moving costs little for each frame.
            roomy = np.empty((len(self._frames), 2 * (n_kept + n_new)), np.float32)
            roomy[:, :n_kept] = kept
            self._frames, self._first = roomy, 0
        at = self._first + n_kept
        self._frames[:, at : at + n_new] = features
        self.end += n_new

    def drop_before(self, frame: int) -> None:
        """Forget the frames before this one."""
        frame = min(max(frame, self.start), self.end)
        self._first += frame - self.start
        self.start = frame

    def between(self, start: int, end: int) -> Float32Array:
        """Frames `start` to `end`, shape (n_mels, end - start); a copy."""
        if not self.start <= start <= end <= self.end:
            raise IndexError(f"frames {start} to {end} were asked for; kept are {self.start} to {self.end}")
        at = self._first - self.start
        return np.ascontiguousarray(self._frames[:, at + start : at + end])
