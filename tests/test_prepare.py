"""First use: what is downloaded and quantized before a model is loaded, and what is left as it is."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gigastt_lab.errors import (
    DirectoryNotWritableError,
    DiskFullError,
    ModelError,
    ModelExistsError,
    ModelNotFoundError,
    NothingToQuantizeError,
)
from gigastt_lab.models.registry import DEMO_DIRECTORY
from gigastt_lab.prepare import INT8_ENCODER, fetch_model, prepare_model, skips_quantizing
from tests.support.downloads import ENCODER, VOCABULARY, assert_complete
from tests.support.hub import Hub

MODEL = "gigaam-v3-e2e-rnnt"


@pytest.fixture
def quantized(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The encoders that were quantized; the INT8 ones are copies, made at once."""
    sources: list[Path] = []

    def quantize_encoder(source: Path, target: Path, **_: object) -> SimpleNamespace:
        sources.append(source)
        shutil.copy(source, target)
        return SimpleNamespace(bytes_before=4, bytes_after=1)

    monkeypatch.setattr("gigastt_lab.quantization.quantize.quantize_encoder", quantize_encoder)
    return sources


def failing(error: Exception) -> Callable[..., None]:
    def quantize_encoder(*_: object, **__: object) -> None:
        raise error

    return quantize_encoder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    directory = tmp_path / "models"
    directory.mkdir()
    return directory


@pytest.mark.parametrize("precision", ["auto", "int8"])
def test_first_use_downloads_and_quantizes(
    hub: Hub, target: Path, quantized: list[Path], precision: str
) -> None:
    assert prepare_model(MODEL, target, precision=precision) == target
    assert quantized == [target / ENCODER]
    (target / INT8_ENCODER).unlink()
    assert_complete(target, hub.model)


