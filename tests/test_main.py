"""The command line as a whole: version, help, the evaluation's commands, completion in shells."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from evaluation.cli.main import COMMANDS as EVALUATIONS
from gigastt_lab.__main__ import COMMANDS, main
from gigastt_lab.models.registry import DEMO_DIRECTORY

CLIP = str(DEMO_DIRECTORY.parent / "clips" / "clip_00_assistant_espeak-ng.flac")
CLIP_TEXT = "Салют, включи телеканал Культура."


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr() == (f"gigastt-lab {version('gigastt-lab')}\n", "")


def test_alone_it_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in ("transcribe", "download", "quantize", "models", "serve", "completion", "eval", "--version"):
        assert name in out


def test_eval_is_the_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "datasets", "--dataset", "demo"]) == 0
    assert "demo/000000" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["eval", "score", "--help"])
    assert capsys.readouterr().out.startswith("usage: gigastt-lab eval score ")
    with pytest.raises(SystemExit) as caught:
        main(["eval", "score"])
    assert caught.value.code == 2


def test_eval_without_its_packages_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "from gigastt_lab.__main__ import main\n"
        "sys.exit(main(['eval']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "the evaluation needs pandas: pip install 'gigastt-lab[eval]'\n"


STANDARD = {"stdin": 0, "stdout": 1, "stderr": 2}


def run_with_closed(closed: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """A run of the command line that has one of the standard streams closed, as `>&-` does."""
    command = [sys.executable, "-m", "gigastt_lab", *arguments]
    streams = {name: subprocess.PIPE for name in ("stdout", "stderr") if name != closed}
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {STANDARD[closed]}>&-', "sh", *command],
        timeout=60, check=False, **streams, **options,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [["--version"], ["transcribe", "--model", "demo", CLIP]])
def test_a_closed_stdout_is_told(arguments: list[str]) -> None:
    ran = run_with_closed("stdout", *arguments)
    assert ran.returncode == 1
    assert b"stdout is closed; redirect it to a file" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_a_closed_stdout_is_nothing_to_who_writes_files(tmp_path: Path) -> None:
    ran = run_with_closed("stdout", "transcribe", "--model", "demo", CLIP, "--output", str(tmp_path))
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == [f"{CLIP_TEXT}\n"]


def test_a_closed_stdin_has_no_bytes() -> None:
    ran = run_with_closed("stdin", "transcribe", "--model", "demo", "-")
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"no bytes; give the content of an audio file" in ran.stderr


def test_without_stderr_the_text_is_still_written() -> None:
    ran = run_with_closed("stderr", "transcribe", "--model", "demo", CLIP)
    assert (ran.returncode, ran.stdout.decode()) == (0, f"{CLIP_TEXT}\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("command", [["--version"], ["models"]])
def test_what_cannot_be_written_is_told_once(command: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "gigastt_lab", *command],
            stdout=full, stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.endswith(b"[Errno 28] No space left on device\n")
    assert b"Exception ignored" not in ran.stderr


def test_the_reader_of_a_help_may_leave() -> None:
    shell = f"{sys.executable} -m gigastt_lab serve --help | true"
    ran = subprocess.run(["sh", "-c", shell], capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "gigastt-lab.bash"
    command = [sys.executable, "-m", "gigastt_lab", "completion", "bash"]
    path.write_bytes(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)
    return path


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tr"], {"transcribe"}),
        (["transcribe", "--format", ""], {"txt", "json", "srt", "vtt", "md"}),
        (["transcribe", "--prec"], {"--precision"}),
        (["transcribe", "a"], {"a.wav"}),
        (["transcribe", "--model-dir", ""], {"models"}),
        (["eval", ""], {name for name in EVALUATIONS if name}),
        (["eval", "score", "--det"], {"--details"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bash_completes(bash_script: Path, tmp_path: Path, words: list[str], expected: set[str]) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "models").mkdir()
    line = " ".join(f"'{word}'" for word in ["gigastt-lab", *words])
    code = (
        f"source {bash_script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _shtab_gigastt_lab; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ran = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert expected <= set(ran.stdout.split()), ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh", "powershell"])
def test_other_shells_get_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "gigastt-lab" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", [[], ["eval"], *([command.__name__.rpartition(".")[2]] for command in COMMANDS)], ids=str
)
def test_help_fits_80_columns(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 80] == []


def test_the_table_of_models_fits_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    main(["models"])
    whole = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "80")
    main(["models"])
    fitted = capsys.readouterr().out
    assert max(map(len, whole.splitlines())) > 80
    assert max(map(len, fitted.splitlines())) <= 80
    assert fitted.split() == whole.split()
