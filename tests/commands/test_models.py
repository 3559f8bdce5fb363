"""`models`: what it shows of the registry and of the disk, and that it claims nothing unchecked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gigastt_lab.__main__ import main
from gigastt_lab.models.registry import DEFAULT_MODEL, DEMO_DIRECTORY, KNOWN_MODELS, KnownModel
from gigastt_lab.prepare import INT8_ENCODER
from gigastt_lab.quantization.quantize import RECIPE_KEY

pytestmark = pytest.mark.usefixtures("logging_as_it_was")
# A metadata entry of an ONNX file: it may stand anywhere between the outermost fields.
_ENTRY = b"\x0a%c%s\x12\x06matmul" % (len(RECIPE_KEY), RECIPE_KEY.encode())
MADE_HERE = b"\x72%c%s" % (len(_ENTRY), _ENTRY)
ENCODER, CONFIG = "v3_e2e_rnnt_encoder.onnx", "config.json"


@pytest.fixture
def directory(known: KnownModel, published: Path, tmp_path: Path) -> Path:
    """A directory that holds the tiny model in place of the real one."""
    return Path(shutil.copytree(published, tmp_path / "models"))


def states(
    directory: Path, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, dict[str, str]]:
    """The exit code, and the states of the real model's files."""
    code = main(["models", "--json", "--model-dir", str(directory), *arguments])
    real, _ = json.loads(capsys.readouterr().out)
    return code, {file["name"]: file["checksum"] for file in real["files"]}


def test_nothing_is_ok_that_was_not_computed(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, before = states(directory, capsys)
    assert (code, set(before.values())) == (0, {"not verified"})
    code, after = states(directory, capsys, "--verify")
    assert (code, set(after.values())) == (0, {"ok"})


def test_what_differs_and_what_is_missing(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = bytearray((directory / ENCODER).read_bytes())
    damaged[1000] ^= 1
    (directory / ENCODER).write_bytes(damaged)  # of the same size
    (directory / "v3_e2e_rnnt_vocab.txt").write_text("shorter")
    (directory / "v3_e2e_rnnt_joint.onnx").unlink()
    code, before = states(directory, capsys)
    assert (code, before[ENCODER], before["v3_e2e_rnnt_vocab.txt"]) == (0, "not verified", "differs")
    code, after = states(directory, capsys, "--verify")
    assert code == 7
    assert after == {
        CONFIG: "ok",
        "v3_e2e_rnnt_vocab.txt": "differs",
        "v3_e2e_rnnt_joint.onnx": "missing",
        "v3_e2e_rnnt_decoder.onnx": "ok",
        ENCODER: "differs",
    }


def test_a_missing_model_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, files = states(tmp_path / "nowhere", capsys, "--verify")
    assert (code, set(files.values())) == (0, {"missing"})
    assert not (tmp_path / "nowhere").exists()


def test_what_was_made_here_is_said_to_be(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / CONFIG).write_text('{"model_type": "gigaam-v3-e2e-rnnt", "version": "v3"}')
    (directory / INT8_ENCODER).write_bytes((directory / ENCODER).read_bytes() + MADE_HERE)
    code, files = states(directory, capsys, "--verify")
    assert (code, files[CONFIG], files[INT8_ENCODER]) == (0, "own", "made here")
    main(["models", "--json", "--model-dir", str(directory)])
    real, demo = json.loads(capsys.readouterr().out)
    assert real["precisions"] == ["fp32", "int8"]
    size = (directory / INT8_ENCODER).stat().st_size
    assert real["files"][-1] == {"name": INT8_ENCODER, "size": size, "sha256": None, "checksum": "made here"}
    assert (demo["repository"], demo["directory"]) == (None, str(DEMO_DIRECTORY))


def test_what_was_not_made_here_is_not_said_to_be(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / INT8_ENCODER).write_bytes((directory / ENCODER).read_bytes())
    assert states(directory, capsys)[1][INT8_ENCODER] == "not known"
    for damaged in (b"INT8", b"", (directory / ENCODER).read_bytes()[:-10]):
        (directory / INT8_ENCODER).write_bytes(damaged)
        assert states(directory, capsys)[1][INT8_ENCODER] == "damaged"


def test_the_files_of_another_layout_are_listed(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for graph in ("encoder", "decoder", "joint"):
        (directory / f"v3_e2e_rnnt_{graph}.onnx").rename(directory / f"v3_e2e_rnnt_{graph}.int8.onnx")
    assert main(["models", "--model-dir", str(directory)]) == 0
    lines = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert "  precision  int8" in lines
    for graph in ("encoder", "decoder", "joint"):
        (line,) = (line for line in lines if f"{graph}.int8.onnx" in line)
        assert line.endswith("not known")


def test_what_cannot_be_read_exits_with_3(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str | Path) -> list[str]:  # root may read everything
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.listdir", refuse)
    assert main(["models", "--model-dir", str(directory)]) == 3
    assert capsys.readouterr() == ("", f"ERROR: {directory} cannot be read: Permission denied\n")
    assert main(["models", "--model-dir", str(directory / CONFIG)]) == 3
    assert f"{directory / CONFIG} is not a directory" in capsys.readouterr().err


def test_the_packaged_model_is_as_published(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["models", "--json", "--verify", "--model-dir", str(tmp_path)]) == 0
    _, demo = json.loads(capsys.readouterr().out)
    assert {file["checksum"] for file in demo["files"]} == {"ok"}
    assert "fp32" in demo["precisions"]


def test_the_table_is_aligned(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "v3_e2e_rnnt_joint.onnx").unlink()
    assert main(["models", "--model-dir", str(directory)]) == 0
    out = capsys.readouterr().out
    blocks = out.split("\n\n")
    assert blocks[0].splitlines() == [
        f"{DEFAULT_MODEL}: for tests (MIT)",
        "  from       someone/tiny-model@1234567890abcdef1234567890abcdef12345678",
        f"  in         {directory}",
        "  precision  not complete; `download` completes it",
        "  config.json                 36 B  not verified",
        "  v3_e2e_rnnt_vocab.txt       77 B  not verified",
        "  v3_e2e_rnnt_joint.onnx     35 kB  missing",
        "  v3_e2e_rnnt_decoder.onnx  1.7 kB  not verified",
        "  v3_e2e_rnnt_encoder.onnx  308 kB  not verified",
    ]
    assert "from       inside the package" in blocks[1]
    assert blocks[-1] == "Sizes were compared; --verify computes the checksums, too.\n"
    main(["models", "--verify", "--model-dir", str(directory)])
    assert "--verify computes" not in capsys.readouterr().out


def test_the_real_registry_is_shown_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--model-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for model in KNOWN_MODELS.values():
        assert f"{model.name}: {model.description}" in out
        for file in model.files:
            assert file.name in out
    assert "  v3_e2e_rnnt_encoder.onnx  885 MB  missing\n" in out
