"""Tracks: the file's default, the one asked for, the one that can be decoded; PCM in films."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarning
from tests.support.audio_files import RATE, alignment, by_ffmpeg, by_soundfile, pcm16, speechlike, wav_file
from tests.support.av_files import Track, av_file

FIRST, SECOND, THIRD = (speechlike(2.0, seed=seed) for seed in range(3))


def heard(data: bytes, **options: object) -> int:
    """Which of the three signals it is."""
    decoded = decode_audio(data, **options)  # type: ignore[arg-type]
    correlations = [alignment(signal, decoded)[1] for signal in (FIRST, SECOND, THIRD)]
    assert max(correlations) > 0.95
    return int(np.argmax(correlations)) + 1


def film(container: str, default: int | None) -> bytes:
    """A film of three tracks, one of which, or none, is marked as the default."""
    return av_file(
        container,
        [
            Track(samples, is_default=number == default, language=language)
            for number, samples, language in ((1, FIRST, "eng"), (2, SECOND, "rus"), (3, THIRD, "fra"))
        ],
    )


@pytest.mark.parametrize("container", ["matroska", "mp4", "mov"])
@pytest.mark.parametrize("default", [1, 2, 3])
def test_the_track_that_the_file_marks_as_its_default_is_read(container: str, default: int) -> None:
    assert heard(film(container, default)) == default


def test_without_a_mark_the_first_is_read() -> None:
    assert heard(film("matroska", None)) == 1


@pytest.mark.parametrize("track", [1, 2, 3])
def test_a_track_that_is_asked_for_is_read(track: int) -> None:
    warnings: list[AudioWarning] = []

    assert heard(film("matroska", 2), track=track, warnings=warnings) == track
    assert warnings == []


def test_a_file_of_several_tracks_says_which_was_read() -> None:
    warnings: list[AudioWarning] = []

    heard(film("matroska", 2), warnings=warnings)

    (warning,) = warnings
    assert warning.kind == "track"
    told = "there are 3 audio tracks: 1 (aac, eng), 2 (aac, rus, default), 3 (aac, fra); track 2 was read"
    assert told in warning.message


def test_a_track_that_is_not_there_is_refused_with_what_is() -> None:
    told = r"track 4 was asked for; there are 3 audio tracks: 1 \(aac, eng, default\), 2"
    with pytest.raises(AudioError, match=told):
        decode_audio(film("mp4", 1), track=4)
    for data in (wav_file(pcm16(FIRST)), by_soundfile(FIRST, RATE, "FLAC"), by_soundfile(FIRST, RATE, "MP3")):
        assert decode_audio(data, track=1).size
        with pytest.raises(AudioError, match="track 2 was asked for"):
            decode_audio(data, track=2)
    with pytest.raises(ValueError, match="track is 0; give 1"):
        decode_audio(wav_file(pcm16(FIRST)), track=0)


@pytest.mark.parametrize("container", ["mov", "matroska"])
@pytest.mark.parametrize(
    "codec", ["pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le"]
)  # fmt: skip
def test_pcm_in_films_is_read(container: str, codec: str) -> None:
    data = by_ffmpeg(FIRST, RATE, container, codec)

    np.testing.assert_allclose(decode_audio(data), FIRST, atol=2**-14)
