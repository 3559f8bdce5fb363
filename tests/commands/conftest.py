"""A small random model for the tests of commands, and `transcribe` with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gigastt_lab import Engine, load_engine
from gigastt_lab.__main__ import main
from tests.support.graphs import Sizes, write_model


@pytest.fixture(scope="module")
def tiny_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model, which loads at once and writes letters."""
    return write_model(tmp_path_factory.mktemp("tiny"), Sizes(n_mels=64), blank_bias=200.0)


@pytest.fixture(scope="module")
def tiny(tiny_directory: Path) -> Engine:
    """The engine of that model."""
    return load_engine(model_dir=tiny_directory)


@pytest.fixture
def run(tiny_directory: Path) -> Callable[..., int]:
    """`transcribe` with the random model, in this process."""
    return lambda *arguments: main(["transcribe", "--model-dir", str(tiny_directory), *arguments])
