"""Calibration statistics of an encoder, against the same graph computed in numpy."""

from __future__ import annotations

import logging

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

from gigastt_lab.errors import ModelError
from gigastt_lab.quantization import calibration as calibration_module
from gigastt_lab.quantization.calibration import Calibration, calibrate, watched
from gigastt_lab.quantization.gptq import quantize_weight
from gigastt_lab.quantization.int8_graph import ProductInput
from gigastt_lab.recognition.features import log_mel

# Query and key read one tensor; `out` is used twice; the convolution's input is channels first.
GRAPH = """
    <ir_version: 8, opset_import: ["" : 17]>
    encoder (float[B, 64, T] features, int64[B] length) => (float[B, N, T] encoded, int64[B] n_encoded) {
        rows = Transpose <perm = [0, 2, 1]> (features)
        q = MatMul (rows, query)
        k = MatMul (rows, key)
        both = Add (q, k)
        hidden = Relu (both)
        once = MatMul (hidden, out)
        twice = MatMul (once, out)
        channels = Transpose <perm = [0, 2, 1]> (twice)
        encoded = Conv <kernel_shape = [1]> (channels, pointwise)
        n_encoded = Identity (length)
    }
"""
SHAPES = {"query": (64, 8), "key": (64, 8), "out": (8, 8), "pointwise": (5, 8, 1)}
WEIGHTS = {
    name: np.random.default_rng(i).normal(size=shape).astype(np.float32)
    for i, (name, shape) in enumerate(SHAPES.items())
}
ROWS, HIDDEN, ONCE = (ProductInput(name, channels_first=False) for name in ("rows", "hidden", "once"))
CHANNELS = ProductInput("channels", channels_first=True)


def encoder() -> onnx.ModelProto:
    model = parser.parse_model(GRAPH)
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in WEIGHTS.items())
    return model


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=0.1, size=round(seconds * 16_000)).astype(np.float32)


def computed(waveform: np.ndarray) -> dict[ProductInput, np.ndarray]:
    """MatMul inputs of the graph, row by row."""
    rows = log_mel(waveform).T.astype(np.float64)
    hidden = np.maximum(rows @ (WEIGHTS["query"] + WEIGHTS["key"]), 0.0)
    once = hidden @ WEIGHTS["out"]
    return {ROWS: rows, HIDDEN: hidden, ONCE: once, CHANNELS: once @ WEIGHTS["out"]}


def grams(waveforms: list[np.ndarray]) -> dict[ProductInput, np.ndarray]:
    """Summed clip by clip."""
    parts = [{tensor: x.T @ x for tensor, x in computed(waveform).items()} for waveform in waveforms]
    return {tensor: sum(part[tensor] for part in parts) for tensor in parts[0]}


def test_what_is_watched() -> None:
    by_recipe = {recipe: watched(encoder(), "tiny", recipe) for recipe in ("matmul", "linear")}
    products = {"query": (ROWS,), "key": (ROWS,), "out": (HIDDEN, ONCE)}
    assert by_recipe["matmul"].inputs == products
    assert by_recipe["linear"].inputs == products | {"pointwise": (CHANNELS,)}
    assert list(by_recipe["linear"].outputs) == [ROWS, HIDDEN, ONCE, CHANNELS]
    outputs = onnx.load_from_string(by_recipe["linear"].graph).graph.output
    assert len(outputs) == 2 + 4


def test_gram_matrices_are_those_of_the_layers_inputs() -> None:
    clips = [noise(1.0), noise(0.3, seed=1)]
    calibration = calibrate(watched(encoder(), "tiny", "linear"), clips)
    for tensor, gram in grams(clips).items():
        found = calibration.gram([tensor])
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, gram, rtol=1e-3, atol=1e-3 * np.abs(gram).max())
    assert str(calibration) == "calibrated, 2 clips, 1 s"


def test_a_weight_of_several_products_fits_all_their_inputs() -> None:
    calibration = calibrate(watched(encoder(), "tiny", "matmul"), [noise(1.0)])
    both = calibration.gram([HIDDEN, ONCE])
    np.testing.assert_allclose(both, calibration.gram([HIDDEN]) + calibration.gram([ONCE]), rtol=1e-12)


def test_query_and_key_share_one_factorization(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(gram: np.ndarray) -> np.ndarray:
        calls.append(len(gram))
        return np.eye(len(gram))

    monkeypatch.setattr(calibration_module, "correction", counted)
    calibration = calibrate(watched(encoder(), "tiny", "matmul"), [noise(0.5)])
    for name in ("query", "key", "out"):
        calibration.quantize_weight(name, WEIGHTS[name])
    assert calls == [64, 8]
    with pytest.raises(KeyError):  # nothing asks for it any more, and memory is short
        calibration.gram([ROWS])


def test_long_audio_is_cut_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    original = log_mel

    def watching(waveform: np.ndarray) -> np.ndarray:
        lengths.append(len(waveform))
        return original(waveform)

    monkeypatch.setattr(calibration_module, "log_mel", watching)
    monkeypatch.setattr(calibration_module, "_MAX_PIECE_S", 1.0)
    calibration = calibrate(watched(encoder(), "tiny", "matmul"), [noise(2.5), noise(1.0), noise(0.01)])
    assert lengths == [13_334, 13_333, 13_333, 16_000]  # the last clip is shorter than a window
    assert str(calibration) == "calibrated, 3 clips, 4 s"


def test_of_much_speech_a_sample_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration_module, "_MAX_FRAMES", 10)
    clip = noise(2.0)  # 199 rows: nothing of this graph is subsampled, and it counts as 50 frames
    calibration = calibrate(watched(encoder(), "tiny", "matmul"), [clip])
    kept = np.linalg.matrix_rank(calibration.gram([ROWS]))
    assert kept == 40
    everything = log_mel(clip).T.astype(np.float64)
    np.testing.assert_allclose(np.trace(calibration.gram([ROWS])) / 40, (everything**2).sum() / 199, rtol=0.1)


def test_products_of_zeros_are_rounded_to_nearest() -> None:
    calibration = Calibration("tiny", {"w": (ROWS,)}, n_clips=1, duration_s=1.0)
    calibration.add(ROWS, np.zeros((9, 6), np.float32))
    w = np.random.default_rng(0).normal(scale=40, size=(6, 3)).astype(np.float32)
    for found, nearest in zip(calibration.quantize_weight("w", w), quantize_weight(w), strict=True):
        np.testing.assert_array_equal(found, nearest)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    calibration = Calibration("tiny", {"w": (ROWS,)}, n_clips=1, duration_s=1.0)
    with pytest.raises(ModelError, match="not finite in rows"):
        calibration.add(ROWS, np.array([[1.0, value]], np.float32))


def test_a_factorization_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(gram: np.ndarray) -> np.ndarray:
        raise np.linalg.LinAlgError("not positive definite")

    monkeypatch.setattr(calibration_module, "correction", failing)
    calibration = calibrate(watched(encoder(), "tiny", "matmul"), [noise(0.5)])
    with caplog.at_level(logging.WARNING):
        integers, scales = calibration.quantize_weight("query", WEIGHTS["query"])
    np.testing.assert_array_equal(integers, quantize_weight(WEIGHTS["query"])[0])
    np.testing.assert_array_equal(scales, quantize_weight(WEIGHTS["query"])[1])
    assert "query is rounded to nearest" in caplog.text