@pytest.mark.parametrize("named_by", ["argument", "variable"])
def test_a_directory_that_is_not_there_is_not_made(
    hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    mistyped = target.with_name("modles")
    if named_by == "variable":
        monkeypatch.setenv("GIGASTT_MODEL_DIR", str(mistyped))
    with pytest.raises(ModelNotFoundError) as caught:
        prepare_model(MODEL, mistyped if named_by == "argument" else None)
    how = "--model-dir" if named_by == "argument" else "GIGASTT_MODEL_DIR"
    for part in (f"{mistyped}: no such", f"({how})", "--model demo", f"download --model-dir {mistyped}"):
        assert part in str(caught.value)
    assert not mistyped.exists()
    assert hub.requests == []
    fetch_model(MODEL, mistyped, skip_quantize=True)  # as `download` asks
    assert_complete(mistyped, hub.model)


def test_the_usual_directory_is_made(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIGASTT_MODEL_DIR", raising=False)
    assert_complete(prepare_model(MODEL, skip_quantize=True), hub.model)


@pytest.mark.parametrize("options", [{"precision": "fp32"}, {"skip_quantize": True}], ids=str)
def test_nothing_is_quantized_that_nobody_wants(
    hub: Hub, target: Path, quantized: list[Path], options: dict[str, object]
) -> None:
    prepare_model(MODEL, target, **options)
    prepare_model(MODEL, target, **options)
    assert quantized == []
    assert_complete(target, hub.model)


def test_a_quantization_that_never_happened_is_made_up_for(
    hub: Hub, target: Path, quantized: list[Path]
) -> None:
    prepare_model(MODEL, target, skip_quantize=True)
    hub.requests.clear()
    prepare_model(MODEL, target)
    prepare_model(MODEL, target)
    assert quantized == [target / ENCODER]
    assert hub.requests == []


@pytest.mark.parametrize(
    ("names", "precision"),
    [
        (["encoder_int8.onnx", "decoder.onnx", "joint.onnx"], "auto"),  # gigastt's, its FP32 encoder deleted
        (["encoder.int8.onnx", "decoder.int8.onnx", "joint.int8.onnx"], "auto"),  # onnx-asr's
        (["encoder.int8.onnx", "decoder.int8.onnx", "joint.int8.onnx"], "int8"),
        (["encoder.onnx", "decoder.int8.onnx", "joint.int8.onnx"], "auto"),
        (["encoder.onnx", "decoder.onnx", "joint.onnx"], "fp32"),
        (["encoder.onnx", "decoder.onnx", "joint.onnx"], "auto"),
    ],
    ids=str,
)
def test_what_loads_is_left_alone(
    hub: Hub, target: Path, quantized: list[Path], names: list[str], precision: str
) -> None:
    for name in (*(f"v3_e2e_rnnt_{name}" for name in names), VOCABULARY):
        (target / name).write_bytes(b"of somebody else")
    before = sorted(target.iterdir())
    assert prepare_model(MODEL, target, precision=precision) == target
    assert (sorted(target.iterdir()), quantized, hub.requests) == (before, [], [])


def test_fp32_is_downloaded_where_only_int8_is(hub: Hub, target: Path, quantized: list[Path]) -> None:
    prepare_model(MODEL, target)
    (target / ENCODER).unlink()
    hub.requests.clear()
    prepare_model(MODEL, target, precision="fp32")
    assert [request.name for request in hub.requests] == [ENCODER]


def test_int8_that_must_not_be_made_is_not_downloaded_for(
    hub: Hub, target: Path, quantized: list[Path]
) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no INT8 encoder.*--skip-quantize"):
        prepare_model(MODEL, target, precision="int8", skip_quantize=True)
    assert hub.requests == []


@pytest.mark.parametrize(
    "error", [ModelError("no room"), OSError(30, "Read-only file system"), MemoryError()], ids=repr
)
def test_fp32_goes_on_where_quantizing_fails(
    hub: Hub,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    monkeypatch.setattr("gigastt_lab.quantization.quantize.quantize_encoder", failing(error))
    prepare_model(MODEL, target)
    assert_complete(target, hub.model)
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert (str(error) or "MemoryError") in warning.getMessage()
    assert "--precision fp32, --skip-quantize" in warning.getMessage()
    with pytest.raises(ModelError, match="INT8 encoder could not be made"):
        prepare_model(MODEL, target, precision="int8")
    assert ENCODER in fetch_model(MODEL, target.with_name("other"))


@pytest.mark.parametrize("kind", [DiskFullError, DirectoryNotWritableError, NothingToQuantizeError])
def test_errors_of_quantizing_keep_their_kind(
    hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch, kind: type[ModelError]
) -> None:
    monkeypatch.setattr("gigastt_lab.quantization.quantize.quantize_encoder", failing(kind("the reason")))
    with pytest.raises(kind, match="INT8 encoder could not be made: the reason"):
        prepare_model(MODEL, target, precision="int8")


def test_an_int8_encoder_that_another_process_made_is_no_failure(
    hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def late(source: Path, target: Path, **_: object) -> None:
        shutil.copy(source, target)
        raise ModelExistsError("there already")

    monkeypatch.setattr("gigastt_lab.quantization.quantize.quantize_encoder", late)
    prepare_model(MODEL, target, precision="int8")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_fetching_verifies_what_loads_already(hub: Hub, target: Path, quantized: list[Path]) -> None:
    assert fetch_model(MODEL, target)[-1] == INT8_ENCODER
    assert fetch_model(MODEL, target) == ()
    damaged = bytearray((target / ENCODER).read_bytes())
    damaged[1000] ^= 1
    (target / ENCODER).write_bytes(damaged)
    assert prepare_model(MODEL, target) == target  # it loads
    with pytest.raises(ModelError, match="is not the file"):
        fetch_model(MODEL, target)


@pytest.mark.parametrize("precision", ["auto", "int8"])
def test_the_demo_is_never_downloaded_or_quantized(
    hub: Hub, target: Path, quantized: list[Path], precision: str
) -> None:
    assert prepare_model("demo", precision=precision) == DEMO_DIRECTORY
    assert prepare_model("demo", target, precision=precision) == target
    assert (quantized, hub.requests, list(target.iterdir())) == ([], [], [])


def test_names_and_precisions_are_checked_before_anything_is_done(hub: Hub, target: Path) -> None:
    with pytest.raises(ModelError, match="'whisper' is not known"):
        prepare_model("whisper", target)
    with pytest.raises(ModelError, match="'fp16' is not known"):
        prepare_model(MODEL, target, precision="fp16")
    assert hub.requests == []


@pytest.mark.parametrize(
    ("value", "skips"),
    [
        *((value, True) for value in ("1", "true", "TRUE", "yes", "on", "anything")),
        *((value, False) for value in (None, "", "0", "false", "False", "no", "off", "n", "f")),
    ],
)
def test_the_variable_is_read_as_gigastt_reads_it(
    monkeypatch: pytest.MonkeyPatch, value: str | None, skips: bool
) -> None:
    monkeypatch.delenv("GIGASTT_SKIP_QUANTIZE", raising=False)
    if value is not None:
        monkeypatch.setenv("GIGASTT_SKIP_QUANTIZE", value)
    assert skips_quantizing() is skips
