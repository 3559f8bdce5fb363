"""Decoding of a file: where its container begins, which library takes it, what its samples may be."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import BinaryIO

from gigastt_lab.audio.containers.joined import recordings_in
from gigastt_lab.audio.containers.kinds import Container, Ending, Found, size_of
from gigastt_lab.audio.containers.views import bounded, view_of
from gigastt_lab.audio.containers.wav import LIBSNDFILE_TAGS, as_stated, wav_layout
from gigastt_lab.audio.decoders.blocks import Block, merged
from gigastt_lab.audio.decoders.ffmpeg import ffmpeg_blocks, opened_by_ffmpeg
from gigastt_lab.audio.decoders.libsndfile import warn_of_length, wav_blocks
from gigastt_lab.audio.report import Report
from gigastt_lab.audio.samples import check_n_channels, check_sample_rate, to_float32
from gigastt_lab.audio.sections import section
from gigastt_lab.errors import AudioError


def decode_blocks(
    file: BinaryIO, found: Found, track: int | None, report: Report
) -> Generator[Block, None, None]:
    """The audio of a file, a block at a time.

    Args:
        file: Seekable file.
        found: Container that was found in it.
        track: Number of the audio track, from 1; None: the file's default, else the first.
        report: Report of all that is not as it should be.

    Yields:
        At least one block of at least one sample, in float32. Rate and channels change where the file's do:
        in joined MP3s.

    Raises:
        AudioError: nothing, or less than half of it, can be decoded; it is outside the limits of `samples`;
            there is no such track; or the report is strict, and the file was cut or is damaged.
    """
    blocks = _joined_blocks(_from_start(file, found), found.container, track, report)
    is_empty = True
    with closing(blocks):
        for block in blocks:
            check_sample_rate(block.sample_rate)
            check_n_channels(block.samples.shape[0])
            is_empty = False
            yield Block(block.sample_rate, to_float32(block.samples))
    if is_empty:
        raise AudioError(
            f"{found.container.upper()} data without a single audio sample; send the whole recording"
        )
    report.close()


def _joined_blocks(
    file: BinaryIO, container: Container, track: int | None, report: Report
) -> Generator[Block, None, None]:
    """Blocks of all recordings in a file; one behind the first that cannot be read is a warning."""
    decode = _wav_blocks if container == "wav" else _others
    at_s = 0.0
    for recording in recordings_in(file, container):
        begun_s = at_s
        try:
            for block in decode(recording, container, track, report.behind(begun_s)):
                at_s += block.samples.shape[1] / block.sample_rate
                yield block
        except AudioError as error:
            if not begun_s or report.strict:
                raise
            report.warn("damaged", f"what is joined behind {begun_s:.2f} s cannot be read: {error}", at_s)


def _wav_blocks(
    file: BinaryIO, container: Container, track: int | None, report: Report
) -> Generator[Block, None, None]:
    layout = wav_layout(file)
    if track not in {None, 1}:
        raise AudioError(f"track {track} was asked for; a WAV has one")
    if report.strict:
        warn_of_length(layout, report)  # refuses it before there is work
    if layout.tag in LIBSNDFILE_TAGS:
        yield from wav_blocks(file, layout)
    else:
        view = as_stated(file, layout, always=True)
        yield from merged(ffmpeg_blocks(view, container, Ending(), None, report))
    if not report.strict:
        warn_of_length(layout, report)


def _others(
    file: BinaryIO, container: Container, track: int | None, report: Report
) -> Generator[Block, None, None]:
    file, ending = view_of(file, container)
    if ending.is_cut:
        report.refuse_if_strict("the file was cut: it ends before its container does")
    file.seek(0)
    yield from merged(ffmpeg_blocks(file, container, ending, track, report))


def stated_duration(file: BinaryIO, found: Found) -> float | None:
    """The seconds that the container states or lets estimate, without decoding; None where it does not.

    Args:
        file: Seekable file.
        found: Container that was found in it.

    Raises:
        AudioError: it cannot be read.
    """
    parts = [
        _stated(each, found.container) for each in recordings_in(_from_start(file, found), found.container)
    ]
    return sum(each or 0.0 for each in parts) if parts[0] is not None else None


def _stated(file: BinaryIO, container: Container) -> float | None:
    if container == "wav":
        layout = wav_layout(file)
        return layout.seconds(layout.data_end)
    with opened_by_ffmpeg(bounded(file, container), container) as source:
        return None if source.duration is None else float(source.duration / 1_000_000)


def _from_start(file: BinaryIO, found: Found) -> BinaryIO:
    """The file from where its container begins."""
    moved = found.start or found.head
    return section(file, found.start, size_of(file), found.head) if moved else file
