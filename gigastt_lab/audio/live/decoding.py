"""Decoding of a container while it comes: mono samples at the model's rate, as soon as they can be had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.conversion import MonoConverter
from gigastt_lab.audio.live.detection import LiveContainer
from gigastt_lab.audio.live.exchange import Exchange
from gigastt_lab.audio.live.packets import packet_blocks
from gigastt_lab.audio.live.sources import Boxes, Source, skip_id3
from gigastt_lab.audio.live.wav import wav_blocks
from gigastt_lab.audio.report import Report
from gigastt_lab.audio.samples import MAX_AMPLITUDE, check_n_channels, check_sample_rate, to_float32
from gigastt_lab.errors import AudioError
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import AudioWarning, Float32Array

RATE: Final = GIGAAM_V3.sample_rate
# FFmpeg looks for the second frame, and seeks back to the first, within what it has read at once.
_MP3_BEGINNING: Final = 2_048
_PIECE_SAMPLES: Final = RATE  # a second: handed over as soon as there is one, or nothing more comes


class LiveDecoder:
    """Decoder of one container, to be run by an `Exchange`."""

    def __init__(self, container: LiveContainer, warnings: list[AudioWarning]) -> None:
        """Begin a stream.

        Args:
            container: Container that it is.
            warnings: List that takes what is damaged or missing, as it is found.
        """
        self._container = container
        self._report = Report("a live stream", warnings, strict=False)

    def run(self, exchange: Exchange[Float32Array]) -> None:
        """Decode to the end of the bytes; recordings that follow one another are one stream.

        Raises:
            AudioError: the container cannot be decoded as a stream, or has no sound.
        """
        output = _Output(exchange, self._report)
        source = Source(output)
        while head := source.read(1):
            source.unread(head)
            for block in self._blocks(source, output):
                output.add(*block)
        output.finish()
        if not output.seconds():
            raise AudioError(f"{self._container.upper()} data without a single audio sample")

    def _blocks(self, source: Source, output: _Output) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Blocks of one recording."""
        if self._container == "wav":
            return wav_blocks(source)
        if self._container == "mp3":
            skip_id3(source)
            source.unread(source.exactly(_MP3_BEGINNING))
        if self._container == "mp4":
            boxes = Boxes(source, lambda kind, loss: self._report.warn(kind, loss, output.seconds(), None))
            return packet_blocks(boxes, "mp4", output.seconds, self._report)
        return packet_blocks(source, self._container, output.seconds, self._report)


class _Output:
    """Output of a decoder, mixed and resampled; and its input, which hands all over before it waits."""

    def __init__(self, exchange: Exchange[Float32Array], report: Report) -> None:
        self._exchange = exchange
        self._report = report
        self._converter = MonoConverter(RATE)
        self._pending: list[Float32Array] = []
        self._n_pending = 0

    def seconds(self) -> float:
        """Seconds that were decoded so far."""
        return self._converter.seconds()

    def read(self, n_bytes: int) -> bytes:
        """Bytes for the decoder; what it has made so far is handed over before it waits."""
        if self._exchange.is_dry:
            self._hand_over()
        return self._exchange.read(n_bytes)

    def add(self, rate: int, samples: npt.NDArray[Any]) -> None:
        """Take samples of shape (n_channels, n_samples)."""
        check_sample_rate(rate)
        check_n_channels(samples.shape[0])
        self._put(self._converter.accept(rate, to_float32(self._repaired(rate, samples))))

    def finish(self) -> None:
        """Hand over the rest."""
        self._put(self._converter.finish())
        self._hand_over()

    def _repaired(self, rate: int, samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The samples, silence where they are none: damaged floats may be anything."""
        if samples.dtype.kind != "f":
            return samples
        is_sound = np.abs(samples) <= MAX_AMPLITUDE  # NaN is none
        if is_sound.all():
            return samples
        start_s = self.seconds()
        end_s = start_s + samples.shape[1] / rate
        told = f"samples between {start_s:.2f} and {end_s:.2f} s are no sound: silence stands for them"
        self._report.warn("damaged", told, start_s, end_s)
        return np.where(is_sound, samples, 0)

    def _put(self, samples: Float32Array) -> None:
        self._pending.append(samples)
        self._n_pending += len(samples)
        if self._n_pending >= _PIECE_SAMPLES:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._n_pending:
            piece = np.concatenate(self._pending)
            self._pending, self._n_pending = [], 0
            self._exchange.put(piece)
