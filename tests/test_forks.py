"""Engines in other processes: pickled, sent to pools, and left behind by a fork."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from gigastt_lab import Engine, ModelError, load_engine
from gigastt_lab.models.registry import DEMO_DIRECTORY
from gigastt_lab.runtime.sessions import Session

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def program(tmp_path: Path, text: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A program in a file of its own, as `spawn` needs it."""
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    command = [sys.executable, str(path), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


# Pickles


def test_an_engine_pickles_as_what_it_was_loaded_from() -> None:
    engine = load_engine("demo", precision="fp32", max_symbols=9)
    data = pickle.dumps(engine)
    assert len(data) < 1000
    assert pickle.loads(data) is engine  # it is here already
    assert copy.deepcopy(engine) is engine


@pytest.mark.slow
def test_options_travel_too(tmp_path: Path) -> None:
    engine = load_engine("demo", precision="fp32", threads=1, max_symbols=2)
    ran = program(
        tmp_path,
        """
        import pickle, sys
        engine = pickle.loads(bytes.fromhex(sys.argv[1]))
        again = pickle.loads(bytes.fromhex(sys.argv[1]))
        print(again is engine, engine._recognizer.search._max_symbols)
        print(engine.info)
        """,
        pickle.dumps(engine).hex(),
    )
    assert ran.stdout.splitlines() == ["True 2", str(engine.info)], ran.stderr


@pytest.mark.slow
def test_a_directory_is_found_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").symlink_to(DEMO_DIRECTORY)
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(load_engine("demo", model_dir="model"))
    monkeypatch.chdir("/")
    assert pickle.loads(data).info.directory in {"model", str(tmp_path / "model")}


def test_what_load_engine_did_not_make_says_so(engine: Engine) -> None:
    other = Engine(engine._recognizer, engine._tokenizer, engine.info)
    with pytest.raises(pickle.PicklingError, match="not made by load_engine"):
        pickle.dumps(other)
    with pytest.raises(pickle.PicklingError, match="pickle the engine"):
        pickle.dumps(engine.stream())


@pytest.mark.slow
def test_a_pool_of_spawned_processes_transcribes(engine: Engine, clips: list, tmp_path: Path) -> None:
    ran = program(
        tmp_path,
        """
        import multiprocessing, sys
        from gigastt_lab import load_engine

        if __name__ == "__main__":
            engine = load_engine("demo", precision="fp32")
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                for transcript in pool.map(engine.transcribe, sys.argv[1:]):
                    print(transcript.text)
        """,
        *(clip.path for clip in clips[:4]),
    )
    assert ran.stdout.splitlines() == [engine.transcribe(clip.path).text for clip in clips[:4]], ran.stderr


# Forks

FORKED = """
import os, sys
{before}
from gigastt_lab import load_engine

engine = load_engine("demo", precision="fp32", threads=2)
print(engine.transcribe(sys.argv[1]).text, flush=True)
child = os.fork()
if child == 0:
    {child}
    sys.exit(7)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status))
"""


@needs_fork
@pytest.mark.parametrize(
    "before",
    ["", pytest.param("import onnxruntime", marks=pytest.mark.slow)],
    ids=["", "with ONNX Runtime's telemetry"],
)
@pytest.mark.parametrize(
    "child",
    [
        pytest.param("pass", id="unused", marks=pytest.mark.slow),
        pytest.param("del engine", id="deleted", marks=pytest.mark.slow),
        pytest.param("print(engine.transcribe(sys.argv[1]).text)", id="used"),
        pytest.param(
            "print(engine.transcribe_batch([sys.argv[1]])[0].text)", id="batch", marks=pytest.mark.slow
        ),
        pytest.param(
            "print(load_engine('demo', precision='fp32').transcribe(sys.argv[1]).text)",
            id="loaded anew",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_forked_child_transcribes_and_ends(
    engine: Engine, clips: list, tmp_path: Path, before: str, child: str
) -> None:
    ran = program(tmp_path, FORKED.format(before=before, child=child), clips[0].path)
    text = engine.transcribe(clips[0].path).text
    assert ran.stdout.splitlines() == [text] * (2 if "print" in child else 1) + ["7"], ran.stderr
    assert ran.stderr == ""


@pytest.mark.slow
@needs_fork
def test_a_pool_of_forked_processes_transcribes(engine: Engine, clips: list, tmp_path: Path) -> None:
    ran = program(
        tmp_path,
        """
        import multiprocessing, sys
        from gigastt_lab import load_engine

        engine = load_engine("demo", precision="fp32")
        engine.transcribe(sys.argv[1])

        def text_of(path):
            return engine.transcribe(path).text

        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(*pool.map(text_of, sys.argv[1:]), sep="\\n")
            print(*(transcript.text for transcript in pool.map(engine.transcribe, sys.argv[1:])), sep="\\n")
        """,
        *(clip.path for clip in clips[:3]),
    )
    assert ran.stdout.splitlines() == [engine.transcribe(clip.path).text for clip in clips[:3]] * 2, (
        ran.stderr
    )


def outcome_in_child(call: object) -> str:
    """What a call says in a forked process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            call()
            said = "nothing"
        except ModelError as error:
            said = str(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    deadline = time.monotonic() + 30
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        assert time.monotonic() < deadline, "the child does not end"
        time.sleep(0.01)
    with os.fdopen(reading, "rb") as file:
        return file.read().decode()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_stream_of_the_parent_says_what_to_do(engine: Engine, clips: list) -> None:
    session = engine.stream()
    waveform = clips[0].waveform
    said = outcome_in_child(lambda: (session.accept(waveform), session.finish()))
    assert 'load the engine in the new process, or start that by multiprocessing.get_context("spawn")' in said


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_what_cannot_be_loaded_again_says_what_to_do(tmp_path: Path, clips: list) -> None:
    directory = tmp_path / "model"
    directory.mkdir()
    for file in DEMO_DIRECTORY.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    engine = load_engine("demo", model_dir=directory, precision="fp32")
    directory.rename(tmp_path / "moved")
    said = outcome_in_child(lambda: engine.transcribe(clips[0].path))
    assert "no such model directory" in said
    assert 'multiprocessing.get_context("spawn")' in said
    gpu = load_engine("demo", precision="fp32")
    gpu._origin = gpu._origin._replace(provider="cuda")
    assert "was loaded on cuda before" in outcome_in_child(lambda: gpu.transcribe(clips[0].path))


@pytest.mark.slow
def test_telemetry_is_off() -> None:
    code = "import gigastt_lab.runtime.sessions, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    for environment, expected in (({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")):
        keep = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
        ran = subprocess.run(
            [sys.executable, "-c", code], env=keep | environment, capture_output=True, text=True, check=True
        )
        assert ran.stdout.strip() == expected


def test_sessions_are_not_copied(engine: Engine) -> None:
    session: Session = engine._recognizer.encoder.session
    with pytest.raises(pickle.PicklingError):
        copy.copy(session)
