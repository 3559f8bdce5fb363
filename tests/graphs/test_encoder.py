"""Encoders rewritten for one utterance at a time: the same function, made once, and never in the way."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from gigastt_lab.errors import ModelError, ModelNotFoundError
from gigastt_lab.graphs.editor import GraphEditor
from gigastt_lab.graphs.encoder import loading, rewrite
from gigastt_lab.graphs.encoder.loading import GRAPH_NAME, load_encoder
from gigastt_lab.graphs.encoder.prepare import TOLERANCE, prepare
from gigastt_lab.graphs.encoder.products import fold_factors
from gigastt_lab.models.files import ENCODER_NAMES
from gigastt_lab.models.registry import DEMO_MODEL, model_directory
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.runtime import cache as model_cache
from gigastt_lab.runtime.sessions import RuntimeOptions, load_session
from gigastt_lab.types import Float32Array

CPU = RuntimeOptions(provider="cpu")
FP32, INT8 = (model_directory(DEMO_MODEL) / ENCODER_NAMES[precision][0] for precision in ("fp32", "int8"))
N_LAYERS = 5  # of the demo model


def noise(n_frames: int, seed: int = 0) -> Float32Array:
    return np.random.default_rng(seed).normal(-9.0, 3.0, (1, 64, n_frames)).astype(np.float32)


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize(("path", "tolerance"), [(FP32, 1e-5), (INT8, TOLERANCE["int8"])])
@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 5, 8, 61, 399, 1600])
def test_the_function_stays_the_same(path: Path, tolerance: float, n_frames: int) -> None:
    features, lengths = noise(n_frames), np.array([n_frames])
    expected, expected_counts = Encoder(load_session(path, CPU))(features, lengths)
    frames, counts = Encoder(load_encoder(path, CPU))(features, lengths)
    assert counts.tolist() == expected_counts.tolist()
    assert frames.shape == expected.shape
    assert relative(frames, expected) <= tolerance


def test_every_step_finds_every_layer() -> None:
    found = rewrite.rewrite(onnx.load(FP32))
    assert found == {
        "unmask": 3 + 3 * N_LAYERS,  # of features and subsampling; scores, weights and convolution
        "fold_factors": 2 * N_LAYERS,
        "pointwise_as_product": 2 * N_LAYERS,
        "rotary": N_LAYERS,
        "attention": N_LAYERS,
        "halve_feed_forward": 2 * N_LAYERS,
    }


@pytest.mark.parametrize("path", [FP32, INT8])
def test_what_batches_need_is_gone(path: Path) -> None:
    model = onnx.load(path)
    rewrite.rewrite(model)
    onnx.checker.check_model(onnx.load_from_string(model.SerializeToString()))
    counts = Counter(node.op_type for node in model.graph.node)
    assert not {"Where", "Softmax", "Range", "Neg", "Slice", "Identity", "Constant"} & counts.keys()
    assert counts["MultiHeadAttention"] == counts["RotaryEmbedding"] == N_LAYERS
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1


def test_a_batch_goes_one_by_one_without_its_padding() -> None:
    encoder = Encoder(load_encoder(FP32, CPU))
    assert not encoder.takes_batches
    lengths = np.array([96, 61, 3])
    features = np.concatenate([noise(96, seed) for seed in range(3)])  # where padding would be, more noise
    frames, counts = encoder(features, lengths)
    assert frames.shape == (3, counts.max(), 128)
    for row, n in enumerate(lengths):
        alone, (count,) = encoder(features[row : row + 1, :, :n], lengths[row : row + 1])
        assert counts[row] == count
        np.testing.assert_array_equal(frames[row, :count], alone[0])
        assert not frames[row, count:].any()


def test_real_speech_gives_the_same_frames(clips: list) -> None:
    plain, rewritten = Encoder(load_session(FP32, CPU)), Encoder(load_encoder(FP32, CPU))
    for clip in clips[::4]:
        features = log_mel(clip.waveform)[None]
        lengths = np.array([features.shape[2]])
        assert relative(rewritten(features, lengths)[0], plain(features, lengths)[0]) < 1e-5


def test_a_wrong_rewriting_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def off_by_a_little(graph: GraphEditor) -> int:
        name = next(node.input[1] for node in graph.nodes("LayerNormalization"))
        graph.add_constant(name, graph.float32(name) * np.float32(1.01))
        return 1

    monkeypatch.setattr(rewrite, "STEPS", (off_by_a_little,))
    with pytest.raises(ModelError, match=r"rewritten, its output differs by 0\.0"):
        prepare(FP32, tmp_path)


def test_a_factor_goes_into_weights_and_bias() -> None:
    """(x @ W + b) * 0.5."""
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["product"]),
            helper.make_node("Add", ["b", "product"], ["sum"]),
            helper.make_node("Mul", ["sum", "half"], ["y"]),
        ],
        "layer",
        [helper.make_tensor_value_info("x", 1, [1, None, 4])],
        [helper.make_tensor_value_info("y", 1, None)],
        [
            numpy_helper.from_array(array, name)
            for name, array in {"w": weight, "b": bias, "half": np.float32(0.5)}.items()
        ],
    )
    editor = GraphEditor(graph)
    assert fold_factors(editor) == 1
    editor.finish(sort=True)
    assert [node.op_type for node in graph.node] == ["MatMul", "Add"]
    constants = {tuple(tensor.dims): numpy_helper.to_array(tensor) for tensor in graph.initializer}
    np.testing.assert_array_equal(constants[4, 3], weight / 2)
    np.testing.assert_array_equal(constants[3,], bias / 2)


@pytest.mark.slow
def test_it_is_made_once_and_again_when_the_model_changes(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    original = loading._prepare
    monkeypatch.setattr(loading, "_prepare", lambda path, folder: (made.append(path), original(path, folder)))
    path = tmp_path / "encoder.onnx"
    shutil.copy(INT8, path)
    for _ in range(2):
        load_encoder(path, CPU)
    assert made == [path]
    copy = tmp_path / "copy.onnx"  # the same model elsewhere
    shutil.copy(INT8, copy)
    load_encoder(copy, CPU)
    assert made == [path]
    shutil.copy(FP32, path)
    session = load_encoder(path, CPU)
    assert made == [path, path]
    assert session.name == str(path)
    assert len([entry for entry in (own_cache / "encoders").iterdir() if entry.is_dir()]) == 2


def test_a_cache_that_takes_no_checksums_is_read_all_the_same(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    load_encoder(INT8, CPU)
    shutil.rmtree(own_cache / "checksums")
    (own_cache / "checksums").touch()  # nothing can be written there, not even by the superuser
    monkeypatch.setattr(loading, "_prepare", lambda *_: pytest.fail("it is there already"))
    assert not Encoder(load_encoder(INT8, CPU)).takes_batches
    assert not caplog.records


def test_without_a_place_to_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(model_cache.VARIABLE, str(tmp_path / "file" / "cache"))
    encoder = Encoder(load_encoder(INT8, CPU))
    assert not encoder.takes_batches  # prepared all the same
    assert "cannot be kept" in caplog.text
    assert model_cache.VARIABLE in caplog.text
    encoder(noise(61), np.array([61]))


@pytest.mark.parametrize(
    ("breakage", "complaint"),
    [
        ("import sys; sys.exit('no memory left')", "no memory left"),
        ("import os; os.kill(os.getpid(), 9)", "the preparation ended with -9"),
    ],
)
def test_a_model_that_cannot_be_prepared_runs_as_it_is(
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    breakage: str,
    complaint: str,
) -> None:
    run = subprocess.run
    monkeypatch.setattr(
        loading.subprocess, "run", lambda command, **how: run([sys.executable, "-c", breakage], **how)
    )
    encoder = Encoder(load_encoder(FP32, CPU))
    assert encoder.takes_batches
    assert f"runs as it is, which is slower: {complaint}" in caplog.text
    encoder(noise(61), np.array([61]))


@pytest.mark.slow
def test_a_damaged_entry_is_made_again(own_cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_encoder(INT8, CPU)
    (graph,) = own_cache.glob(f"encoders/*/{GRAPH_NAME}")
    graph.write_bytes(b"no graph")
    assert Encoder(load_encoder(INT8, CPU)).takes_batches  # as it is, this once
    assert "was damaged, and is made again next time" in caplog.text
    assert not Encoder(load_encoder(INT8, CPU)).takes_batches


def test_an_unknown_graph_stays_as_it_is(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loading, "_SMALLEST_BYTES", 0)
    caplog.set_level(logging.INFO)
    path = tmp_path / "other.onnx"
    nodes = [
        helper.make_node("Relu", ["x"], ["y"]),
        helper.make_node("Identity", ["n"], ["m"]),
    ]
    inputs = [
        helper.make_tensor_value_info("x", 1, ["B", 64, "T"]),
        helper.make_tensor_value_info("n", 7, ["B"]),
    ]
    outputs = [
        helper.make_tensor_value_info("y", 1, ["B", 64, "T"]),
        helper.make_tensor_value_info("m", 7, ["B"]),
    ]
    graph = helper.make_graph(nodes, "other", inputs, outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    for _ in range(2):
        assert Encoder(load_encoder(path, CPU)).takes_batches
    assert caplog.text.count("preparing it") == 1  # that there is nothing to do is remembered, too
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_weights_in_another_file_are_not_kept(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Their changes would go unnoticed: the cache knows an encoder by its graph's checksum."""
    monkeypatch.setattr(loading, "_SMALLEST_BYTES", 0)
    path = tmp_path / "encoder.onnx"
    onnx.save(onnx.load(FP32), path, save_as_external_data=True, location="encoder.data")
    encoder = Encoder(load_encoder(path, CPU))
    assert encoder.takes_batches
    assert "has weights in another file" in caplog.text
    encoder(noise(61), np.array([61]))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no such model file"):
        load_encoder(tmp_path / "encoder.onnx", CPU)


@pytest.mark.slow
def test_two_processes_at_once_make_one(own_cache: Path) -> None:
    code = (
        "import logging, sys; logging.basicConfig(level=logging.INFO)\n"
        "from pathlib import Path\n"
        "from gigastt_lab.graphs.encoder.loading import load_encoder\n"
        "from gigastt_lab.runtime.sessions import RuntimeOptions\n"
        "load_encoder(Path(sys.argv[1]), RuntimeOptions(provider='cpu'))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(INT8)], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    logs = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert sum("preparing it" in log for log in logs) == 1
