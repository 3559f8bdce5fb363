"""What `transcribe` is given: folders, patterns, pipes; and the names of what it writes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gigastt_lab import Engine
from gigastt_lab.commands.outputs import output_names

if TYPE_CHECKING:
    from tests.conftest import Clip

Run = Callable[..., int]

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: clips in `in` and below it, and what is none."""
    for name, clip in zip(
        ("in/a.flac", "in/deep/a.FLAC", "in/deep/b", "in/.hidden.flac"), clips, strict=False
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(clip.path, path)
    (tmp_path / "in" / "notes.txt").write_text("no audio")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines_of(engine: Engine, *names: str) -> str:
    return "".join(f"{name}: {engine.transcribe(name).text}\n" for name in names)


def test_a_folder_stands_for_its_audio_files(
    run: Run, tiny: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("in") == 0
    out, err = capsys.readouterr()
    assert out == lines_of(tiny, "in/a.flac", "in/deep/a.FLAC", "in/deep/b")
    assert err == "WARNING: in: 1 files that are no audio are passed over (notes.txt)\n"


def test_outputs_keep_their_places_in_the_folder(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # outputs are no inputs of the next time
        assert run("in", "in/deep/b", "--output", "in/out") == 0
        written = sorted(path.relative_to("in/out") for path in Path("in/out").rglob("*") if path.is_file())
        assert written == [Path("a.txt"), Path("b.txt"), Path("deep/a.txt"), Path("deep/b.txt")]
        assert "out" not in capsys.readouterr().err


def test_one_file_of_a_folder_is_named_as_several_are(
    run: Run, tiny: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    os.unlink("in/deep/b")
    assert run("in/deep") == 0
    assert capsys.readouterr().out == lines_of(tiny, "in/deep/a.FLAC")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("in/*.flac", ["in/a.flac"]),
        ("in/**/*", ["in/a.flac", "in/deep/a.FLAC", "in/deep/b"]),
        ("in/d*", ["in/deep/a.FLAC", "in/deep/b"]),
        ("in/[ab].flac", ["in/a.flac"]),
    ],
)
def test_a_pattern_that_no_shell_has_looked_at(
    run: Run, tiny: Engine, pattern: str, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    os.unlink("in/notes.txt")
    assert run(pattern) == 0
    assert set(capsys.readouterr().out.splitlines()) == set(lines_of(tiny, *names).splitlines())


def test_a_name_that_looks_like_a_pattern_is_a_name(
    run: Run, tiny: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    os.rename("in/a.flac", "in/[a].flac")
    assert run("in/[a].flac") == 0
    assert capsys.readouterr().out == tiny.transcribe("in/[a].flac").text + "\n"


def test_where_nothing_is_found_it_says_so(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert run("*.mp3", "empty") == 1
    assert capsys.readouterr().err == (
        "ERROR: no file matches '*.mp3'; check the pattern\nERROR: 'empty' is a folder without audio files\n"
    )
    assert run("*.mp3", "in/a.flac") == 1
    out, err = capsys.readouterr()
    assert out.startswith("in/a.flac: ")
    assert err == "ERROR: no file matches '*.mp3'; check the pattern\n"


def test_a_folder_of_subtitles_needs_an_output(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--format", "srt", "in")
    assert "give --output DIR" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_heard(run: Run, tiny: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe")
    data = Path("in/a.flac").read_bytes()
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(data))
    writer.start()
    assert run("pipe") == 0
    writer.join()
    assert capsys.readouterr().out == tiny.transcribe("in/a.flac").text + "\n"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash to substitute processes")
@pytest.mark.parametrize(
    "line",
    ["{} <(cat in/a.flac)", "{} /dev/stdin < in/a.flac", "cat in/a.flac | {} /dev/stdin", "{} - < in/a.flac"],
)
def test_what_shells_make_of_pipes(tiny: Engine, tiny_directory: Path, line: str) -> None:
    command = f"{sys.executable} -m gigastt_lab transcribe --model-dir {tiny_directory}"
    ran = subprocess.run(["bash", "-c", line.format(command)], capture_output=True, timeout=60, check=False)
    assert ran.stdout.decode() == tiny.transcribe("in/a.flac").text + "\n", ran.stderr


# Names


def test_a_name_that_is_too_long_is_shortened(run: Run, tiny: Engine) -> None:
    longest = os.pathconf(".", "PC_NAME_MAX")
    latin, cyrillic = "x" * (longest - 4) + ".wav", "я" * ((longest - 4) // 2) + ".wav"
    for name in (latin, cyrillic):
        shutil.copy("in/a.flac", name)
    assert run("--output", "out", "--format", "json", latin, cyrillic) == 0
    written = sorted(path.name for path in Path("out").iterdir())
    assert written == sorted(["x" * (longest - 5) + ".json", "я" * ((longest - 5) // 2) + ".json"])


def test_shortened_names_do_not_meet() -> None:
    names = [Path(folder, "x" * 260 + end) for folder in ("", "deep") for end in ("1.wav", "2.wav", "3.wav")]
    found = output_names(names, "txt", longest=20)
    assert [path.as_posix() for path in found] == [
        f"{folder}{name}"
        for folder in ("", "deep/")
        for name in ("x" * 16 + ".txt", "x" * 14 + ".2.txt", "x" * 14 + ".3.txt")
    ]


def test_names_that_differ_in_capitals_alone_do_not_meet() -> None:
    found = output_names([Path("A.wav"), Path("a.wav"), Path("deep/a.wav")], "txt")
    assert [path.as_posix() for path in found] == ["A.wav.txt", "a.wav.2.txt", "deep/a.txt"]


def test_an_output_that_cannot_be_written_to_is_known_before_the_work(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # to root, everything is writable
    monkeypatch.setattr("gigastt_lab.commands.transcribe._load", lambda _: pytest.fail("was loaded"))
    assert run("--output", "out", "in/a.flac") == 1
    assert "--output out cannot be written to" in capsys.readouterr().err


# Encodings


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1251", "cp1252", "ascii"])
def test_a_pipe_gets_utf_8_whatever_the_code_page(
    tmp_path: Path, tiny_directory: Path, encoding: str
) -> None:
    shutil.copy("in/a.flac", "₽.flac")
    code = (  # a stdout as Windows has it
        "import io, sys\n"
        f"sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding={encoding!r})\n"
        "from gigastt_lab.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", code, "transcribe", "--model-dir", str(tiny_directory), "₽.flac", "in"]
    keep = {name: value for name, value in os.environ.items() if name != "PYTHONIOENCODING"}
    for environment, expected in (
        (keep, "₽.flac: "),
        (keep | {"PYTHONIOENCODING": encoding}, "\\u20bd.flac: "),
    ):
        ran = subprocess.run(command, capture_output=True, timeout=60, check=True, env=environment)
        assert ran.stdout.startswith(expected.encode())


def test_no_output_takes_the_place_of_an_input(run: Run, folder: Path) -> None:
    recording = (folder / "in" / "a.flac").read_bytes()
    (folder / "in" / "a.txt").write_bytes(recording)
    (folder / "in" / "a.flac").unlink()
    assert run("in/a.txt", "--output", "in") == 0
    assert (folder / "in" / "a.txt").read_bytes() == recording
    assert (folder / "in" / "a.2.txt").is_file()
    (folder / "other").symlink_to("in")  # the same folder by another name
    assert run("in/a.txt", "--output", "other") == 0
    assert (folder / "in" / "a.txt").read_bytes() == recording


def test_an_empty_output_is_a_mistake_and_not_the_working_directory(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    with pytest.raises(SystemExit) as caught:
        run("in/a.flac", "--output", "")
    assert caught.value.code == 2
    assert "argument --output: it is empty; give a folder" in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before
