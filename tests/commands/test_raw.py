"""`transcribe --raw`, `--strict` and `--track`: files without a header, cut ones, those of several tracks."""

from __future__ import annotations

import pytest

from gigastt_lab.__main__ import main
from gigastt_lab.audio.raw import RawAudio
from tests.support.audio_files import by_soundfile
from tests.support.av_files import Track, av_file
from tests.support.recordings import as_wav


@pytest.fixture
def alaw(clear_clips, tmp_path):
    """A file of A-law at 8 kHz without a header."""
    wav = by_soundfile(clear_clips[0].waveform[::2], 8_000, "WAV", "ALAW")
    path = tmp_path / "call.alaw"
    path.write_bytes(wav[wav.index(b"data") + 8 :])
    return path


def run(*arguments):
    return main(["transcribe", "--model", "demo", "--precision", "fp32", *map(str, arguments)])


def test_raw_audio_is_heard_as_it_is_stated(alaw, engine, capsys):
    assert run("--raw", "alaw", "--raw-rate", 8_000, alaw) == 0
    assert capsys.readouterr().out.strip() == engine.transcribe(alaw, raw=RawAudio("alaw", 8_000)).text


@pytest.mark.parametrize(
    "flags",
    [["--raw-rate", "8000"], ["--raw", "s16le"], ["--raw", "mp3"], ["--raw", "alaw", "--raw-rate", "9"]],
)
def test_flags_that_do_not_go_together_are_refused(flags, alaw, capsys):
    with pytest.raises(SystemExit) as error:
        run(*flags, alaw)
    assert error.value.code == 2
    assert "--raw" in capsys.readouterr().err


def test_a_cut_file_is_heard_with_a_warning_or_refused(clear_clips, tmp_path, capsys):
    data = as_wav(clear_clips[0].waveform)
    path = tmp_path / "cut.wav"
    path.write_bytes(data[: len(data) * 2 // 3])

    assert run(path) == 0
    out, err = capsys.readouterr()
    assert out.strip()
    assert "the file was cut" in err
    assert run("--strict", path) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "leave out `strict`" in err


def test_a_track_is_chosen(clear_clips, engine, tmp_path, capsys):
    waveforms = [clip.waveform for clip in clear_clips[:2]]
    path = tmp_path / "film.mkv"
    tracks = [Track(waveform, codec="flac") for waveform in waveforms]
    path.write_bytes(av_file("matroska", tracks, picture=None))

    assert run("--track", 2, path) == 0
    assert capsys.readouterr().out.strip() == engine.transcribe(waveforms[1], sample_rate=16_000).text
    with pytest.raises(SystemExit):
        run("--track", 0, path)
