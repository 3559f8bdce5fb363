"""Clips joined to long streams: does the work keep up for a minute, or an hour?"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from evaluation.datasets.audio import RATE, decoded, moved
from evaluation.datasets.utterances import DatasetError, Derived, Utterance, Utterances
from evaluation.stream_study.feeding import faint_noise, to_pcm16
from gigastt_lab.types import AudioWarning

PAUSE_S = 1.0


class Joined(Derived):
    """A dataset whose neighbours are joined, with pauses of a second of faint noise, to so many seconds.

    The last one may be shorter. Audio that cannot be decoded ends the reading: a stream cannot go without it.

    Attributes:
        name, revision, description, drawing: Facts of the `Dataset`, saying that it is joined.
    """

    def __init__(self, dataset: Utterances, seconds: float) -> None:
        """Wrap a dataset."""
        super().__init__(dataset)
        self._seconds = seconds
        self.name = f"{dataset.name}-joined{seconds:g}s"
        self.description = f"{dataset.description}, joined to streams of {seconds:g} s or more"
        self.drawing: dict[str, Any] = dataset.drawing | {"joined_s": seconds}

    @property
    def n_expected(self) -> int | None:
        """Number of utterances: None, not known before all are read."""
        return None

    def __iter__(self) -> Iterator[Utterance]:
        """The joined utterances.

        Raises:
            DatasetError: reading breaks off, or an utterance cannot be decoded.
        """
        parts: list[Utterance] = []
        warnings: list[AudioWarning] = []
        samples: list[np.ndarray[Any, np.dtype[np.int16]]] = []
        for utterance in self._dataset:
            found = decoded(utterance.audio)
            if found.waveform is None:
                raise DatasetError(f"{utterance.id}: {found.error}; leave it out to join the others")
            at_s = sum(map(len, samples)) / RATE
            warnings += [moved(each, at_s) for each in (*utterance.warnings, *found.warnings)]
            parts.append(utterance)
            samples += [to_pcm16(found.waveform), faint_noise(round(PAUSE_S * RATE))]
            if sum(map(len, samples)) >= self._seconds * RATE:
                yield _joined(parts, samples, warnings)
                parts, samples, warnings = [], [], []
        if parts:
            yield _joined(parts, samples, warnings)


def _joined(
    parts: Sequence[Utterance],
    samples: Sequence[np.ndarray[Any, np.dtype[np.int16]]],
    warnings: Sequence[AudioWarning],
) -> Utterance:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate(samples).tobytes())
    more = f"+{len(parts) - 1}" if len(parts) > 1 else ""
    speakers = {part.speaker for part in parts}
    return Utterance(
        id=parts[0].id + more,
        audio=content.getvalue(),
        reference=" ".join(part.reference for part in parts),
        speaker=speakers.pop() if len(speakers) == 1 else None,
        warnings=tuple(warnings),
    )
