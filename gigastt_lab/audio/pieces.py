"""Pieces of long recordings: where they are, and their samples, cut while the recording is decoded once.

A recording is never held as a whole, and never begun again for a piece that lies behind the one before: each
of the last few recordings keeps a `_Cursor`, the place that decoding has come to. Of a WAV at 16 kHz, pieces
are found by their place, in any order. Samples are counted at 16 kHz, so that a piece is what cutting the
decoded recording gives, to the sample. What of the recording was cut, damaged or missing is told of the
pieces that it falls into, in their own times.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from gigastt_lab.audio.containers.wav import wav_layout
from gigastt_lab.audio.decoders.libsndfile import warn_of_length
from gigastt_lab.audio.reading import audio_blocks, part_by_place
from gigastt_lab.audio.report import EveryWarning, Report
from gigastt_lab.errors import AudioError
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import AudioWarning, AudioWarningKind, Float32Array

_RATE: Final = GIGAAM_V3.sample_rate
_N_CURSORS: Final = 8  # that are open at once, each with a block or two of samples, and the last piece
_LEAST_S: Final = 0.001  # what is shorter comes of rounding
_OF_ALL: Final[tuple[AudioWarningKind, ...]] = ("phase", "length")


@dataclass(frozen=True)
class Piece:
    """Part of a recording.

    Attributes:
        path: Path of the recording's file.
        start_s: Second at which the piece begins, 0 or more.
        end_s: Second at which it ends, above `start_s`; None: with the recording.
    """

    path: Path
    start_s: float
    end_s: float | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds of the piece; None where it goes to the recording's end."""
        return None if self.end_s is None else self.end_s - self.start_s


def cut(piece: Piece, warnings: list[AudioWarning] | None = None) -> Float32Array:
    """Samples of a piece: mono, in [-1, 1], at 16 kHz, shape (n_samples,); up to the recording's end at most.

    Args:
        piece: Piece of a recording.
        warnings: List that takes warnings of what of the piece was cut, damaged or missing in the recording;
            their times count from the piece's start.

    Raises:
        AudioError: the recording cannot be read, or ends before the piece begins.
    """
    start = round(piece.start_s * _RATE)
    end = None if piece.end_s is None else round(piece.end_s * _RATE)
    if end is not None and end <= start:
        raise AudioError(
            f"{str(piece.path)!r}: the piece from {piece.start_s:g} to {piece.end_s:g} s holds no sample at "
            f"{_RATE} Hz; mend its times"
        )
    samples, n_samples, found = _part(piece.path, start, end)
    if not len(samples):
        told = next((each.message for each in found if each.kind == "cut"), "")
        hint = told or (
            "If each file holds its piece alone, the column of its start in the recording needs a name that "
            "is no usual one for a start"
        )
        raise AudioError(
            f"{str(piece.path)!r}: the piece begins at {piece.start_s:g} s, and the recording ends at "
            f"{n_samples / _RATE:.3f} s{': ' if told else '. '}{hint}"
        )
    if warnings is not None:
        warnings += within(found, piece.start_s, piece.end_s)
    return samples


def within(
    warnings: Sequence[AudioWarning], start_s: float, end_s: float | None = None
) -> Iterator[AudioWarning]:
    """Those warnings of a recording that are of a stretch of it, their times from the stretch's start.

    What shows only when all of a recording was read, and costs nothing (`phase`, `length`), is left out.

    Args:
        warnings: Warnings of the recording, as far as it was decoded: beyond the stretch's end at least.
        start_s: Second of the recording at which the stretch begins.
        end_s: Second at which it ends; None: with the recording.
    """
    ends_s = math.inf if end_s is None else end_s
    for each in warnings:
        if each.kind in _OF_ALL:
            continue
        if each.start is None:
            if each.kind == "track":  # of the whole file; others without a time are sums over it
                yield each
        elif (moved := _moved(each, each.start, start_s, ends_s)) is not None:
            yield moved


