"""Packets of a container by FFmpeg's libraries, which read it as it comes: no seeking, no looking ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.containers import mpeg
from gigastt_lab.audio.decoders.frames import block_of, priming, stamp_s
from gigastt_lab.audio.decoders.tracks import chosen_track
from gigastt_lab.audio.live.detection import LiveContainer
from gigastt_lab.audio.live.reader import Reader, Skipped
from gigastt_lab.audio.live.sources import Bytes
from gigastt_lab.audio.report import Report
from gigastt_lab.errors import AudioError

_DEMUXERS: Final[dict[LiveContainer, str]] = {
    "webm": "matroska", "ogg": "ogg", "mp4": "mov", "mp3": "mp3", "aac": "aac", "flac": "flac"
}  # fmt: skip
# Fewer than of a file: what recorders write into streams.
_PCM: Final = ("u8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le", "f32be")
_CODECS: Final = frozenset(
    {"aac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "libvorbis"}
    | {f"pcm_{name}" for name in _PCM}
)
# The least that FFmpeg may look ahead, and no more tracks than a recording has: each costs memory.
_OPTIONS: Final = {"probesize": "32", "analyzeduration": "1", "max_streams": "16"}
_MOV_OPTIONS: Final = {"ignore_editlist": "1"}  # an edit list could claim any number of samples

# Seconds between the container's clock and the samples: less is rounding or drift; more than the second, and
# no recorder was paused for so long, but the clock was set.
_HOLE_S: Final = 0.5
_LONGEST_HOLE_S: Final = 60.0
_MAX_FAILURES: Final = 100  # of the demuxer in a row; it goes on behind most damage
# Containers whose demuxers skip what they do not know; the others make packets of everything.
_SKIPPING: Final = frozenset({"webm", "ogg", "mp4"})


def packet_blocks(
    file: Bytes, container: LiveContainer, now_s: Callable[[], float], report: Report
) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Rate in Hz and samples of a recording, shape (n_channels, n_samples), packet by packet.

    What is missing by the container's clock is silence.

    Args:
        file: The recording; `read` blocks until bytes come.
        container: Container that it is.
        now_s: Seconds of the stream so far.
        report: Report of what is damaged or missing.

    Raises:
        AudioError: nothing can be made of it.
    """
    with _opened(file, container) as (source, reader):
        stream = chosen_track(source, _CODECS, None, report)
        stream.codec_context.thread_count = 1  # the server decides how much is decoded at once
        clock = _Clock(now_s, report)
        first_pts, n_priming = None, None
        lengths, skipped = _Lengths(), Skipped(reader)
        rate, n_channels = 0, 0
        for packet in _packets(source, reader):
            if container in _SKIPPING:
                _warn_of(skipped.before(packet), now_s(), report)
            if packet.stream.index != stream.index:
                continue
            first_pts = packet.pts if first_pts is None else first_pts
            for frame in _decoded(packet, clock, lengths):
                rate, samples = block_of(frame)
                n_channels = samples.shape[0]
                missing = round(rate * clock.missing_s(stamp_s(frame)))
                if missing:
                    yield rate, np.zeros((samples.shape[0], missing), np.float32)
                n_priming = priming(stream, first_pts, frame) if n_priming is None else n_priming
                dropped = min(n_priming, frame.samples)
                n_priming -= dropped
                clock.drop(dropped / rate)
                yield rate, samples[:, dropped:]
        if rate and (missing := round(rate * clock.missing_s(None))):
            yield rate, np.zeros((n_channels, missing), np.float32)
        if container in _SKIPPING and reader.error is None:
            _warn_of(skipped.at_end(), now_s(), report)


def _warn_of(n_skipped: int, at_s: float, report: Report) -> None:
    if n_skipped:
        report.warn("damaged", f"{n_skipped} bytes at {at_s:.2f} s could not be decoded: skipped", at_s, None)


