"""Damaged files of every container: an `AudioError` or samples; never a crash, a hang, or noise on stderr.

The cases run in one process of their own, which can crash or hang without taking the tests with it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from tests.support.audio_files import (
    RATE,
    by_ffmpeg,
    by_soundfile,
    media_recorder,
    ogg_crc,
    pcm16,
    speechlike,
    wav_file,
)
from tests.support.format_files import FORMATS, VARIED
from tests.support.paths import ROOT

CASES_PER_FILE = 40
CASES_PER_FORMAT = 3
CASES_PER_FORMAT_SLOW = 60
MAX_DURATION_S = 5.0
_EXTREMES = [
    0,
    1,
    0xFF,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x01000000,
    0x00FFFFFF,
    4_000_000,
]


def originals() -> dict[str, bytes]:
    samples = speechlike(0.7)
    stereo = np.stack([samples, samples[::-1]])
    surround = np.stack([speechlike(0.7, 48_000, seed) for seed in range(8)])
    return {
        "wav": by_soundfile(samples, RATE, "WAV"),
        "wav, float, 3 channels": by_soundfile(np.stack([samples] * 3, axis=1), RATE, "WAV", "FLOAT"),
        "wav, adpcm": by_soundfile(samples, RATE, "WAV", "IMA_ADPCM"),
        "wav, live": wav_file(pcm16(samples), data_size=0),
        "flac": by_soundfile(samples, RATE, "FLAC"),
        "mp3": by_soundfile(samples, RATE, "MP3"),
        "ogg opus": by_soundfile(samples, RATE, "OGG", "OPUS"),
        "ogg opus, 8 channels": by_ffmpeg(surround, 48_000, "ogg", "libopus", layout="7.1"),
        "ogg vorbis": by_soundfile(samples, RATE, "OGG", "VORBIS"),
        "m4a": by_ffmpeg(stereo, RATE, "ipod", "aac", layout="stereo"),
        "fragmented mp4": by_ffmpeg(
            samples, RATE, "mp4", "aac", live=True, movflags="frag_keyframe+empty_moov"
        ),
        "adts": by_ffmpeg(samples, RATE, "adts", "aac"),
        "webm": media_recorder(samples),
    }


def damaged(data: bytes, rng: np.random.Generator, n_cases: int) -> Iterator[bytes]:
    """Cut, flipped in a few places anywhere, or flipped in the header, where most harm is done."""
    for case in range(n_cases):
        content = bytearray(data)
        if case % 3 == 0:
            yield bytes(content[: rng.integers(len(content))])
            continue
        end = len(content) if case % 3 == 1 else min(len(content), 300)
        for position in rng.integers(4, end, size=rng.integers(1, 12)):
            content[position] = rng.integers(256)
        yield bytes(content)


def extremes(data: bytes, rng: np.random.Generator, n_cases: int) -> Iterator[bytes]:
    """Fields of the header at the ends of their ranges; parts left out or doubled."""
    for case in range(n_cases):
        content = bytearray(data)
        at = int(rng.integers(4, max(5, min(len(content), 600) - 4)))
        if case % 2 == 0:
            number = int(rng.choice(_EXTREMES))
            content[at : at + 4] = number.to_bytes(4, "big" if rng.random() < 0.5 else "little")
        else:
            first, last = sorted(rng.integers(4, len(content), 2).tolist())
            content[first:last] = content[first : min(last, first + 2_000)] * int(rng.integers(3))
        yield bytes(content)


def with_checksums(data: bytes) -> bytes:
    """An Ogg whose pages are as they should be again, so that damage gets through to the decoder."""
    content = bytearray(data)
    at = content.find(b"OggS")
    while 0 <= at <= len(content) - 27:
        end = at + 27 + content[at + 26] + sum(content[at + 27 : at + 27 + content[at + 26]])
        content[at + 22 : at + 26] = bytes(4)
        content[at + 22 : at + 26] = ogg_crc(content[at:end]).to_bytes(4, "little")
        at = content.find(b"OggS", at + 4)
    return bytes(content)


def cases(seed: int, n_cases: int) -> Iterator[tuple[str, int, bytes]]:
    """Name of the original, number and content of every case."""
    rng = np.random.default_rng(seed)
    if not n_cases:
        for name, data in originals().items():
            yield from ((name, *case) for case in enumerate(damaged(data, rng, CASES_PER_FILE)))
        return
    for name in VARIED if n_cases == CASES_PER_FORMAT else FORMATS:
        data = FORMATS[name]()
        for number, content in enumerate([*damaged(data, rng, n_cases), *extremes(data, rng, n_cases)]):
            yield name, number, with_checksums(content) if name.startswith("ogg") else content


def main(seed: int, n_cases: int) -> None:
    """Read files of `originals`, or, with a number of cases, of every further format."""
    logging.getLogger("gigastt_lab").addHandler(logging.NullHandler())  # our own warnings are no noise
    n_decoded = n_refused = 0
    for name, number, content in cases(seed, n_cases):
        try:
            samples = decode_audio(content, max_duration_s=MAX_DURATION_S)
        except AudioError:
            n_refused += 1
        except BaseException as error:
            raise AssertionError(f"{name}, case {number} of seed {seed}") from error
        else:
            n_decoded += 1
            assert samples.size
            assert np.isfinite(samples).all()
    sys.stdout.write(f"{n_decoded} {n_refused}")


@pytest.mark.parametrize(
    ("n_cases", "n_expected"),
    [
        (0, 13 * CASES_PER_FILE),
        (CASES_PER_FORMAT, 2 * CASES_PER_FORMAT * len(VARIED)),
        pytest.param(CASES_PER_FORMAT_SLOW, 2 * CASES_PER_FORMAT_SLOW * len(FORMATS), marks=pytest.mark.slow),
    ],
)
def test_damaged_files_raise_audio_errors_only(n_cases: int, n_expected: int) -> None:
    command = [sys.executable, "-W", "error", __file__, "1", str(n_cases)]
    environment = os.environ | {"PYTHONFAULTHANDLER": "1", "PYTHONPATH": str(ROOT)}

    result = subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=environment
    )

    assert result.stderr == ""
    assert result.returncode == 0
    n_decoded, n_refused = map(int, result.stdout.split())
    assert n_decoded + n_refused == n_expected
    assert min(n_decoded, n_refused) > n_expected / 8  # else the cases prove little


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
