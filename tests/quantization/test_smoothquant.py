"""Smoothed encoders: the same function in FP32, less error in INT8, and nothing else touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper, parser
from onnx.reference import ReferenceEvaluator

from gigastt_lab.models.files import ENCODER_NAMES
from gigastt_lab.models.registry import DEMO_DIRECTORY
from gigastt_lab.quantization import quantize as quantize_module
from gigastt_lab.quantization.calibration import Calibration, calibrate, sample_clips, watched
from gigastt_lab.quantization.comparison import relative_error
from gigastt_lab.quantization.int8_graph import ProductInput, Recipe
from gigastt_lab.quantization.quantize import quantize_encoder
from gigastt_lab.quantization.smoothquant import factors, smooth
from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.runtime.sessions import RuntimeOptions, load_session
from tests.quantization.conftest import Quantized

CPU = RuntimeOptions(provider="cpu")
FP32 = DEMO_DIRECTORY / ENCODER_NAMES["fp32"][0]
N_LAYERS = 5  # of the demo model
WIDTH = 6

NORM = "normed = LayerNormalization (x, scale, bias)"
TURNED = "turned = Transpose <perm = [0, 2, 1]> (normed)"


def arrays(rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {
        "scale": (WIDTH,), "bias": (WIDTH,), "one": (1,),
        "w": (WIDTH, 4), "v": (WIDTH, 4), "c": (4, WIDTH, 1), "square": (WIDTH, WIDTH),
    }  # fmt: skip
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def model_of(nodes: str, outputs: str = "float[B, M, N] y") -> onnx.ModelProto:
    """A graph of x (B, T, 6) to `outputs`."""
    model = parser.parse_model(f"""
        <ir_version: 8, opset_import: ["" : 17]>
        g (float[B, T, {WIDTH}] x) => ({outputs}) {{ {nodes} }}
    """)
    model.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in arrays(np.random.default_rng(0)).items()
    )
    return model


def calibration_of(model: onnx.ModelProto, x: np.ndarray) -> Calibration:
    """Calibration of `model` on `x`, by ONNX's reference implementation."""
    encoder = watched(onnx.load_from_string(model.SerializeToString()), "tiny", "linear")
    calibration = Calibration("tiny", encoder.inputs, n_clips=1, duration_s=1.0)
    outputs = ReferenceEvaluator(encoder.graph).run(list(encoder.outputs.values()), {"x": x})
    for tensor, values in zip(encoder.outputs, outputs, strict=True):
        calibration.add(tensor, tensor.rows(values))
    return calibration


def x_of() -> np.ndarray:
    """Channels differ in range. As many frames as channels, so that a square weight may be added to them."""
    x = np.random.default_rng(1).normal(size=(2, WIDTH, WIDTH)) * np.array([1, 1, 1, 5, 20, 0.1])
    return x.astype(np.float32)


SMOOTHED = {
    "after a norm": (f"{NORM} y = MatMul (normed, w)", ["LayerNormalization", "MatMul"]),
    "two products": (
        f"{NORM} a = MatMul (normed, w) b = MatMul (normed, v) y = Add (a, b)",
        ["LayerNormalization", "MatMul", "MatMul", "Add"],
    ),
    "a convolution after a norm": (
        f"{NORM} {TURNED} y = Conv (turned, c)",
        ["LayerNormalization", "Transpose", "Conv"],
    ),
    "a convolution after something else": (
        "normed = Relu (x) turned = Transpose <perm = [0, 2, 1]> (normed) y = Conv (turned, c)",
        ["Relu", "Mul", "Transpose", "Conv"],
    ),
    "a convolution, channels first": (
        "turned = Transpose <perm = [0, 2, 1]> (x) loud = Abs (turned) y = Conv (loud, c)",
        ["Transpose", "Abs", "Mul", "Conv"],
    ),
    "a norm without bias": (
        "normed = LayerNormalization (x, scale) y = MatMul (normed, w)",
        ["LayerNormalization", "MatMul"],
    ),
    "weights in a copy": (
        f"{NORM} same = Identity (w) y = MatMul (normed, same)",
        ["LayerNormalization", "Identity", "MatMul"],
    ),
}


@pytest.mark.parametrize(("nodes", "expected"), SMOOTHED.values(), ids=SMOOTHED)
def test_the_function_stays_and_the_channels_come_closer(nodes: str, expected: list[str]) -> None:
    model = model_of(nodes)
    x = x_of()
    before = ReferenceEvaluator(model).run(None, {"x": x})[0]
    calibration = calibration_of(model, x)
    (tensor,) = calibration.tensors
    uneven, gram = calibration.largest(tensor), calibration.gram([tensor])
    assert smooth(model.graph, calibration) == 1
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == expected
    np.testing.assert_allclose(ReferenceEvaluator(model).run(None, {"x": x})[0], before, rtol=1e-4, atol=1e-5)
    # What the calibration says now is what the graph multiplies now.
    (again,) = (after := calibration_of(model, x)).tensors
    even = after.largest(again)
    np.testing.assert_allclose(calibration.largest(tensor), even, rtol=2e-3)
    np.testing.assert_allclose(calibration.gram([tensor]), after.gram([again]), rtol=0.01, atol=1e-2)
    by = uneven / even
    np.testing.assert_allclose(calibration.gram([tensor]), gram / np.outer(by, by), rtol=0.01, atol=1e-2)


