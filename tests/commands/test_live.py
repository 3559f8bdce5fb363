"""`transcribe` on long files, which print as they go, and on live streams from stdin."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest

from gigastt_lab.__main__ import main
from tests.support.audio_files import RATE, by_ffmpeg, by_soundfile, media_recorder
from tests.support.server_process import eventually

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

PROGRAM = [sys.executable, "-m", "gigastt_lab", "transcribe", "--model", "demo", "--precision", "fp32"]
STREAM = [*PROGRAM, "--stream", "-"]


@pytest.fixture(scope="module")
def speech(clear_clips):
    pause = np.zeros(RATE, np.float32)
    chosen = [clear_clips[i] for i in (0, 3, 1)]  # together no longer than one utterance may be
    return np.concatenate([part for clip in chosen for part in (clip.waveform, pause)])


@pytest.fixture(scope="module")
def pcm16(speech):
    return (speech * 2**15).astype("<i2").tobytes()


@pytest.fixture(scope="module")
def finals(pcm16):
    from gigastt_lab import load_engine

    session = load_engine("demo", precision="fp32").stream()
    results = [*session.accept(pcm16), *session.finish()]
    return [result for result in results if result.kind == "final"]


def streamed(pcm16, *arguments, pieces=1):
    process = subprocess.Popen(
        [*STREAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    size = len(pcm16) // pieces | 1  # odd: samples are torn apart
    for at in range(0, size * (pieces - 1), size):
        process.stdin.write(pcm16[at : at + size])
        process.stdin.flush()
    out, errors = process.communicate(pcm16[size * (pieces - 1) :])
    return process.returncode, out.decode(), errors.decode()


def test_finals_are_lines(pcm16, finals):
    code, out, errors = streamed(pcm16 + b"\x01", pieces=7)
    assert (code, errors) == (0, "")
    assert out.splitlines() == [final.text for final in finals]
    assert len(finals) == 3


def test_json_has_partials_when_asked(pcm16, finals):
    code, out, _ = streamed(pcm16, "--format", "json", "--partials")
    results = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [each["text"] for each in results if each["type"] == "final"] == [final.text for final in finals]
    assert len([each for each in results if each["type"] == "partial"]) > 3
    first = next(each for each in results if each["type"] == "final")
    assert first["reason"] == "silence"
    assert first["words"][0]["word"] == finals[0].words[0].text
    assert first["end"] == pytest.approx(finals[0].end, abs=1e-3)


def unread(pipe):
    """Bytes that were written into a pipe and not read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_text_comes_before_the_end_of_stdin_and_ctrl_c_keeps_the_rest(pcm16, finals):
    cut = len(pcm16) - 2 * RATE  # the last pause is missing
    with subprocess.Popen(STREAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(pcm16[:cut])
        process.stdin.flush()
        lines = [process.stdout.readline().decode().rstrip("\n") for _ in finals[:-1]]
        assert lines == [final.text for final in finals[:-1]]
        eventually(lambda: not unread(process.stdin))
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().decode()
        assert process.wait() == 0
    assert rest.split()[0] == finals[-1].text.split()[0]


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"", b"\0", bytes(3 * RATE)])
def test_nothing_said_prints_nothing(data):
    assert streamed(data) == (0, "", "")


def test_a_container_is_heard_as_it_comes(speech, finals):
    """What `ffmpeg`, `arecord` and browsers write; its own rate counts, not the one that was given."""
    for data in (by_soundfile(speech, RATE, "WAV"), media_recorder(speech)):
        code, out, errors = streamed(data, "--sample-rate", "8000", pieces=5)
        assert (code, errors) == (0, "")
        assert out.splitlines() == [final.text for final in finals]


def test_a_hole_is_told_on_stderr_and_in_the_json(speech):
    data = media_recorder(speech)
    clusters = [at for at in range(len(data)) if data.startswith(b"\x1f\x43\xb6\x75", at)]
    cut = data[: clusters[4]] + data[clusters[7] :]
    code, out, errors = streamed(cut, "--format", "json", pieces=9)
    told = [json.loads(line).get("warnings", []) for line in out.splitlines()]
    assert code == 0
    assert [warning["kind"] for each in told for warning in each] == ["hole"]
    assert "silence stands for it" in errors