@contextmanager
def _opened(file: Bytes, container: LiveContainer) -> Iterator[tuple[Any, Reader]]:
    import av

    demuxer = _DEMUXERS[container]
    options = _OPTIONS | {"format_whitelist": demuxer, "codec_whitelist": ",".join(sorted(_CODECS))}
    options |= _MOV_OPTIONS if container == "mp4" else {}
    reader = Reader(file)
    try:
        with av.open(
            reader, format=demuxer, options=options, metadata_errors="replace", io_open=_refuse_to_open
        ) as source:
            yield source, reader
    except (av.FFmpegError, OverflowError, AudioError) as error:
        if reader.error is not None:
            raise reader.error from None
        if isinstance(error, AudioError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"{container.upper()} data that cannot be decoded as a stream ({reason})") from error
    if reader.error is not None:
        raise reader.error


def _refuse_to_open(url: str, *_: object) -> NoReturn:
    raise AudioError("the stream refers to another file or address; send one that holds its audio itself")


def _packets(source: Any, reader: Reader) -> Iterator[Any]:
    """Packets of all tracks; where the demuxer meets damage, it goes on behind it.

    At the end it may fail for ever, because a packet was cut: that is the end of what was heard before.
    """
    import av

    n_failures, n_packets = 0, 0
    while True:
        try:
            for packet in source.demux():
                n_failures, n_packets = 0, n_packets + 1
                yield packet
            return
        except av.error.MemoryError:
            raise
        except av.FFmpegError:
            n_failures += 1
            if n_failures > _MAX_FAILURES:
                if n_packets and reader.has_ended:
                    return
                raise


class _Lengths:
    """Length in bytes of the packet that could be decoded last."""

    last = 400


def _decoded(packet: Any, clock: _Clock, lengths: _Lengths) -> list[Any]:
    """Frames of a packet; of a broken one none: it becomes silence, unless it was a tag between frames."""
    import av

    try:
        frames = list(packet.decode())
    except av.error.MemoryError:
        raise
    except av.FFmpegError:
        seconds = float(packet.duration * packet.time_base) if packet.duration else 0.0
        n_frames = 1
        if packet.stream.codec_context.name.startswith(("mp3", "aac")):
            n_frames = mpeg.n_lost_frames(bytes(packet), lengths.last)
        clock.damage(n_frames * seconds)
        return []
    lengths.last = packet.size or lengths.last
    return frames


class _Clock:
    """Clock of a recording: tells what is missing before a frame."""

    def __init__(self, now_s: Callable[[], float], report: Report) -> None:
        self._now_s = now_s
        self._report = report
        self._offset_s: float | None = None  # of the stream's time from the container's
        self._damaged_s = 0.0  # of packets that could not be decoded since the last frame

    def damage(self, seconds: float) -> None:
        """Note a packet of so many seconds that could not be decoded."""
        self._damaged_s += seconds

    def drop(self, seconds: float) -> None:
        """Note that so much at the beginning is no sound."""
        if self._offset_s is not None:
            self._offset_s -= seconds

    def missing_s(self, time_s: float | None) -> float:
        """Seconds of silence that belong before a frame of this time."""
        now_s, damaged_s = self._now_s(), self._damaged_s
        self._damaged_s = 0.0
        missing_s = damaged_s
        if time_s is not None:
            if self._offset_s is None:
                self._offset_s = now_s + damaged_s - time_s
            missing_s = time_s + self._offset_s - now_s
            if abs(missing_s) > _LONGEST_HOLE_S or missing_s < -_HOLE_S:
                self._offset_s = now_s - time_s  # the clock was set: by a new recording, perhaps
                missing_s = 0.0
        if damaged_s > 0:
            missing_s = max(0.0, missing_s)
            self._warn("damaged", "could not be decoded", now_s, missing_s)
            return missing_s
        if missing_s <= _HOLE_S:
            return 0.0
        self._warn("hole", "is missing", now_s, missing_s)
        return missing_s

    def _warn(self, kind: Any, what: str, start_s: float, missing_s: float) -> None:
        end_s = start_s + missing_s
        told = f"what was from {start_s:.2f} to {end_s:.2f} s {what}: silence stands for it"
        self._report.warn(kind, told, start_s, end_s)