def _moved(each: AudioWarning, at_s: float, start_s: float, ends_s: float) -> AudioWarning | None:
    """Warning of a place at `at_s` as one of a stretch; None where the place is not in it."""
    first, last = max(at_s, start_s), min(_end_of(each), ends_s)
    is_point = last == at_s
    if last - first <= _LEAST_S and not (is_point and start_s <= at_s < ends_s):
        return None
    end = None if is_point or math.isinf(last) else last - start_s
    message = f"in times of the recording, {each.message}"
    return replace(each, message=message, start=first - start_s, end=end)


def _end_of(warning: AudioWarning) -> float:
    """Second at which what is warned of ends: the file's end, infinite, of what has none but a place."""
    assert warning.start is not None
    if warning.end is not None:
        return warning.end
    return math.inf if warning.kind in {"cut", "damaged"} else warning.start


def _part(path: Path, start: int, end: int | None) -> tuple[Float32Array, int, Sequence[AudioWarning]]:
    """Samples from `start` to `end`, how many there are at least, and the recording's warnings so far."""
    by_place = part_by_place(path, start, end)
    if by_place is None:
        return _CURSORS.samples(path, start, end)
    found: list[AudioWarning] = []
    if end is None or end > by_place[1]:
        with path.open("rb") as file:
            warn_of_length(wav_layout(file), Report(repr(str(path)), found, strict=False))
    return *by_place, found


class _Cursor:
    """Place that decoding of a recording has come to, with the samples of the piece that was cut last."""

    def __init__(self, path: Path) -> None:
        self.warnings = EveryWarning()  # of what was decoded so far
        blocks = audio_blocks(path, warnings=self.warnings)
        self._blocks: Generator[Float32Array, None, None] | None = blocks
        # Closes the file also when nobody holds the cursor, or the interpreter goes.
        self.close = weakref.finalize(self, blocks.close)
        self._held: Float32Array = np.empty(0, np.float32)  # from sample `first` on
        self.first = 0

    def samples(self, start: int, end: int | None) -> tuple[Float32Array, int]:
        """Samples from `start`, not before `first`, up to `end`; and how many are decoded so far."""
        blocks = [self._held]
        reached = self.first + len(self._held)
        while self._blocks is not None and (end is None or reached < end):
            block = next(self._blocks, None)
            if block is None:
                self._blocks = None
                break
            reached += len(block)
            blocks = [block] if reached <= start + len(block) else [*blocks, block]
        held = np.concatenate(blocks) if len(blocks) != 1 else blocks[0]
        first = reached - len(held)
        keep = max(start - first, 0)
        self._held, self.first = held[keep:].copy(), first + keep
        return self._held[: None if end is None else max(end - self.first, 0)].copy(), reached


class _Cursors:
    """Cursors of the recordings that were cut last; safe to share between threads.

    Two readers that take turns over one recording, as two systems do, have a cursor each.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[tuple[tuple[str, int, int], _Cursor]] = []  # the one used last is the last

    def samples(
        self, path: Path, start: int, end: int | None
    ) -> tuple[Float32Array, int, tuple[AudioWarning, ...]]:
        """As `_Cursor.samples`, by the recording's nearest cursor before `start`, or by a new one.

        And the warnings of what that cursor has decoded.
        """
        key = _identity(path)
        with self._lock:
            before = [each for each in self._open if each[0] == key and each[1].first <= start]
            nearest = max(before, key=lambda each: each[1].first, default=None)
            if nearest is not None:
                self._open.remove(nearest)
            cursor = nearest[1] if nearest else _Cursor(path)
            found = cursor.samples(start, end)  # one that fails closes itself, and is not kept
            self._open.append((key, cursor))
            while len(self._open) > _N_CURSORS:
                self._open.pop(0)[1].close()
            return *found, tuple(cursor.warnings)


def _identity(path: Path) -> tuple[str, int, int]:
    """Path, time and size of a file: one that was written anew is another one."""
    try:
        status = path.stat()
    except OSError:  # opening it says what is wrong
        return str(path), 0, 0
    return str(path), status.st_mtime_ns, status.st_size


_CURSORS: Final = _Cursors()
