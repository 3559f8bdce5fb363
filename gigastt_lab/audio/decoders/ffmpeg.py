"""All containers but WAV by FFmpeg's libraries.

FFmpeg can read playlists, scripts and network addresses. Here it never chooses what to open: it gets bytes
through a file object, the one demuxer that fits the sniffed container, and the decoders that `allowed` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, NoReturn

from gigastt_lab.audio.containers import mpeg
from gigastt_lab.audio.containers.kinds import Container, Ending, read_at
from gigastt_lab.audio.decoders.allowed import CODECS, DEMUXERS, PROBED_CODECS, decoder_options
from gigastt_lab.audio.decoders.blocks import Block, silence
from gigastt_lab.audio.decoders.clock import Clock
from gigastt_lab.audio.decoders.frames import Lengths, block_of, comfort_noise, counts_frames, priming
from gigastt_lab.audio.decoders.frames import stamp_s as stamp_of
from gigastt_lab.audio.decoders.tracks import chosen_track
from gigastt_lab.audio.report import Report
from gigastt_lab.errors import AudioError

# Streams of frames alone: they have no time stamps of their own, FFmpeg counts the frames that it finds.
_WITHOUT_CLOCK: Final[frozenset[Container]] = frozenset({"mp3", "aac", "amr", "ac3"})
# Times count from 0 on the container's own clock; elsewhere from the earliest of all tracks.
_CLOCK_FROM_ZERO: Final[frozenset[Container]] = frozenset({"mp4", "webm"})
# Frames follow each other without anything between them, so that lost bytes tell how many are lost.
_FRAMES_ALONE: Final[frozenset[Container]] = _WITHOUT_CLOCK | {"flac"}
# What these state of their length, or have as their last time stamp, is exact.
_STATES_A_DURATION: Final[frozenset[Container]] = frozenset({"ogg", "webm", "mp4"})
_SLACK_S: Final = 1.0
_MP3_SLACK_FRAMES: Final = 4
_RECOGNISED_BYTES: Final = 16
_SKIPPED_BYTES: Final = 2**16
_CUT_FRAMES: Final = 1.5  # that a cut leaves behind: the one that it goes through


@contextmanager
def opened_by_ffmpeg(file: BinaryIO, container: Container) -> Iterator[Any]:
    """A file as a container of PyAV, opened by the one demuxer that fits, and allowed decoders only.

    Raises:
        AudioError: FFmpeg cannot make anything of it, or it refers to other files.
    """
    import av

    demuxer = DEMUXERS[container]
    options = {"format_whitelist": demuxer, "codec_whitelist": ",".join(sorted(PROBED_CODECS))}
    try:
        with av.open(
            file, "r", format=demuxer, options=options, metadata_errors="replace", io_open=_refuse_to_open
        ) as source:
            yield source
    except (av.FFmpegError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(
            f"{container.upper()} data that is cut or damaged ({reason}); export it again"
        ) from error


def ffmpeg_blocks(
    file: BinaryIO, container: Container, ending: Ending, track: int | None, report: Report
) -> Iterator[Block]:
    """Blocks of a file, one a frame, and silence for what is missing or cannot be decoded.

    Args:
        file: File that begins as `container`.
        container: Container that it is.
        ending: End of the file, as its bytes tell it.
        track: Number of the audio track, from 1; None: the file's default.
        report: Report of all that is not as it should be.

    Raises:
        AudioError: nothing, or less than half of it, can be decoded; there is no such track; or the report
            is strict, and the file was cut or is damaged.
    """
    with opened_by_ffmpeg(file, container) as source:
        stream = chosen_track(source, CODECS, track, report)
        stream.codec_context.thread_count = 1  # the server decides how many files are decoded at once
        stream.codec_context.options = decoder_options(stream.codec_context.name)
        decoding = _Decoding(file, source, stream, container=container, ending=ending, report=report)
        yield from decoding.blocks()


def _refuse_to_open(url: str, *_: object) -> NoReturn:
    raise AudioError("a file that refers to another file or address; send one that holds its audio itself")


class _Decoding:
    """Decoding of one stream, packet by packet."""

    def __init__(
        self,
        file: BinaryIO,
        source: Any,
        stream: Any,
        *,
        container: Container,
        ending: Ending,
        report: Report,
    ) -> None:
        self._file = file
        self._n_skipped = 0  # bytes
        self._source, self._stream, self._container = source, stream, container
        self._ending, self._report = ending, report
        self._is_cut = ending.is_cut
        self._duration_s = None if source.duration is None else source.duration / 1_000_000
        self._clock = Clock(report, zero_s=None, end_s=None)
        self._lengths = Lengths()
        self._last: Block | None = None
        self._last_packet: Any = None
        self._n_failed = 0
        self._unit_s = 0.0  # of the last packet that could be decoded
        self._to_drop = 0
        self._dropped_s = 0.0

    def blocks(self) -> Iterator[Block]:
        first_pts = None
        for packet in self._packets():
            first_pts = packet.pts if first_pts is None else first_pts
            for frame in self._frames_of(packet):
                block = block_of(frame)
                if self._last is None:
                    self._begin(frame, first_pts)
                self._last = block
                yield from self._given_out(block, frame)
        if self._last is not None:
            yield from self._end(self._last)
        elif self._n_failed:
            codec = self._stream.codec_context.name
            raise AudioError(
                f"none of its {self._n_failed} packets ({codec}) can be decoded: the file is damaged, or "
                "of a kind that is not supported; export it again"
            )

    def _packets(self) -> Iterator[Any]:
        """The packets; a demuxer that gives up in the middle has come to the end of what can be found."""
        import av

        try:
            for packet in self._demuxed():
                if packet.size:
                    self._find_skipped(packet)
                    self._last_packet = packet
                yield packet
        except av.FFmpegError:
            if self._last is None:
                raise
            self._is_cut = True

    def _demuxed(self) -> Iterator[Any]:
        """The stream's packets. PyAV trips over packets of streams that begin later: these are not wanted."""
        while True:
            try:
                yield from self._source.demux(self._stream)
            except IndexError:
                continue
            return

    def _find_skipped(self, packet: Any) -> None:
        """Take down what the demuxer of ADTS has passed over, uncounted, to find the next frame."""
        if self._container != "aac" or packet.pos is None:
            return
        head, at = bytes(packet)[:_RECOGNISED_BYTES], self._file.tell()
        around = read_at(self._file, packet.pos + self._n_skipped, _SKIPPED_BYTES)
        self._file.seek(at)
        n_bytes = max(0, around.find(head))
        self._n_skipped += n_bytes
        if n_bytes > self._lengths.mean / 2:
            self._clock.damage(round(n_bytes / self._lengths.mean) * _seconds(packet))

    def _frames_of(self, packet: Any) -> list[Any]:
        """Frames of a packet; none of one that cannot be decoded, which is taken down."""
        import av

        try:
            frames: list[Any] = packet.decode()
        except av.error.MemoryError:
            raise
        except av.FFmpegError:
            noise = comfort_noise(self._stream, packet)
            if noise is not None:
                return [noise]
            if packet.size:
                self._n_failed += 1
                self._clock.damage(self._n_lost(packet) * (_seconds(packet) or self._unit_s))
            return []
        if packet.size:
            self._lengths.add(packet.size)
            self._unit_s = _seconds(packet)
        return frames

    def _n_lost(self, packet: Any) -> int:
        if self._container in _WITHOUT_CLOCK:
            return mpeg.n_lost_frames(bytes(packet), self._lengths.mean)
        # The end of a FLAC that is nothing but noise comes as one packet.
        return max(1, round(packet.size / self._lengths.mean)) if self._container in _FRAMES_ALONE else 1

    def _begin(self, frame: Any, first_pts: int | None) -> None:
        self._to_drop = priming(self._stream, first_pts, frame)
        self._dropped_s = self._to_drop / frame.sample_rate
        zero_s = end_s = None
        stamp_s = stamp_of(frame)
        is_counted = counts_frames(self._stream, self._last_packet)
        if self._container not in _WITHOUT_CLOCK and stamp_s is not None and not is_counted:
            start_s = (self._source.start_time or 0) / 1_000_000
            zero_s = min(0.0 if self._container in _CLOCK_FROM_ZERO else start_s, stamp_s)
            end_s = None if self._duration_s is None else self._duration_s + max(0.0, start_s - zero_s)
        pending_s = self._clock.pending_s
        self._clock = Clock(self._report, zero_s=zero_s, end_s=end_s, has_holes=self._container != "flac")
        self._clock.shift(self._dropped_s)
        self._clock.damage(pending_s)

    def _given_out(self, block: Block, frame: Any) -> Iterator[Block]:
        stamp_s = stamp_of(frame)
        if self._to_drop:
            n_dropped = min(self._to_drop, block.samples.shape[1])
            self._to_drop -= n_dropped
            block = Block(block.sample_rate, block.samples[:, n_dropped:])
            if not block.samples.shape[1]:
                return
            stamp_s = None if stamp_s is None else stamp_s + n_dropped / block.sample_rate
        gap_s = self._clock.silence_before(stamp_s)
        yield from silence(block, round(gap_s * block.sample_rate))
        yield block
        self._clock.advance(block.samples.shape[1] / block.sample_rate)

    def _end(self, last: Block) -> Iterator[Block]:
        promised_s = self._promised_s(last.sample_rate)
        self._is_cut = self._is_cut or promised_s is not None or self._ends_in_a_frame()
        if self._is_complete(last.sample_rate):
            self._warn_of_rest()
        elif not self._is_cut or self._clock.pending_s > _CUT_FRAMES * _seconds(self._last_packet):
            yield from silence(last, round(self._clock.silence_at_end() * last.sample_rate))
        at_s, header_s = self._clock.position_s, promised_s or self._duration_s
        says_more = header_s is not None and header_s > at_s + _SLACK_S
        if self._is_cut:
            more = f", and its header promises {header_s:.2f} s" if says_more else ""
            message = f"the file was cut: it ends at {at_s:.2f} s{more}"
            self._report.warn("cut", message, at_s, header_s if says_more else None)
        elif self._breaks_off(says_more):
            more = f"; its header promises {header_s:.2f} s" if says_more else ""
            message = f"nothing behind {at_s:.2f} s can be read: the file is damaged there{more}"
            self._report.warn("damaged", message, at_s, header_s if says_more else None)

    def _is_complete(self, sample_rate: int) -> bool:
        """True if as much was decoded as an MP3's header promises: what follows is no audio."""
        promised_s = self._ending.duration_s
        at_s = self._clock.position_s - self._clock.damaged_s + self._dropped_s
        return promised_s is not None and at_s > promised_s - _MP3_SLACK_FRAMES * 1152 / sample_rate

    def _warn_of_rest(self) -> None:
        if self._clock.pending_s:
            at_s = self._clock.position_s
            message = f"what follows {at_s:.2f} s, where the header says that it ends, is no audio"
            self._report.warn("length", message, at_s)

    def _ends_in_a_frame(self) -> bool:
        """True if the last frame of a stream without a container is longer than what is left of the file."""
        if self._container not in _WITHOUT_CLOCK or self._last_packet is None:
            return False
        frame = mpeg.frame_at(bytes(self._last_packet), 0)
        return frame is not None and frame.length > self._last_packet.size

    def _breaks_off(self, says_more: bool) -> bool:
        """True if the demuxer found its way no further than to a place where the structure is broken."""
        at = None if self._last_packet is None else self._last_packet.pos
        if self._ending.broken_at is not None and at is not None and at < self._ending.broken_at:
            return True
        has_pictures = len(self._source.streams) > 1  # which may go on when the sound has ended
        return says_more and not has_pictures and self._container in _STATES_A_DURATION

    def _promised_s(self, sample_rate: int) -> float | None:
        """Seconds that a FLAC or an MP3 promises, where it has less."""
        at_s = self._clock.position_s + self._clock.pending_s + self._dropped_s
        if self._container == "flac" and self._stream.duration:
            promised_s = float(self._stream.duration * self._stream.time_base)
            return (
                promised_s
                if self._clock.position_s < promised_s - 0.5 / sample_rate
                and (at_s < promised_s - _SLACK_S or self._clock.pending_s <= _seconds(self._last_packet))
                else None
            )
        promised_s = self._ending.duration_s or 0.0
        start_s = float((self._stream.start_time or 0) * self._stream.time_base)
        slack_s = _MP3_SLACK_FRAMES * 1152 / sample_rate
        return promised_s if at_s + start_s < promised_s - slack_s else None


def _seconds(packet: Any) -> float:
    return float((packet.duration or 0) * packet.time_base) if packet and packet.time_base else 0.0
