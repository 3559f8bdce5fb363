"""WAV by libsndfile, which gets a header that is right (`containers.wav`)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from gigastt_lab.audio.containers.joined import is_joined
from gigastt_lab.audio.containers.wav import WavLayout, as_stated, wav_layout
from gigastt_lab.audio.decoders.blocks import BLOCK_SAMPLES, Block
from gigastt_lab.audio.report import Report
from gigastt_lab.audio.samples import check_n_channels, to_float32
from gigastt_lab.errors import AudioError


def wav_blocks(file: BinaryIO, layout: WavLayout) -> Generator[Block, None, None]:
    """The samples of a WAV, block by block, up to the end of its data."""
    with _opened(file, layout) as sound:
        n_frames = max(1, BLOCK_SAMPLES // sound.channels)
        while True:
            samples = sound.read(n_frames, dtype="float32", always_2d=True).T
            if samples.shape[1] == 0:
                break
            yield Block(sound.samplerate, samples)


def warn_of_length(layout: WavLayout, report: Report) -> None:
    """Warn of a header whose length is not that of the data.

    Raises:
        AudioError: the file is cut, and the report is strict.
    """
    there_s = layout.seconds(layout.data_end)
    if layout.is_cut:
        assert layout.stated_end is not None
        stated_s = layout.seconds(layout.stated_end)
        report.warn(
            "cut", f"the file was cut: its header promises {stated_s:.2f} s, and it ends at {there_s:.2f} s",
            there_s, stated_s,
        )  # fmt: skip
    elif layout.goes_on:
        assert layout.stated_end is not None
        stated_s = layout.seconds(layout.stated_end)
        report.warn(
            "length", f"the header states {stated_s:.2f} s, and the data go on to {there_s:.2f} s: "
            "all of it was read", stated_s, there_s,
        )  # fmt: skip


def wav_part(file: BinaryIO, start: int, end: int | None, sample_rate: int) -> tuple[Block, int] | None:
    """A part of a WAV, found by its place, and the samples that the file has; None where that cannot be.

    Args:
        file: A sniffed WAV; left anywhere.
        start: Its first sample; beyond the file's end, the part is empty.
        end: The sample after its last; None: the file's end.
        sample_rate: Rate, in Hz, that the file has to have: to resample, what lies before counts.

    Raises:
        AudioError: as `decoding.decode_blocks`.
    """
    layout = wav_layout(file)
    if not layout.is_plain or is_joined(file, "wav"):
        return None
    with _opened(file, layout) as sound:
        if sound.samplerate != sample_rate:
            return None
        n_samples = int(sound.frames)
        check_n_channels(sound.channels)
        sound.seek(min(start, n_samples))
        n_wanted = max(0, min(n_samples if end is None else end, n_samples) - start)
        samples = sound.read(n_wanted, dtype="float32", always_2d=True).T
        return Block(sample_rate, to_float32(samples)), n_samples


@contextmanager
def _opened(file: BinaryIO, layout: WavLayout) -> Iterator[Any]:
    import soundfile

    try:
        with soundfile.SoundFile(as_stated(file, layout)) as sound:
            yield sound
    except soundfile.LibsndfileError as error:
        raise AudioError(f"a WAV that cannot be read ({error.error_string}); export it again") from error
