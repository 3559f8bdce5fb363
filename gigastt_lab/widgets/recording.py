"""Recordings of a microphone, and their text so far."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import soundfile

from gigastt_lab.audio.reading import from_array
from gigastt_lab.types import Float32Array, StreamResult, Timings, Transcript
from gigastt_lab.widgets.messages import later

_FULL_SCALE = 2**15


class Recording:
    """One recording: from a press of the button to the next.

    It may be read from any thread while it grows.

    Attributes:
        sample_rate: Sample rate of its audio, in Hz.
        n_samples: Number of samples so far.
        partial: Partial result of what is being said; None between utterances.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.n_samples = 0
        self.partial: StreamResult | None = None
        self._frames: list[bytes] = []
        self._early: dict[int, bytes] = {}
        self._finals: list[StreamResult] = []
        self._timings = Timings()

    @property
    def duration_s(self) -> float:
        """Seconds of audio so far."""
        return self.n_samples / self.sample_rate

    @property
    def pcm16(self) -> npt.NDArray[np.int16]:
        """The audio as it came. Shape (n_samples,)."""
        return np.frombuffer(b"".join(self._frames), "<i2")

    @property
    def audio(self) -> Float32Array:
        """Mono samples in [-1, 1). Shape (n_samples,)."""
        audio: Float32Array = self.pcm16.astype(np.float32)
        audio /= _FULL_SCALE
        return audio

    @property
    def transcript(self) -> Transcript:
        """The finals so far; times count from the start of this recording."""
        words = tuple(word for final in tuple(self._finals) for word in final.words)
        return Transcript(words, self.duration_s, self._timings)

    @property
    def finals(self) -> tuple[StreamResult, ...]:
        """Results that will not change any more."""
        return tuple(self._finals)

    def add_audio(self, at: int, pcm16: bytes) -> bytes:
        """Take a frame that begins at sample `at`; frames may come in any order, and twice.

        Returns:
            The audio that is now complete, in order: often the frame, none while one before it is missing.
        """
        if at >= self.n_samples:
            self._early[at] = pcm16
        complete = b""
        while (frame := self._early.pop(self.n_samples, None)) is not None:
            self._frames.append(frame)
            self.n_samples += len(frame) // 2
            complete += frame
        return complete

    def add_results(self, results: Sequence[StreamResult]) -> None:
        """Take what the recogniser found next."""
        for result in results:
            self._timings += result.timings
            if result.kind == "final":
                self._finals.append(result)
                self.partial = None
            else:
                self.partial = result


def joined_audio(recordings: Sequence[Recording], sample_rate: int) -> Float32Array:
    """The audio of all recordings, one after the other, at one rate. Shape (n_samples,)."""
    parts = [from_array(each.audio, each.sample_rate, sample_rate_out=sample_rate) for each in recordings]
    return np.concatenate([np.zeros(0, np.float32), *parts])


def joined_transcript(recordings: Sequence[Recording]) -> Transcript:
    """The words of all recordings, their times counted from the start of the first."""
    transcripts = [each.transcript for each in recordings]
    starts = np.cumsum([0.0, *(each.duration_s for each in transcripts)]).tolist()
    return Transcript(
        words=tuple(
            word
            for transcript, start in zip(transcripts, starts[:-1], strict=True)
            for word in later(transcript.words, start)
        ),
        duration_s=starts[-1],
        timings=sum((each.timings for each in transcripts), Timings()),
    )


def write_wav(path: str | os.PathLike[str], audio: Float32Array, sample_rate: int) -> None:
    """Write mono samples as a WAV file of PCM16: of what came from a microphone, the very samples.

    Raises:
        OSError: the file cannot be written.
    """
    pcm16 = np.clip(np.round(audio * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
    with open(path, "wb") as file:
        soundfile.write(file, pcm16, sample_rate, format="WAV", subtype="PCM_16")
