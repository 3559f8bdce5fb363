"""Pieces of recordings: to the sample, from any container, decoded once, in bounded memory."""

import tracemalloc

import numpy as np
import pytest

from evaluation.datasets.audio import content, decoded
from evaluation.datasets.named import open_dataset
from evaluation.datasets.pieces import Piece, cut
from gigastt_lab.audio import pieces
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import AudioError
from tests.support.audio_files import by_ffmpeg, by_soundfile, speechlike

RATE = 16_000
CONTAINERS = {
    "wav": lambda samples: by_soundfile(samples, RATE, "WAV"),
    "wav stereo": lambda samples: by_soundfile(np.stack([samples, samples[::-1]], axis=1), RATE, "WAV"),
    "wav float": lambda samples: by_soundfile(samples, RATE, "WAV", "FLOAT"),
    "wav 44.1 kHz": lambda samples: by_soundfile(samples, 44_100, "WAV"),
    "flac": lambda samples: by_soundfile(samples, RATE, "FLAC"),
    "mp3": lambda samples: by_soundfile(samples, RATE, "MP3"),
    "ogg": lambda samples: by_soundfile(samples, RATE, "OGG"),
    "mp4": lambda samples: by_ffmpeg(samples, RATE, "mp4", "aac"),
}


@pytest.fixture
def opened(monkeypatch):
    """Paths that were opened for decoding, in order."""
    paths = []
    really = pieces.audio_blocks

    def counting(path, **options):
        paths.append(path.name)
        return really(path, **options)

    monkeypatch.setattr(pieces, "audio_blocks", counting)
    return paths


def long_file(folder, seconds=20.0, container="flac"):
    path = folder / f"{container[:3]}.long"  # the container is told from the bytes
    path.write_bytes(CONTAINERS[container](speechlike(seconds)))
    return path


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_piece_is_what_cutting_the_decoded_recording_gives(tmp_path, container):
    path = long_file(tmp_path, container=container)
    whole = decode_audio(path)
    length = len(whole) / RATE
    for start, end in [
        (0.0, 0.5),
        (0.25, 3.0001),
        (3.0, 3.5),
        (7.123_45, 7.2),
        (length - 1, None),
        (2.0, 4.0),
    ]:
        expected = whole[round(start * RATE) : None if end is None else round(end * RATE)]
        np.testing.assert_array_equal(cut(Piece(path, start, end)), expected)


def test_pieces_in_order_decode_a_recording_once_even_where_they_overlap(tmp_path, opened):
    path = long_file(tmp_path)
    whole = decode_audio(path)
    for start in np.arange(0, 19, 0.5):
        np.testing.assert_array_equal(
            cut(Piece(path, start, start + 1)), whole[round(start * RATE) : round((start + 1) * RATE)]
        )
    assert opened == ["fla.long"]
    cut(Piece(path, 0, 1))  # before all of them
    assert opened == ["fla.long"] * 2


def test_pieces_of_a_wav_are_found_by_their_place_in_any_order(tmp_path, opened):
    path = long_file(tmp_path, container="wav")
    whole = decode_audio(path)
    for start in (15, 3, 9, 0):
        np.testing.assert_array_equal(
            cut(Piece(path, start, start + 1)), whole[start * RATE : (start + 1) * RATE]
        )
    assert opened == []


def test_two_readers_that_take_turns_decode_it_twice_and_recordings_that_take_turns_once_each(
    tmp_path, opened
):
    path = long_file(tmp_path)
    for start in range(0, 19, 2):
        for _ in range(2):
            for part in (0, 1):
                cut(Piece(path, start + part, start + part + 1))
    assert opened == ["fla.long"] * 2
    opened.clear()
    others = [tmp_path / f"{number}.wav" for number in range(3)]
    for other in others:
        other.write_bytes(path.read_bytes())
    for start in range(19):
        for other in others:
            cut(Piece(other, start, start + 1))
    assert sorted(opened) == ["0.wav", "1.wav", "2.wav"]


def test_a_file_that_was_written_anew_is_read_anew(tmp_path):
    path = long_file(tmp_path)
    cut(Piece(path, 0, 1))
    path.write_bytes(by_soundfile(speechlike(5, seed=1), RATE, "FLAC"))
    np.testing.assert_array_equal(cut(Piece(path, 2, 3)), decode_audio(path)[2 * RATE : 3 * RATE])


@pytest.mark.slow
def test_memory_is_that_of_a_piece_not_of_the_recording(tmp_path):
    path = tmp_path / "hour.flac"
    hour = np.tile(speechlike(60), 60)
    path.write_bytes(by_soundfile(hour, RATE, "FLAC"))
    tracemalloc.start()
    for start in range(0, 3600, 60):
        assert len(cut(Piece(path, start, start + 5))) == 5 * RATE
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20  # the hour is 230 MB


def test_what_lies_beyond_the_end_is_not_there(tmp_path):
    path = long_file(tmp_path, 2.0)
    assert len(cut(Piece(path, 1.5, 9.0))) == RATE // 2  # `records.durations` tells of it
    with pytest.raises(AudioError, match=r"begins at 2.5 s, and the recording ends at 2.000 s"):
        cut(Piece(path, 2.5, 3.0))
    assert "begins at 2.5 s" in decoded(Piece(path, 2.5, None)).error
    with pytest.raises(AudioError, match="there is no file"):
        cut(Piece(tmp_path / "gone.wav", 0, 1))


def test_content_is_a_wav_file_or_the_recording_where_it_is_all_of_it(tmp_path):
    path = long_file(tmp_path, 2.0)
    whole = decode_audio(path)
    np.testing.assert_allclose(decode_audio(content(Piece(path, 0.5, 1.0))), whole[8000:16000], atol=1e-4)
    assert content(Piece(path, 0.0, None)) == content(Piece(path, 0.0, 2.0)) == path
    assert content(path) == path
    assert content(b"RIFF") == b"RIFF"


def test_pieces_of_a_manifest_are_told_apart_without_reading_audio(tmp_path):
    (tmp_path / "long.wav").write_bytes(b"nothing here decodes it")
    lines = ["path,start,end,text", "long.wav,0,1,да", "long.wav,1,2,да", "long.wav,1,2,да"]
    (tmp_path / "test.csv").write_text("\n".join(lines), encoding="utf-8")
    dataset = open_dataset(tmp_path / "test.csv")
    first, second, third = dataset
    assert (first.audio, second.audio) == (
        Piece(tmp_path / "long.wav", 0, 1),
        Piece(tmp_path / "long.wav", 1, 2),
    )
    assert [(finding.id, finding.reason, finding.same_as) for finding in dataset.findings] == [
        (third.id, "duplicate", second.id)
    ]


def test_a_piece_without_a_sample_is_said_to_be_one(tmp_path):
    path = long_file(tmp_path, seconds=2.0)
    with pytest.raises(AudioError, match=r"from 1 to 1\.00001 s holds no sample at 16000 Hz; mend its times"):
        cut(Piece(path, 1.0, 1.00001))