def test_text_of_a_container_comes_before_its_end(speech, finals):
    data = media_recorder(speech)
    with subprocess.Popen(STREAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(data[: len(data) * 6 // 10])
        process.stdin.flush()
        assert process.stdout.readline().decode().rstrip("\n") == finals[0].text
        process.stdin.write(data[len(data) * 6 // 10 :])
        process.stdin.close()
        assert process.stdout.read().decode().splitlines() == [final.text for final in finals[1:]]
        assert process.wait() == 0


@pytest.mark.parametrize("name", ["float32", "MP4 whose index", "the stream is AMR"])
def test_what_cannot_be_heard_as_a_stream_is_named(speech, name):
    data = {
        "float32": speech.astype("<f4").tobytes(),
        "MP4 whose index": by_ffmpeg(speech, RATE, "mp4", "aac"),
        "the stream is AMR": b"#!AMR\n" + bytes(500),
    }[name]
    code, out, errors = streamed(data)
    assert (code, out) == (1, "")  # no invented words
    assert name in errors
    assert "Traceback" not in errors


def test_silence_ms_joins_utterances(pcm16):
    _, out, _ = streamed(pcm16, "--silence-ms", "2000")
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--stream", "a.wav"], 'give "-" as the one FILE'),
        (["--stream", "-", "--format", "srt"], "writes txt or json"),
        (["--stream", "-", "--output", "x"], "writes to stdout"),
        (["--stream", "-", "--partials"], "only with --format json"),
        (["--stream", "-", "--silence-ms", "5"], "min_silence_ms is 5; give 100"),
    ],
)
def test_options_that_do_not_fit_exit_with_2(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as left:
        main(["transcribe", "--model", "demo", *arguments])
    assert left.value.code == 2
    assert complaint in capsys.readouterr().err


def test_an_impossible_rate_exits_with_1(capsys):
    assert main(["transcribe", "--model", "demo", "--stream", "-", "--sample-rate", "5"]) == 1
    assert "sample rate of 5 Hz" in capsys.readouterr().err


def on_a_terminal(arguments, data=b""):
    """What a program shows whose stderr is a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # a bar needs room
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    out, _ = process.communicate(data)
    shown = b""
    while True:
        try:
            more = os.read(ours, 65_536)
        except OSError:  # so a terminal ends on Linux
            break
        if not more:
            break
        shown += more
    os.close(ours)
    return process.returncode, out.decode(), shown.decode()


def test_a_terminal_shows_the_partial_that_grows(pcm16, finals):
    code, out, shown = on_a_terminal(STREAM, pcm16)
    assert code == 0
    assert out.splitlines() == [final.text for final in finals]
    assert f"\r\x1b[K{finals[0].text.split()[0]}" in shown
    assert "\x1b[2m" in shown  # what is not settled is dim
    assert shown.endswith("\r\x1b[K")


# -- long files ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_file(speech, tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.wav"
    path.write_bytes(by_soundfile(np.tile(speech, 5), RATE, "WAV"))
    return path


def test_a_long_file_prints_what_the_engine_hears(long_file, capsys):
    from gigastt_lab import load_engine

    assert main(["transcribe", "--model", "demo", "--precision", "fp32", str(long_file)]) == 0
    assert capsys.readouterr().out == load_engine("demo", precision="fp32").transcribe(long_file).text + "\n"


def test_a_long_file_that_is_damaged_prints_what_is_left_of_it(long_file, tmp_path: Path, capsys):
    samples = np.frombuffer(long_file.read_bytes()[44:], "<i2").astype(np.float32) / 2**15
    flac = bytearray(by_soundfile(np.tile(samples, 3), RATE, "FLAC"))
    middle = len(flac) * 9 // 10
    flac[middle : middle + 200] = bytes(200)
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(flac)
    for strict, code in (([], 0), (["--strict"], 1)):
        assert main(["transcribe", "--model", "demo", *strict, str(damaged)]) == code
        captured = capsys.readouterr()
        assert len(captured.out.split()) > 20
        assert captured.out.endswith("\n")
        assert "damaged.flac" in captured.err
        assert "could not be decoded" in captured.err


@pytest.mark.slow
def test_a_terminal_shows_how_far_it_is(long_file):
    code, out, shown = on_a_terminal([*PROGRAM, str(long_file)])
    assert code == 0
    assert out.count("\n") == 1
    assert "transcribing" in shown
    assert " s [" in shown
    code, out, shown = on_a_terminal([*PROGRAM, str(long_file), "--format", "json"])
    assert json.loads(out)["words"]
    assert "transcribing" in shown
