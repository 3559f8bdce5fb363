"""The command line: what goes to stdout, what to stderr, what into files, and how it exits."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gigastt_lab import Engine
from gigastt_lab.__main__ import main
from gigastt_lab.formats import as_json_object, render
from gigastt_lab.models.files import VOCABULARY_NAME
from gigastt_lab.runtime.sessions import available_providers
from tests.support.audio_files import RATE, by_soundfile

if TYPE_CHECKING:
    from tests.conftest import Clip

Run = Callable[..., int]


pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: clips a, b and c, and what is no clip; no model at home."""
    for name, clip in zip("abc", clips, strict=False):
        shutil.copy(clip.path, tmp_path / f"{name}.flac")
    (tmp_path / "broken.wav").write_bytes(b"this is no audio")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIGASTT_MODEL_DIR", raising=False)
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gigastt_lab", *arguments]


def start(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """The command line as a process of its own."""
    return subprocess.run(
        command(*arguments), capture_output=True, timeout=60, check=False, **{"input": b"", **options}
    )


def from_stdin(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


# What goes where


def test_the_text_and_nothing_else_goes_to_stdout(
    engine: Engine, clips: list[Clip], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", "--model", "demo", str(clips[0].path)]) == 0
    assert capsys.readouterr() == (engine.transcribe(clips[0].path).text + "\n", "")


def test_the_log_goes_to_stderr(run: Run, tiny: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-v", "a.flac") == 0
    out, err = capsys.readouterr()
    assert out == tiny.transcribe("a.flac").text + "\n"
    assert "EngineInfo(" in err
    assert re.search(r"INFO: a\.flac: \d+\.\d\d s of audio in \d+\.\d{3} s", err)


@pytest.mark.parametrize("name", ["txt", "json", "srt", "vtt", "md"])
def test_one_file_in_every_format(
    run: Run, tiny: Engine, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--format", name, "a.flac") == 0
    assert capsys.readouterr() == (render(tiny.transcribe("a.flac"), name), "")


def test_silence_is_an_empty_line(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "short.wav").write_bytes(by_soundfile(np.zeros(100, np.float32), RATE, "WAV"))
    assert run("short.wav") == 0
    assert capsys.readouterr() == ("\n", "")


def test_of_several_files_each_line_says_which(
    run: Run, tiny: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["b.flac", "a.flac", "b.flac"]
    assert run(*names) == 0
    assert capsys.readouterr().out == "".join(f"{name}: {tiny.transcribe(name).text}\n" for name in names)
    assert run("--format", "json", *names) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"file": name} | as_json_object(tiny.transcribe(name)) for name in names]


def test_the_json_of_one_file_is_that_of_a_file(
    run: Run, tiny: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--format", "json", "a.flac") == 0
    assert json.loads(capsys.readouterr().out) == as_json_object(tiny.transcribe("a.flac"))


def test_stdin(
    run: Run,
    tiny: Engine,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = (folder / "a.flac").read_bytes()
    from_stdin(data, monkeypatch)
    assert run("-") == 0
    assert capsys.readouterr().out == tiny.transcribe("a.flac").text + "\n"
    from_stdin(data, monkeypatch)
    assert run("b.flac", "-", "--output", "out") == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["b.txt", "stdin.txt"]
    from_stdin(b"", monkeypatch)
    assert run("-") == 1
    assert re.search(r"ERROR: -: .*no bytes", capsys.readouterr().err)


# Failures


def test_a_bad_file_does_not_stop_the_others(
    run: Run, tiny: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    assert run("nowhere.wav", "a.flac", "broken.wav", "empty", "", "b.flac") == 1
    out, err = capsys.readouterr()
    assert out == "".join(f"{name}: {tiny.transcribe(name).text}\n" for name in ("a.flac", "b.flac"))
    errors = err.splitlines()
    assert len(errors) == 4
    for line, name in zip(errors, ("nowhere.wav", "broken.wav", "empty", ""), strict=True):
        assert line.startswith("ERROR: ")
        assert line.count(f"'{name}'") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-v"], "COMMAND"),
        (["transcribe"], "FILE"),
        (["translate", "a.flac"], "invalid choice: 'translate'"),
        (["transcribe", "--format", "docx", "a.flac"], "invalid choice: 'docx'"),
        (["transcribe", "--provider", "gpu", "a.flac"], "invalid choice: 'gpu'"),
        (["transcribe", "--precision", "int4", "a.flac"], "invalid choice: 'int4'"),
        (["transcribe", "--threads", "0", "a.flac"], "--threads 0: give 1 or more"),
        (["transcribe", "--threads", "many", "a.flac"], "invalid int value: 'many'"),
        (["transcribe", "-", "a.flac", "-"], "stdin can be read once only"),
        (["transcribe", "--format", "srt", "a.flac", "b.flac"], "give --output DIR"),
        (["transcribe", "--format", "vtt", "a.flac", "b.flac"], "give --output DIR"),
        (["transcribe", "--format", "md", "a.flac", "b.flac"], "give --output DIR"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_exits_with_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err


def test_without_its_model_it_exits_with_3_and_says_what_to_do(
    folder: Path, tiny_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = folder / "damaged"
    shutil.copytree(tiny_directory, damaged)
    (damaged / VOCABULARY_NAME).write_text("no vocabulary")
    missing = next(name for name in ("cuda", "coreml") if name not in available_providers())
    for arguments, complaints in (
        # The real model would be downloaded into them.
        (["--model", "demo", "--model-dir", "nowhere"], ["nowhere: no such model directory"]),
        (["--model", "demo", "--model-dir", "."], ["encoder.onnx", "vocab.txt"]),
        (["--model-dir", "damaged"], [VOCABULARY_NAME, "line 1"]),
        (["--model", "whisper"], ["'whisper' is not known", "demo"]),
        (["--model", "demo", "--model-dir", str(tiny_directory), "--precision", "int8"], ["_int8.onnx"]),
        (["--model", "demo", "--provider", missing], [missing, "cpu"]),
    ):
        assert main(["transcribe", *arguments, "a.flac"]) == 3
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("ERROR: ")
        assert err.count("\n") == 1
        for complaint in complaints:
            assert complaint in err


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that opens and cannot be read")
def test_a_model_file_that_cannot_be_read_exits_with_3(
    folder: Path, tiny_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_directory, folder / "model")
    (folder / "model" / VOCABULARY_NAME).unlink()
    (folder / "model" / VOCABULARY_NAME).symlink_to("/proc/self/mem")
    assert main(["transcribe", "--model-dir", "model", "a.flac"]) == 3
    assert capsys.readouterr().err.startswith("ERROR: ")


# Files


def test_outputs_are_named_after_their_inputs(run: Run, tiny: Engine, folder: Path) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
        shutil.copy("a.flac", folder / name / "a.flac")  # the same stem, the same name
        shutil.copy("b.flac", folder / name / f"b.{name}")  # the same stem, another name
    files = ["one/a.flac", "two/a.flac", "one/b.one", "two/b.two", "c.flac", "broken.wav"]
    assert run("--format", "srt", "--output", "out/deep", *files) == 1
    expected = {
        "a.flac.srt": "a.flac",
        "a.flac.2.srt": "a.flac",
        "b.one.srt": "b.flac",
        "b.two.srt": "b.flac",
        "c.srt": "c.flac",
    }
    written = {path.name: path.read_text(encoding="utf-8") for path in Path("out/deep").iterdir()}
    assert written == {name: render(tiny.transcribe(clip), "srt") for name, clip in expected.items()}


def test_outputs_leave_stdout_empty(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--output", "out", "a.flac", "b.flac") == 0
    assert capsys.readouterr() == ("", "")


def test_an_output_is_replaced_as_a_whole_or_not_at_all(run: Run, tiny: Engine) -> None:
    Path("out").mkdir()
    for name in ("a", "broken"):
        Path(f"out/{name}.txt").write_text("old")
        os.link(f"out/{name}.txt", f"out/{name}.link")  # shows a file that is written in place
    assert run("--output", "out", "a.flac", "broken.wav") == 1
    assert Path("out/a.txt").read_text(encoding="utf-8") == tiny.transcribe("a.flac").text + "\n"
    assert [Path(f"out/{name}").read_text() for name in ("a.link", "broken.txt")] == ["old", "old"]
    assert list(Path("out").glob("*.partial")) == []


def test_an_output_that_cannot_be_written_does_not_stop_the_others(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out/a.txt").mkdir(parents=True)
    assert run("--output", "out", "a.flac", "b.flac") == 1
    assert capsys.readouterr().err.startswith("ERROR: a.flac: ")
    assert Path("out/b.txt").is_file()
    assert list(Path("out").glob("*.partial")) == []
    assert run("--output", "broken.wav", "a.flac") == 1
    assert "broken.wav" in capsys.readouterr().err


# As a process of its own


def test_a_process_writes_the_text_of_stdin(engine: Engine, clips: list[Clip]) -> None:
    ran = start("transcribe", "--model", "demo", "-", input=clips[0].path.read_bytes())
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.decode() == engine.transcribe(clips[0].path).text + "\n"


def test_a_reader_that_goes_away_leaves_no_traceback(tiny_directory: Path) -> None:
    # As with `| head -1`, where the reader is gone from the second line on; here from the first.
    reading, writing = os.pipe()
    os.close(reading)
    arguments = command("transcribe", "--model-dir", str(tiny_directory), "a.flac", "b.flac")
    ran = subprocess.run(arguments, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, b"")


def test_head_gets_its_line(engine: Engine, clips: list[Clip]) -> None:
    arguments = command("transcribe", "--model", "demo", *(str(clip.path) for clip in clips))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        line = process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert line.decode() == f"{clips[0].path}: {engine.transcribe(clips[0].path).text}\n"
    assert err == b""


def test_ctrl_c_exits_with_130(tiny_directory: Path) -> None:
    arguments = command("transcribe", "-v", "--model-dir", str(tiny_directory), "-")
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(arguments, **pipes) as process:
        log = []
        while not (log and b"EngineInfo" in log[-1]):  # then it waits for stdin
            log.append(process.stderr.readline())
            assert log[-1], f"ended with {log}"
        assert interrupted(process) == 130
        assert b"Traceback" not in process.stderr.read()


def interrupted(process: subprocess.Popen[bytes]) -> int:
    """The exit code after Ctrl-C.

    It is pressed again where nothing came of it: Python sees a signal that arrives in the moment before a
    blocking read only when that read ends.
    """
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            continue
    pytest.fail("three times Ctrl-C, and it still runs")


@pytest.mark.slow
def test_names_and_terminals_that_are_not_unicode_lose_nothing(tiny: Engine, tiny_directory: Path) -> None:
    name = os.fsdecode("звук.flac".encode("koi8-r"))
    shutil.copy("a.flac", name)
    arguments = ["transcribe", "--model-dir", str(tiny_directory), "--format", "json", name, "b.flac"]
    for encoding in ("utf-8:strict", "ascii:strict"):
        ran = start(*arguments, env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"})
        assert (ran.returncode, ran.stderr) == (0, b"")
        lines = [json.loads(line) for line in ran.stdout.decode().splitlines()]
        assert [line["file"] for line in lines] == [name, "b.flac"]
        assert [line["text"] for line in lines] == [tiny.transcribe(p).text for p in ("a.flac", "b.flac")]


def on_a_terminal(*arguments: str) -> list[str]:
    """The lines that a terminal shows, stdout and stderr together, without what was erased."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))  # a bar needs some width
    with subprocess.Popen(command(*arguments), stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(ours, 4096):
                shown += data
        except OSError:  # how Linux says that the other end is closed
            pass
        finally:
            os.close(ours)
        process.wait(timeout=60)
    lines = shown.decode().replace("\r\n", "\n").split("\n")
    return [line.rpartition("\r")[2] for line in lines if line]


def test_no_bar_stands_between_the_texts_on_a_terminal(tiny: Engine, tiny_directory: Path) -> None:
    lines = on_a_terminal("transcribe", "--model-dir", str(tiny_directory), "a.flac", "nowhere.wav", "b.flac")
    assert lines[0] == f"a.flac: {tiny.transcribe('a.flac').text}"
    assert lines[1].startswith("ERROR: ")
    assert lines[2:] == [f"b.flac: {tiny.transcribe('b.flac').text}"]


def test_with_outputs_a_terminal_shows_a_bar_below_the_log(tiny_directory: Path) -> None:
    arguments = ["transcribe", "--model-dir", str(tiny_directory), "--output", "out"]
    log, bar = on_a_terminal(*arguments, "a.flac", "nowhere.wav", "b.flac")
    assert log.startswith("ERROR: there is no file 'nowhere.wav'")
    assert bar.startswith("transcribing: 100%")
    assert on_a_terminal(*arguments, "a.flac") == []


def test_help_names_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["transcribe", "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    for line in ("0    every file was transcribed", "3    the model or the provider could not be loaded"):
        assert line in out


def test_help_does_not_load_onnx_runtime() -> None:
    code = (
        "import runpy, sys\n"
        "sys.argv[1:] = ['transcribe', '--help']\n"
        "try:\n"
        "    runpy.run_module('gigastt_lab', run_name='__main__')\n"
        "finally:\n"
        "    print('onnxruntime' in sys.modules, file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--model-dir" in ran.stdout
    assert ran.stderr.strip() == "False"
