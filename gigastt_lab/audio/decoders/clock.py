"""Clock of a file: which silence has to stand for what is missing, so that times stay the file's."""

from __future__ import annotations

from typing import Final

from gigastt_lab.audio.report import Report
from gigastt_lab.errors import AudioError

# Time stamps are rounded to milliseconds, and recorders' clocks shake: FFmpeg's resampler has the same limit.
_GAP_S: Final = 0.1
# A longer silence is no pause of a recording, but a clock that was set meanwhile.
_MAX_SILENCE_S: Final = 24 * 3600.0
_HOPELESS_S: Final = 60.0


class Clock:
    """Clock that runs with the samples given out, and is held against the file's time stamps.

    Attributes:
        position_s: Seconds of the recording given out so far, silence included.
        damaged_s: Seconds of it that could not be decoded.
    """

    def __init__(
        self, report: Report, *, zero_s: float | None, end_s: float | None, has_holes: bool = True
    ) -> None:
        """Begin at 0.

        Args:
            report: Report of holes and damage.
            zero_s: Time stamp of the recording's beginning, in seconds; None: frames have no time stamps
                that can be believed (streams without a container).
            end_s: Second at which the recording ends, where that is known: no time stamp is beyond it.
            has_holes: False if what is missing was there once: the container knows no pauses.
        """
        self.position_s = 0.0
        self.damaged_s = 0.0
        self._report = report
        self._zero_s = zero_s
        self._end_s = end_s
        self._pending_s = 0.0  # of packets that could not be decoded
        self._is_pending = False
        self._silence_s = 0.0
        self._shift_s = 0.0
        self._has_holes = has_holes

    def shift(self, seconds: float) -> None:
        """Move the beginning on: samples before it are dropped.

        It goes back where the first frame that is kept comes late: then what is dropped was before 0.
        """
        if self._zero_s is not None:
            self._zero_s += seconds
            self._shift_s = seconds

    def damage(self, seconds: float) -> None:
        """Take down that packets of so many seconds could not be decoded."""
        self._pending_s += seconds
        self._is_pending = self._is_pending or seconds > 0

    def advance(self, seconds: float) -> None:
        """Take down that so many seconds were given out."""
        self.position_s += seconds

    def silence_before(self, stamp_s: float | None) -> float:
        """Seconds of silence that have to come before a frame.

        Args:
            stamp_s: The frame's time stamp, in seconds; None without one.

        Raises:
            AudioError: most of the recording is damaged, or the report is strict.
        """
        gap_s = self._pending_s if self._zero_s is None or stamp_s is None else self._gap_to(stamp_s)
        was_damaged, self._is_pending, self._pending_s = self._is_pending, False, 0.0
        if gap_s <= 0 or (gap_s < _GAP_S and not was_damaged):
            return 0.0
        was_damaged = was_damaged or not self._has_holes
        start, end = self.position_s, self.position_s + gap_s
        self._silence_s += gap_s
        self.position_s = end
        if was_damaged:
            self._warn_of_damage(start, end)
        elif start > 0:
            told = f"nothing was recorded from {start:.2f} to {end:.2f} s (packets are missing)"
            self._report.warn("hole", f"{told}: silence stands for it", start, end)
        return gap_s

    @property
    def pending_s(self) -> float:
        """Seconds behind the last frame that could not be decoded."""
        return self._pending_s

    def silence_at_end(self) -> float:
        """Seconds of silence for what could not be decoded behind the last frame.

        Raises:
            AudioError: as `silence_before`.
        """
        gap_s, self._pending_s = self._pending_s, 0.0
        if gap_s > 0:
            self._warn_of_damage(self.position_s, self.position_s + gap_s)
            self.position_s += gap_s
        if self.damaged_s > self.position_s / 2:
            raise self._hopeless()
        return gap_s

    def _gap_to(self, stamp_s: float) -> float:
        assert self._zero_s is not None
        if self.position_s == 0 and stamp_s - self._zero_s >= _GAP_S:
            self._zero_s -= self._shift_s
        gap_s = stamp_s - self._zero_s - self.position_s
        if gap_s < _GAP_S and self._pending_s > 0 and not self._has_holes:
            # Stamps that were counted on over noise: bytes know better.
            self._zero_s -= self._pending_s - gap_s
            return self._pending_s
        is_beyond = self._end_s is not None and stamp_s - self._zero_s > self._end_s + 1.0
        if gap_s >= _GAP_S and (is_beyond or self._silence_s + gap_s > _MAX_SILENCE_S):
            self._rebase(stamp_s, f"jumps by {gap_s:.1f} s")
            return 0.0
        if gap_s < -1.0:
            self._rebase(stamp_s, f"goes back by {-gap_s:.1f} s")
            return 0.0
        return gap_s

    def _rebase(self, stamp_s: float, what: str) -> None:
        self._zero_s = stamp_s - self.position_s
        if self.position_s > 0:
            at_s = self.position_s
            self._report.warn(
                "clock", f"the file's clock {what} at {at_s:.2f} s: times go on without it", at_s
            )

    def _warn_of_damage(self, start: float, end: float) -> None:
        self.damaged_s += end - start
        if self.damaged_s > max(_HOPELESS_S, 4 * (end - self.damaged_s)):
            raise self._hopeless()
        told = f"{start:.2f} to {end:.2f} s could not be decoded (damaged)"
        self._report.warn("damaged", f"{told}: silence stands for it", start, end)

    def _hopeless(self) -> AudioError:
        return AudioError(
            f"most of it is damaged: {self.damaged_s:.1f} of the first {self.position_s:.1f} s could not be "
            "decoded; send an undamaged file"
        )
