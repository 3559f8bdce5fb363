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

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from tests.support.audio_files import (
    RATE,
    by_ffmpeg,
    by_soundfile,
    media_recorder,
    pcm16,
    speechlike,
    wav_file,
)
from tests.support.paths import ROOT

CASES_PER_FILE = 40
MAX_DURATION_S = 5.0


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


def damaged(data: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """Cut, flipped in a few places anywhere, or flipped in the header, where most harm is done."""
    for case in range(CASES_PER_FILE):
        content = bytearray(data)
        if case % 3 == 0:
            yield bytes(content[: rng.integers(len(content))])
            continue
        end = len(content) if case % 3 == 1 else min(len(content), 300)
        for position in rng.integers(4, end, size=rng.integers(1, 12)):
            content[position] = rng.integers(256)
        yield bytes(content)


def main(seed: int) -> None:
    logging.getLogger("gigastt_lab").addHandler(logging.NullHandler())  # our own warnings are no noise
    rng = np.random.default_rng(seed)
    n_decoded = n_refused = 0
    for name, data in originals().items():
        for number, content in enumerate(damaged(data, rng)):
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


def test_damaged_files_raise_audio_errors_only() -> None:
    command = [sys.executable, "-W", "error", __file__, "1"]
    environment = os.environ | {"PYTHONFAULTHANDLER": "1", "PYTHONPATH": str(ROOT)}

    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)

    assert result.stderr == ""
    assert result.returncode == 0
    n_decoded, n_refused = map(int, result.stdout.split())
    assert n_decoded + n_refused == CASES_PER_FILE * len(originals())
    assert min(n_decoded, n_refused) > 100  # else the cases prove little


if __name__ == "__main__":
    main(int(sys.argv[1]))
