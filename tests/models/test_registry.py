"""Which names are known, and where their directories are."""

from __future__ import annotations

import hashlib
import json
import pwd
import re
from pathlib import Path

import pytest

from gigastt_lab.errors import ModelError
from gigastt_lab.models import registry as models
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.registry import (
    DEFAULT_MODEL,
    DEMO_DIRECTORY,
    DEMO_MODEL,
    KNOWN_MODELS,
    ModelFile,
    canonical_name,
    model_directory,
)
from gigastt_lab.recognition.tokenizer import Tokenizer


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


def test_an_empty_argument_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_directory("demo", "") == DEMO_DIRECTORY
    assert model_directory(DEFAULT_MODEL, "") == home / ".gigastt" / "models"
    monkeypatch.setenv("GIGASTT_MODEL_DIR", str(home / "variable"))
    assert model_directory(DEFAULT_MODEL, "") == home / "variable"


def test_a_tilde_is_the_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_directory(DEFAULT_MODEL, "~/argument") == home / "argument"
    monkeypatch.setenv("GIGASTT_MODEL_DIR", "~/variable")
    assert model_directory(DEFAULT_MODEL) == home / "variable"
    with pytest.raises(ModelError, match="no home directory for '~nobody_of_this_name/x'"):
        model_directory(DEFAULT_MODEL, "~nobody_of_this_name/x")


def test_what_is_no_directory_is_said_to_be_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    (home / "dangling").symlink_to("nowhere")
    (home / "link").symlink_to(".")
    assert model_directory(DEFAULT_MODEL, home / "link" / "new") == home / "link" / "new"
    for place, complaint in (
        ("file", "file is not a directory"),
        ("file/models", "file is not a directory"),
        ("dangling", "dangling is a link to nothing"),
    ):
        with pytest.raises(ModelError, match=complaint):
            model_directory(DEFAULT_MODEL, home / place)
        monkeypatch.setenv("GIGASTT_MODEL_DIR", str(home / place))
        with pytest.raises(ModelError, match=complaint):
            model_directory(DEFAULT_MODEL)


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


def test_every_known_model_is_named_by_its_key_and_complete() -> None:
    for name, model in KNOWN_MODELS.items():
        assert model.name == name == canonical_name(name)
        assert (model.repository is None) == (model.revision is None)
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) and file.size > 0 for file in model.files)
        names = [file.name for file in model.files]
        assert len(set(names)) == len(names)
        encoders = [name for name in names if "encoder" in name]
        assert names[-len(encoders) :] == encoders  # a directory without one does not load
        assert names[0] == "config.json"


def test_the_real_model_is_the_one_that_gigastt_takes() -> None:
    model = KNOWN_MODELS[DEFAULT_MODEL]
    assert model.repository == "istupakov/gigaam-v3-onnx"
    assert model.revision == "322c3b29492673eb7d0b434bfa9dfb8653e34d02"
    assert {file.name: file.sha256[:8] for file in model.files} == {  # crates/gigastt-core/src/model/mod.rs
        "config.json": "0641fcf7",  # gigastt has none
        "v3_e2e_rnnt_encoder.onnx": "cd60b376",
        "v3_e2e_rnnt_decoder.onnx": "7b0a16d6",
        "v3_e2e_rnnt_joint.onnx": "602ff701",
        "v3_e2e_rnnt_vocab.txt": "39abae20",
    }
    assert sum(file.size for file in model.files) == 892_410_829


def test_the_packaged_model_is_the_one_that_the_registry_describes() -> None:
    files = {path.name: path.read_bytes() for path in DEMO_DIRECTORY.iterdir() if path.suffix != ".md"}
    on_disk = {ModelFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()}
    assert set(KNOWN_MODELS[DEMO_MODEL].files) == on_disk


def test_an_unknown_precision_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'fp16' is not known; choose one of auto, fp32, int8"):
        ModelFiles.find(tmp_path, "fp16")  # type: ignore[arg-type]


def test_a_vocabulary_that_cannot_be_read_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Tokenizer.from_file(tmp_path)  # a directory
