"""What several test files share: one engine with the packaged demo model, and its sample clips."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gigastt_lab import Engine, load_engine
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.models.registry import DEFAULT_MODEL, DEMO_CLIPS_DIRECTORY, KNOWN_MODELS, KnownModel
from gigastt_lab.runtime import cache as model_cache
from gigastt_lab.runtime.cores import core_count
from tests.support.downloads import forget_connections
from tests.support.examples import load_profile
from tests.support.graphs import Sizes, write_model
from tests.support.hub import Hub, model_of, serve
from tests.support.word_errors import word_errors

collect_ignore = ["support/schemathesis_hooks.py"]  # of another program, which is not always installed


def pytest_configure(config: pytest.Config) -> None:
    """Settings of all tests, and of the programs that they start."""
    load_profile(config)
    # Processes of tests side by side share the cores: more threads than cores wait for one another, spinning.
    n_processes = int(getattr(config, "workerinput", {}).get("workercount", 1))
    if n_processes > 1:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, core_count() // n_processes)))
    # Compiled once, whatever the machine's habit: tests start this package's programs hundreds of times.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.pop("COLUMNS", None)  # by which tables would be folded
    # They shall hear Ctrl-C, though this one was started in the background without it.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # What this run prepares, for the programs that it starts as well; not among the user's.
    os.environ[model_cache.VARIABLE] = tempfile.mkdtemp(prefix="gigastt-lab-tests-")


def pytest_unconfigure() -> None:
    """Delete what was prepared."""
    shutil.rmtree(os.environ[model_cache.VARIABLE], ignore_errors=True)


@dataclass(frozen=True)
class Clip:
    """A packaged utterance: where it is, what it says, its samples at 16 kHz."""

    path: Path
    text: str
    waveform: np.ndarray


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The demo model in FP32, whose texts do not depend on the processor; no test may change it."""
    return load_engine("demo", precision="fp32")


@pytest.fixture(scope="session")
def int8_engine() -> Engine:
    """The demo model in INT8; of words that it is unsure of, one or another depends on the processor."""
    return load_engine("demo", precision="int8")


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    """All packaged clips; every waveform is a multiple of 2^-15, so PCM16 holds it exactly."""
    lines = (DEMO_CLIPS_DIRECTORY / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    paths = [(DEMO_CLIPS_DIRECTORY / entry["audio"], entry["text"]) for entry in map(json.loads, lines)]
    return [Clip(path, text, decode_audio(path)) for path, text in paths]


@pytest.fixture(scope="session")
def clear_clips(clips: list[Clip], engine: Engine) -> list[Clip]:
    """The clips that the demo model knows best, and gets right: commands to an assistant, by espeak-ng.

    It is sure of them. What it makes of others depends on the pauses around them, in INT8 on the processor.
    """
    commands = [clip for clip in clips if "assistant_espeak" in clip.path.name]
    return [clip for clip in commands if not word_errors(engine.transcribe(clip.path).text, clip.text)]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model as somebody published it, its encoder larger than what one read from a socket brings."""
    directory = write_model(
        tmp_path_factory.mktemp("published"), Sizes(n_mels=64, n_encoded=1200), blank_bias=200.0
    )
    (directory / "config.json").write_text('{"model_type": "gigaam-v3-e2e-rnnt"}', encoding="utf-8")
    return directory


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of prepared models of this test alone, empty."""
    monkeypatch.setenv(model_cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def known(published: Path, monkeypatch: pytest.MonkeyPatch) -> KnownModel:
    """The tiny model, under the name of the real one."""
    order = tuple(file.name for file in KNOWN_MODELS[DEFAULT_MODEL].files)
    model = model_of(published, DEFAULT_MODEL, order)
    monkeypatch.setitem(KNOWN_MODELS, DEFAULT_MODEL, model)
    return model


@pytest.fixture
def hub(published: Path, known: KnownModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub that has the tiny model; the client of this process and of its children goes there."""
    from huggingface_hub import constants

    for name in list(os.environ):
        if name.upper().startswith("HF_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", str(tmp_path / "hf" / "agents"), raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with serve({file.name: (published / file.name).read_bytes() for file in known.files}) as server:
        server.model = known
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "ENDPOINT", server.url
        )  # the client read the variable when it was imported
        forget_connections()
        yield server
        forget_connections()


@contextmanager
def _logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    for name in list(root.manager.loggerDict):
        if name.startswith(("gigastt_lab", "evaluation")):
            logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(scope="module", autouse=True)
def logging_of_a_file() -> Iterator[None]:
    """The command line configures logging, for fixtures of a file as well: the next file shall not notice."""
    with _logging_restored():
        yield


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """For tests of the command line, which configures logging."""
    with _logging_restored():
        yield


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that a download would have waited between its attempts; it does not."""
    seconds: list[float] = []
    monkeypatch.setattr("gigastt_lab.models.hub.time", SimpleNamespace(sleep=seconds.append, time=time.time))
    return seconds
