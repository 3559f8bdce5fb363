"""Audio of an utterance: decoded to samples, encoded as WAV, and where its speech begins and ends."""

from __future__ import annotations

import io
import time
import wave
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from evaluation.datasets.pieces import Piece, cut
from gigastt_lab.audio.reading import decode_audio, stated_duration_s
from gigastt_lab.errors import AudioError, brief
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import AudioWarning, Float32Array

Audio = Path | bytes

RATE: Final = GIGAAM_V3.sample_rate
_FRAME: Final = RATE // 100
_BELOW_PEAK_DB: Final = 30.0
_ABOVE_FLOOR_DB: Final = 6.0
_FLOOR_BELOW_PEAK_DB: Final = 12.0
_SILENT_DBFS: Final = -60.0
_SHORTEST_FRAMES: Final = 3


@dataclass(frozen=True)
class Decoded:
    """The samples of an utterance.

    Attributes:
        waveform: Mono, at 16 kHz, shape (n_samples,); None where the file cannot be decoded.
        decode_s: Seconds of work that decoding took.
        error: Why the file cannot be decoded; None where it can.
        warnings: Warnings of what of it was cut, damaged or missing, in times of the utterance.
    """

    waveform: Float32Array | None = field(repr=False)
    decode_s: float
    error: str | None = None
    warnings: tuple[AudioWarning, ...] = ()

    @property
    def audio_s(self) -> float | None:
        """Seconds of audio."""
        return None if self.waveform is None else len(self.waveform) / GIGAAM_V3.sample_rate


def decoded(audio: Audio | Piece) -> Decoded:
    """The samples of one utterance, of any length, or what is wrong with it."""
    started = time.perf_counter()
    waveform, error = None, None
    found: list[AudioWarning] = []
    try:
        waveform = cut(audio, found) if isinstance(audio, Piece) else decode_audio(audio, warnings=found)
    except (AudioError, MemoryError) as failure:
        error = brief(failure)
    return Decoded(waveform, time.perf_counter() - started, error, tuple(found))


def moved(warning: AudioWarning, by_s: float) -> AudioWarning:
    """Warning of audio that begins so many seconds into a longer one, in times of that."""
    start, end = (None if at_s is None else at_s + by_s for at_s in (warning.start, warning.end))
    return replace(warning, message=f"in times of its clip, {warning.message}", start=start, end=end)


def content(audio: Audio | Piece, warnings: list[AudioWarning] | None = None) -> Audio:
    """Audio as a system takes it: a file, or the content of one; a piece is cut out and becomes a WAV file.

    A piece that is all of its recording, by the recording's own word, stays that file.

    Args:
        audio: File, content of one, or piece.
        warnings: List that takes warnings of a piece that was cut out (`pieces.cut`): the WAV file that it
            becomes shows none. What stays a file, its reader warns of.

    Raises:
        AudioError: the recording of a piece cannot be read, or ends before the piece begins.
    """
    if not isinstance(audio, Piece):
        return audio
    stated_s = None if audio.start_s or audio.end_s is None else stated_duration_s(audio.path)
    is_whole = audio.start_s == 0 and audio.end_s is None
    if is_whole or (stated_s is not None and audio.end_s is not None and stated_s <= audio.end_s + 1 / RATE):
        return audio.path
    return as_wav(cut(audio, warnings))


def as_wav(waveform: Float32Array) -> bytes:
    """A WAV file of mono samples in [-1, 1] at 16 kHz."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(GIGAAM_V3.sample_rate)
        file.writeframes(np.clip(waveform * 32768, -32768, 32767).astype("<i2").tobytes())
    return content.getvalue()


def speech_bounds(waveform: Float32Array) -> tuple[float, float] | None:
    """Onset and end of speech, by loudness, where a dataset has no word times.

    Of the level (root mean square) of each 10 ms: speech begins with the first three in a row that are loud,
    and ends with the last three. Loud is what lies at most 30 dB below the loudest; in noise, 6 dB above the
    noise floor, which is the level that a tenth of the clip stays below; at most 12 dB below the loudest.
    Good to some tens of milliseconds: a soft consonant at either end is lost, a breath or a bang is not.

    Args:
        waveform: Mono, in [-1, 1], at 16 kHz. Shape (n_samples,).

    Returns:
        Both in seconds; None where nothing reaches -60 dB of full scale.
    """
    n_frames = len(waveform) // _FRAME
    if n_frames < _SHORTEST_FRAMES:
        return None
    frames = waveform[: n_frames * _FRAME].reshape(n_frames, _FRAME).astype(np.float64)
    levels = 10 * np.log10(np.maximum((frames**2).mean(axis=1), 1e-12))
    peak, floor = levels.max(), np.quantile(levels, 0.1)
    if peak < _SILENT_DBFS:
        return None
    threshold = max(peak - _BELOW_PEAK_DB, floor + _ABOVE_FLOOR_DB)
    loud = levels >= min(threshold, peak - _FLOOR_BELOW_PEAK_DB)
    in_a_row = np.convolve(loud, np.ones(_SHORTEST_FRAMES, int), "valid") == _SHORTEST_FRAMES
    starts = np.flatnonzero(in_a_row)
    if not len(starts):
        return None
    return float(starts[0] * _FRAME / RATE), float((starts[-1] + _SHORTEST_FRAMES) * _FRAME / RATE)
