"""Which names are known, and where their directories are."""

from __future__ import annotations

import json
import pwd
from pathlib import Path

import pytest

from gigastt_lab import models
from gigastt_lab.errors import ModelError
from gigastt_lab.files import ModelFiles
from gigastt_lab.models import DEFAULT_MODEL, DEMO_DIRECTORY, DEMO_MODEL, canonical_name, model_directory
from gigastt_lab.tokenizer import Tokenizer


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no variable."""
    monkeypatch.delenv(models.MODEL_DIR_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_default_is_the_real_model_where_gigastt_keeps_it(home: Path) -> None:
    assert model_directory(DEFAULT_MODEL) == home / ".gigastt" / "models"


def test_the_variable_overrides_the_home_and_an_argument_the_variable(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGASTT_MODEL_DIR", str(home / "variable"))
    assert model_directory(DEFAULT_MODEL) == home / "variable"
    assert model_directory(DEFAULT_MODEL, home / "argument") == home / "argument"
    assert model_directory(DEFAULT_MODEL, str(home / "argument")) == home / "argument"


def test_an_empty_variable_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGASTT_MODEL_DIR", "")
    assert model_directory(DEFAULT_MODEL) == home / ".gigastt" / "models"


@pytest.mark.parametrize("name", ["demo", "gigaam-demo"])
def test_the_demo_lies_in_the_package_whatever_the_variable_says(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGASTT_MODEL_DIR", str(home))
    assert model_directory(name) == DEMO_DIRECTORY
    assert model_directory(name, home / "argument") == home / "argument"


def test_the_demo_and_its_clips_are_there() -> None:
    assert ModelFiles.find(DEMO_DIRECTORY).encoder.is_file()
    manifest = models.DEMO_CLIPS_DIRECTORY / "manifest.jsonl"
    names = [json.loads(line)["audio"] for line in manifest.read_text(encoding="utf-8").splitlines()]
    assert sorted(names) == sorted(path.name for path in models.DEMO_CLIPS_DIRECTORY.glob("*.flac"))
    assert names


def test_names() -> None:
    assert canonical_name(DEFAULT_MODEL) == DEFAULT_MODEL == "gigaam-v3-e2e-rnnt"
    assert canonical_name(DEMO_MODEL) == canonical_name("demo") == "gigaam-demo"


@pytest.mark.parametrize("name", ["", "Demo", "gigaam-v2", "/some/where"])
def test_an_unknown_name_is_told_the_known_ones(name: str, home: Path) -> None:
    with pytest.raises(ModelError, match="gigaam-v3-e2e-rnnt, gigaam-demo, demo"):
        canonical_name(name)
    with pytest.raises(ModelError, match=f"{name!r} is not known"):
        model_directory(name, home)


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> None:
        raise KeyError  # as for a user id that a container made up

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(ModelError, match="GIGASTT_MODEL_DIR"):
        model_directory(DEFAULT_MODEL)
    assert model_directory("demo") == DEMO_DIRECTORY


def test_an_unknown_precision_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'fp16' is not known; choose one of auto, fp32, int8"):
        ModelFiles.find(tmp_path, "fp16")  # type: ignore[arg-type]


def test_a_vocabulary_that_cannot_be_read_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Tokenizer.from_file(tmp_path)  # a directory
