"""`download` and first use on the command line: texts, exit codes, processes that die or meet."""

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
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gigastt_lab import load_engine
from gigastt_lab.__main__ import main
from gigastt_lab.models.download import STAGING_NAME
from gigastt_lab.models.registry import DEFAULT_MODEL, DEMO_DIRECTORY, KNOWN_MODELS, KnownModel
from gigastt_lab.prepare import INT8_ENCODER
from tests.support.downloads import (
    ENCODER,
    TOKEN,
    VOCABULARY,
    assert_complete,
    assert_incomplete,
    files_of_at_most,
    fill_cache,
    forget_connections,
)
from tests.support.hub import REPOSITORY, Cut, Hub, Pause, Status, model_of, serve

if TYPE_CHECKING:
    from tests.conftest import Clip

# The command line in a process of its own, with the tiny model under the name of the real one.
DRIVER = """
import json, sys
from gigastt_lab.__main__ import main
from gigastt_lab.models.registry import DEFAULT_MODEL, KNOWN_MODELS, KnownModel, ModelFile
model = json.loads(sys.argv[1])
files = tuple(ModelFile(**file) for file in model.pop("files"))
KNOWN_MODELS[DEFAULT_MODEL] = KnownModel(files=files, **model)
sys.exit(main(sys.argv[2:]))
"""


pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def home(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; the directory that the model goes to in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("GIGASTT_MODEL_DIR", "GIGASTT_SKIP_QUANTIZE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / ".gigastt" / "models"


def start(known: KnownModel, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER, json.dumps(asdict(known)), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_part(home: Path) -> None:
    """Until what the Hub sent before its pause of 200,000 bytes is on the disk."""
    deadline = time.monotonic() + 30
    while sum(path.stat().st_size for path in home.glob(f"{STAGING_NAME}/{ENCODER}*")) < 200_000 - 65_536:
        assert time.monotonic() < deadline, "nothing arrived"
        time.sleep(0.01)


# What it says, and how it exits


def test_download_says_what_it_did(hub: Hub, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["download", "--skip-quantize"]) == 0
    assert_complete(home, hub.model)
    out, err = capfd.readouterr()
    assert out.startswith(f"{DEFAULT_MODEL} is in {home}, the published files verified (new: config.json, ")
    assert "Traceback" not in err
    hub.requests.clear()
    assert main(["download", "--skip-quantize"]) == 0
    assert "everything was there already" in capfd.readouterr().out
    assert hub.requests == []


def test_the_variable_skips_quantizing_too(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIGASTT_SKIP_QUANTIZE", "1")
    assert main(["download"]) == 0
    assert "quantiz" not in capfd.readouterr().err


def test_the_demo_needs_no_download(hub: Hub, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["download", "--model", "demo"]) == 0
    assert capfd.readouterr().out == "gigaam-demo is inside the package: there is nothing to download\n"
    assert not home.exists()
    assert hub.requests == []


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (Status(500), 4, "HTTPS_PROXY"),
        (Status(429), 4, "HF_ENDPOINT"),
        (Status(401), 5, "HF_TOKEN"),
        (Status(403), 5, "HF_TOKEN"),
        (Status(404), 6, "mirror"),
    ],
    ids=lambda value: str(value.code) if isinstance(value, Status) else "",
)
@pytest.mark.usefixtures("waits", "home")
def test_answers_of_the_hub_have_codes(
    hub: Hub, status: Status, code: int, advice: str, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.always[VOCABULARY] = status
    for command in (["download"], ["transcribe", "-"]):
        assert main(command) == code
        out, err = capfd.readouterr()
        assert out == ""
        (error,) = [line for line in err.splitlines() if not line.startswith("INFO: ")]
        for part in ("ERROR: ", advice, f"{hub.url}/{REPOSITORY}/resolve/", "--model demo"):
            assert part in error


@pytest.mark.usefixtures("waits")
def test_no_network_has_a_code(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with serve({}) as gone:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", gone.url)
    assert main(["download"]) == 4
    err = capfd.readouterr().err
    assert "trying again" not in err
    assert "Traceback" not in err


def test_wrong_bytes_have_a_code(hub: Hub, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hub.files[ENCODER] = bytes(len(hub.files[ENCODER]))
    assert main(["download"]) == 7
    assert "SHA-256" in capfd.readouterr().err
    assert_incomplete(home)


def test_a_file_that_differs_has_a_code(hub: Hub, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home.mkdir(parents=True)
    (home / ENCODER).write_bytes(b"mine")
    assert main(["download"]) == 7
    assert f"{home / ENCODER} is not the file" in capfd.readouterr().err


def test_the_disk_has_codes(hub: Hub, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with files_of_at_most(150_000):
        assert main(["download"]) == 9
    assert "make room" in capfd.readouterr().err
    assert main(["download", "--model-dir", "/proc/nope"]) == 8  # fails for root, too
    assert "cannot be written to" in capfd.readouterr().err


def test_an_unknown_model_has_a_code(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["download", "--model", "whisper"]) == 3
    assert "'whisper' is not known" in capfd.readouterr().err


def test_offline_mode_by_its_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    command = [sys.executable, "-m", "gigastt_lab", "download"]  # the real registry, and no request at all
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (4, "")
    assert "offline mode is on (HF_HUB_OFFLINE)" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_verbose_shows_no_token(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert main(["download", "-v", "--skip-quantize"]) == 0
    assert {request.headers["authorization"] for request in hub.requests} == {f"Bearer {TOKEN}"}
    out, err = capfd.readouterr()
    assert "downloaded 5 files" in err
    assert TOKEN not in out + err


@pytest.mark.parametrize("command", ["download", "transcribe"])
def test_help_lists_the_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    out = capsys.readouterr().out
    for code, word in ((0, "every file"), (4, "network"), (5, "token"), (6, "lacks"), (7, "SHA-256")):
        assert any(line.startswith(f"  {code} ") and word in line for line in out.splitlines())


@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: bytes(len(data)), lambda _: b""])
def test_a_damaged_int8_encoder_is_told_how_to_be_made_anew(
    hub: Hub, home: Path, damage: Callable[[bytes], bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["download", "--skip-quantize"]) == 0
    whole = (home / ENCODER).read_bytes()
    (home / INT8_ENCODER).write_bytes(whole)  # of nobody knows whom
    capfd.readouterr()
    assert main(["download"]) == 0
    assert f"INT8 encoder of another program: {INT8_ENCODER}, 308 kB" in capfd.readouterr().out
    (home / INT8_ENCODER).write_bytes(damage(whole))
    assert main(["download", "--model-dir", str(home)]) == 3
    out, err = capfd.readouterr()
    assert "the published files verified (everything was there already)" in out
    assert f"{INT8_ENCODER} is damaged" in err
    assert f"`python -m gigastt_lab quantize --force --model-dir {home}`" in err


# First use


@pytest.mark.usefixtures("home")
def test_what_cannot_work_is_said_before_the_download(
    hub: Hub, clips: list[Clip], capfd: pytest.CaptureFixture[str]
) -> None:
    clip = str(clips[0].path)
    for arguments, code, complaint in (
        (["--provider", "nnapi", clip], 3, "provider nnapi is not in this build"),
        (["nothing.wav", "none.wav"], 1, "ERROR: there is no file 'nothing.wav'"),
        (["--output", "/proc/nope", clip], 1, "--output /proc/nope cannot be made"),
        (["--model-dir", clip, clip], 3, f"{clip} is not a directory"),
    ):
        assert main(["transcribe", *arguments]) == code
        out, err = capfd.readouterr()
        assert out == ""
        assert complaint in err
        assert "downloading" not in err
    assert hub.requests == []


def test_a_directory_in_the_place_of_a_file_is_no_download(
    hub: Hub, home: Path, clips: list[Clip], capfd: pytest.CaptureFixture[str]
) -> None:
    (home / ENCODER).mkdir(parents=True)
    assert main(["transcribe", str(clips[0].path)]) == 3
    err = capfd.readouterr().err
    assert "downloading" not in err
    assert f"{ENCODER} is a directory" in err


def test_transcribe_downloads_what_is_not_there(
    hub: Hub, home: Path, clips: list[Clip], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", "--skip-quantize", str(clips[0].path)]) == 0
    assert_complete(home, hub.model)
    out, err = capfd.readouterr()
    assert out == load_engine(model_dir=home).transcribe(clips[0].path).text + "\n"
    assert f"INFO: {DEFAULT_MODEL} is not in {home}: downloading 344 kB from {REPOSITORY}\n" in err
    hub.requests.clear()
    assert main(["transcribe", "--skip-quantize", str(clips[0].path)]) == 0
    assert capfd.readouterr() == (out, "")
    assert hub.requests == []


def test_transcribe_downloads_into_the_given_directory(
    hub: Hub, home: Path, tmp_path: Path, clips: list[Clip]
) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    arguments = ["transcribe", "--skip-quantize", "--model-dir", str(target), str(clips[0].path)]
    assert main(arguments) == 0
    assert_complete(target, hub.model)
    assert not home.exists()


def test_a_mistyped_directory_is_not_made(
    hub: Hub, home: Path, tmp_path: Path, clips: list[Clip], capfd: pytest.CaptureFixture[str]
) -> None:
    mistyped = tmp_path / "modles"
    assert main(["transcribe", "--model-dir", str(mistyped), str(clips[0].path)]) == 3
    assert f"ERROR: {mistyped}: no such model directory (--model-dir)" in capfd.readouterr().err
    assert (mistyped.exists(), hub.requests) == (False, [])
    assert main(["download", "--skip-quantize", "--model-dir", str(mistyped)]) == 0
    assert_complete(mistyped, hub.model)


@pytest.mark.usefixtures("waits")
def test_offline_the_cache_of_the_hub_serves(
    hub: Hub,
    home: Path,
    clips: list[Clip],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    fill_cache(hub, home.parent / "hub", monkeypatch)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    forget_connections()
    assert main(["transcribe", "--skip-quantize", str(clips[0].path)]) == 0
    assert_complete(home, hub.model)
    out, err = capfd.readouterr()
    assert out == load_engine(model_dir=home).transcribe(clips[0].path).text + "\n"
    assert err == f"INFO: took 344 kB of {DEFAULT_MODEL} from the Hub's cache\n"
    assert hub.requests == []


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["download"], ["transcribe"]], ids=lambda value: value[0])
def test_download_and_first_use_quantize(
    arguments: list[str],
    home: Path,
    clear_clips: list[Clip],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    order = tuple(file.name for file in KNOWN_MODELS[DEFAULT_MODEL].files)
    demo = model_of(DEMO_DIRECTORY, DEFAULT_MODEL, order)  # its encoder has products to quantize
    monkeypatch.setitem(KNOWN_MODELS, DEFAULT_MODEL, demo)
    clip = str(clear_clips[0].path)
    with serve({file.name: (DEMO_DIRECTORY / file.name).read_bytes() for file in demo.files}) as server:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        assert main(arguments if arguments == ["download"] else [*arguments, clip]) == 0
        out, err = capfd.readouterr()
        assert "making the INT8 encoder" in err
        assert (home / INT8_ENCODER).stat().st_size < (home / ENCODER).stat().st_size / 2
        assert main(["download"]) == 0
        out_again = capfd.readouterr().out
        assert "the published files verified (everything was there already)\n" in out_again
        assert f"INT8 encoder made here: {INT8_ENCODER}, " in out_again
        assert main(["models", "--json"]) == 0
        files = json.loads(capfd.readouterr().out)[0]["files"]
        assert [file["checksum"] for file in files if file["name"] == INT8_ENCODER] == ["made here"]
    expected = load_engine(model_dir=home, precision="int8").transcribe(clip).text
    if arguments == ["transcribe"]:
        assert out == expected + "\n"
    assert expected == clear_clips[0].text


# Processes


@pytest.mark.slow
def test_a_killed_download_looks_incomplete_and_is_gone_on_from(hub: Hub, home: Path) -> None:
    hub.faults[ENCODER] = [Pause(200_000)]
    with start(hub.model, "download", "--skip-quantize") as process:
        assert hub.paused.wait(timeout=30)
        wait_for_part(home)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert_incomplete(home)
    hub.go.set()
    hub.requests.clear()
    assert main(["download", "--skip-quantize"]) == 0  # its lock is free
    assert_complete(home, hub.model)
    (request,) = hub.requests
    assert request.start >= 200_000 - 65_536


@pytest.mark.slow
def test_two_processes_download_once(hub: Hub, home: Path) -> None:
    hub.faults[ENCODER] = [Pause(200_000)]
    with start(hub.model, "download", "--skip-quantize") as first:
        assert hub.paused.wait(timeout=30)
        with start(hub.model, "download", "--skip-quantize") as second:
            line = second.stderr.readline()
            hub.go.set()
            results = [process.communicate(timeout=30) for process in (first, second)]
    assert line == f"INFO: another process is writing into {home}: waiting\n"
    assert (first.returncode, second.returncode) == (0, 0)
    assert "new: config.json" in results[0][0]
    assert "everything was there already" in results[1][0]
    assert [request.name for request in hub.requests] == [file.name for file in hub.model.files]
    assert_complete(home, hub.model)


def test_ctrl_c_exits_with_130_and_keeps_what_is_there(hub: Hub, home: Path) -> None:
    hub.faults[ENCODER] = [Pause(200_000)]
    with start(hub.model, "download", "--skip-quantize") as process:
        assert hub.paused.wait(timeout=30)
        wait_for_part(home)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert_incomplete(home)
    assert any((home / STAGING_NAME).iterdir())


@pytest.mark.slow
def test_the_bar_is_for_terminals(hub: Hub, home: Path) -> None:
    hub.faults[ENCODER] = [Cut(100_000)]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))  # a bar needs some width
    command = [sys.executable, "-c", DRIVER, json.dumps(asdict(hub.model)), "download", "--skip-quantize"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(ours, 4096):
                shown += data
        except OSError:  # how Linux says that the other end is closed
            pass
        finally:
            os.close(ours)
    assert process.returncode == 0
    lines = [line.rpartition("\r")[2] for line in shown.decode().replace("\r\n", "\n").split("\n")]
    asked, again, bar, done, _ = lines
    assert asked.startswith(f"INFO: {hub.model.name} is not in {home}: downloading 344 kB from ")
    assert again.startswith(f"INFO: {ENCODER}: ")
    assert again.endswith("; trying again in 1 s")
    assert bar.startswith(f"{ENCODER}: 100%|")
    assert done == f"INFO: downloaded 5 files, 344 kB, to {home}"