LEFT_ALONE = {
    "no place for the factor": "a = Relu (x) y = MatMul (a, w)",
    "somebody else reads the norm": (
        f"{NORM} a = MatMul (normed, w) b = Relu (normed) y = Concat <axis = 2> (a, b)"
    ),
    "somebody else reads it before the turn": (
        f"{NORM} {TURNED} a = Conv (turned, c) b = Transpose <perm = [0, 2, 1]> (normed) "
        "y = Concat <axis = 1> (a, b)"
    ),
    "the graph gives it away": f"{NORM} a = MatMul (normed, w) y = Identity (normed)",
    "one weight for two inputs": (
        f"{NORM} more = Abs (normed) other = LayerNormalization (more, scale, bias) "
        "a = MatMul (normed, w) b = MatMul (other, w) y = Add (a, b)"
    ),
    "somebody else reads the weight": f"{NORM} a = MatMul (normed, w) z = ReduceMax (w) y = Add (a, z)",
    "the norm has one scale for all": "normed = LayerNormalization (x, one) y = MatMul (normed, w)",
    "the weight is added as well": (
        f"{NORM} a = MatMul (normed, square) b = Add (normed, square) y = Add (a, b)"
    ),
}


@pytest.mark.parametrize("nodes", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_cannot_be_smoothed_stays(nodes: str) -> None:
    model = model_of(nodes)
    before = model.SerializeToString()
    calibration = calibration_of(model, x_of())
    assert calibration.tensors
    assert smooth(model.graph, calibration) == 0
    assert model.SerializeToString() == before


def test_a_weight_that_the_graph_gives_away_stays() -> None:
    model = model_of(f"{NORM} y = MatMul (normed, w) z = Identity (w)", "float[B, M, N] y, float[K, L] z")
    x = x_of()
    before = ReferenceEvaluator(model).run(None, {"x": x})
    assert smooth(model.graph, calibration_of(model, x)) == 0
    np.testing.assert_array_equal(ReferenceEvaluator(model).run(None, {"x": x})[1], before[1])


def test_norms_that_share_their_parameters_part() -> None:
    """PyTorch's exporter writes equal tensors once."""
    model = model_of(
        "first = LayerNormalization (x, scale, bias) second = LayerNormalization (x, scale, bias) "
        "a = MatMul (first, w) b = MatMul (second, v) y = Add (a, b)"
    )
    x = x_of()
    before = ReferenceEvaluator(model).run(None, {"x": x})[0]
    assert smooth(model.graph, calibration_of(model, x)) == 2
    np.testing.assert_allclose(ReferenceEvaluator(model).run(None, {"x": x})[0], before, rtol=1e-4, atol=1e-5)


def some(n: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(0.5, 2.0), min_size=n, max_size=n)


@given(st.integers(1, 20).flatmap(lambda n: st.tuples(some(n), some(n))))
def test_factors_leave_inputs_and_weights_equally_uneven(largest: tuple[list[float], list[float]]) -> None:
    inputs, weights = map(np.array, largest)
    by = factors(inputs, weights)
    ratio = (inputs / by) / (weights * by)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    np.testing.assert_allclose(np.log(by).mean(), 0.0, atol=1e-4)


def test_factors_of_nothing() -> None:
    assert factors(np.zeros(3), np.ones(3)).tolist() == [1.0, 1.0, 1.0]
    assert factors(np.array([4.0, 0.0]), np.array([4.0, 0.0])).tolist() == [1.0, 1.0]


def test_what_was_quiet_does_not_become_loud() -> None:
    """A channel next to silent in the calibration, and loud in other speech, must not decide the scale."""
    by = factors(np.array([1.0, 1.0, 1.0, 1e-8]), np.ones(4))
    assert by.min() == 0.25


@pytest.mark.parametrize(("recipe", "n_smoothed"), [("gate", 3 * N_LAYERS), ("linear", 4 * N_LAYERS)])
def test_every_layer_of_the_demo_model(tmp_path: Path, recipe: str, n_smoothed: int) -> None:
    model = onnx.load(FP32)
    encoder = watched(onnx.load(FP32), "demo", recipe)
    clip = sample_clips()[0]
    assert smooth(model.graph, calibrate(encoder, sample_clips()[:2])) == n_smoothed
    onnx.save(model, tmp_path / "smoothed.onnx")
    exact, smoothed = (Encoder(load_session(path, CPU)) for path in (FP32, tmp_path / "smoothed.onnx"))
    assert relative_error(exact, smoothed, clip) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["gate", "linear"])
def test_less_error_on_clips_that_were_not_heard(
    quantized: Quantized, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    clips = sample_clips()
    smoothed_path, _ = quantized(recipe, "half")
    monkeypatch.setattr(quantize_module, "smooth", lambda *_: 0)
    quantize_encoder(FP32, tmp_path / "plain.onnx", recipe=recipe, calibration=clips[::2])
    exact, smoothed, plain = (
        Encoder(load_session(path, CPU)) for path in (FP32, smoothed_path, tmp_path / "plain.onnx")
    )
    errors = [[relative_error(exact, other, clip) for clip in clips[1::2]] for other in (smoothed, plain)]
    assert np.mean(errors[0]) < 0.99 * np.mean(errors[1])


def test_products_that_were_not_calibrated_are_none_of_its_business() -> None:
    model = model_of(f"{NORM} y = MatMul (normed, w)")
    calibration = Calibration("tiny", {}, n_clips=1, duration_s=1.0)
    assert calibration.tensors == ()
    assert smooth(model.graph, calibration) == 0
    assert calibration.weights_of(ProductInput("normed", channels_first=False)) == set()
