"""The INT8 encoder: numbers against an independent computation, and everything that may go wrong."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper, parser

from gigastt_lab.errors import (
    AudioError,
    ModelError,
    ModelExistsError,
    ModelNotFoundError,
    NothingToQuantizeError,
)
from gigastt_lab.graphs.int8_weights import has_large_pairs
from gigastt_lab.graphs.weight_range import EIGHT_BITS, EXACT, SEVEN_BITS, WeightRange
from gigastt_lab.models.files import ENCODER_NAMES, LOCK_NAME
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY, DEMO_DIRECTORY
from gigastt_lab.models.storage import directory_lock
from gigastt_lab.quantization import quantize as quantize_module
from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.quantization.comparison import measure_speed, relative_error
from gigastt_lab.quantization.gptq import quantize_weight
from gigastt_lab.quantization.quantize import RECIPE_KEY, ROUNDING_KEY, Recipe, quantize_encoder
from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.runtime.sessions import RuntimeOptions, load_session
from tests.quantization.conftest import Quantized

CPU = RuntimeOptions(provider="cpu")
FP32, INT8 = (DEMO_DIRECTORY / ENCODER_NAMES[precision][0] for precision in ("fp32", "int8"))

PRODUCT = "y = MatMul (x, w)"
SHARED = """
    a = MatMul (x, w)
    b = MatMul (x, v)
    y = Add (a, b)
"""
COPIED = """
    same = Identity (w)
    a = MatMul (x, w)
    b = MatMul (a, same)
    y = Identity (b)
"""


def graph(
    nodes: str, weights: dict[str, np.ndarray], source: str = "float[B, T, 6] x", opset: int = 17
) -> bytes:
    """A graph from the `source` to `y`."""
    model = parser.parse_model(f"""
        <ir_version: 8, opset_import: ["" : {opset}]>
        g ({source}) => (float[B, M, N] y) {{ {nodes} }}
    """)
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights.items())
    return model.SerializeToString()


def weight(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.fixture
def quantize(tmp_path: Path):
    """Quantizes the bytes of a graph, rounding to nearest; returns what was done and the new model.

    To seven bits, unless told otherwise: every processor multiplies them exactly, and their scales are known
    without looking at pairs.
    """

    def run(content: bytes, recipe: str = "matmul", allowed: WeightRange = SEVEN_BITS):
        source, target = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
        source.write_bytes(content)
        done = quantize_encoder(
            source, target, recipe=recipe, calibration=(), allowed=allowed, overwrite=True
        )
        model = onnx.load(target)
        onnx.checker.check_model(model)
        assert done.bytes_before == len(content)
        assert done.bytes_after == target.stat().st_size
        assert sorted(tmp_path.glob(".*.partial")) == []
        return done, model

    return run


def metadata(model: onnx.ModelProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}


def constants(path: Path) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


def run_model(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def dynamic_product(
    x: np.ndarray, w: np.ndarray, w_integers: np.ndarray | None = None, w_scales: np.ndarray | None = None
) -> np.ndarray:
    """x @ w in dynamic INT8, by the definitions of ONNX, in float64 and whole numbers.

    The weight's integers and scales, if they are not given, are those of seven bits, rounded to nearest.
    """
    low, high = min(x.min(), 0.0), max(x.max(), 0.0)
    scale = np.float32((high - low) / 255)
    zero = np.clip(np.rint(-low / scale), 0, 255)
    integers = np.clip(np.rint(x / scale) + zero, 0, 255) - zero
    column_scales = np.abs(w).max(axis=0).astype(np.float64) / 64 if w_scales is None else w_scales
    w_integers = np.rint(w / column_scales) if w_integers is None else w_integers
    return (integers @ w_integers.astype(np.float64)) * float(scale) * column_scales.astype(np.float64)


@given(
    st.integers(1, 40).flatmap(
        lambda n: st.lists(
            st.lists(st.floats(-1e4, 1e4, width=32), min_size=n, max_size=n), min_size=1, max_size=8
        )
    )
)
def test_a_weight_is_within_half_a_step(rows: list[list[float]]) -> None:
    w = np.array(rows, np.float32)
    integers, scales = quantize_weight(w, EIGHT_BITS)
    assert integers.dtype == np.int8
    assert np.abs(integers.astype(int)).max() <= 127
    assert scales.shape == (w.shape[1],)
    assert (scales > 0).all()
    assert (np.abs(integers * scales.astype(np.float64) - w) <= 0.5001 * scales).all()
    integers, scales = quantize_weight(w)
    n_paired = len(w) // 2 * 2
    totals = integers[:n_paired:2].astype(int) + integers[1:n_paired:2]
    is_full = np.repeat(np.abs(totals) >= EXACT.largest_pair - 1, 2, axis=0)
    error = np.abs(integers * scales.astype(np.float64) - w)
    assert (is_full | (error[:n_paired] <= 0.5001 * scales)).all()
    assert (error[n_paired:] <= 0.5001 * scales).all()


def test_each_output_channel_has_its_own_scale() -> None:
    w = np.array([[127.0, 0.001], [-1.0, -0.002]], np.float32)
    integers, scales = quantize_weight(w, EIGHT_BITS)
    assert integers.tolist() == [[127, 64], [-1, -127]]
    np.testing.assert_allclose(scales, [1.0, 0.002 / 127], rtol=1e-6)


def test_a_product_is_that_of_the_definition(quantize) -> None:
    w, x = weight(6, 4), weight(2, 5, 6, seed=1) + 0.3
    done, model = quantize(graph(PRODUCT, {"w": w}))
    np.testing.assert_allclose(run_model(model, x), dynamic_product(x, w), atol=1e-5)
    assert [(each.name, each.op, each.shape) for each in done.quantized] == [("w", "MatMul", (6, 4))]
    assert done.kept == ()
    assert metadata(model) == {RECIPE_KEY: "matmul", ROUNDING_KEY: "nearest"}


@pytest.mark.parametrize("n_in", [1, 2, 6, 7])
def test_by_default_products_are_those_of_small_pairs(quantize, n_in: int) -> None:
    """The definition, for the integers and scales that the file holds."""
    w, x = np.abs(weight(n_in, 40)), weight(2, 5, n_in, seed=1) + 0.3
    _, model = quantize(graph(PRODUCT, {"w": w}, f"float[B, T, {n_in}] x"), allowed=EXACT)
    integers, scales = (numpy_helper.to_array(tensor) for tensor in model.graph.initializer)
    assert not has_large_pairs(integers)
    assert has_large_pairs(quantize_weight(w, EIGHT_BITS)[0]) == (n_in > 1)
    scale = (max(x.max(), 0.0) - min(x.min(), 0.0)) / 255
    np.testing.assert_allclose(integers * scales, w, atol=float(scales.max()))
    expected = dynamic_product(x, w, integers, scales)
    np.testing.assert_allclose(run_model(model, x), expected, atol=1e-5 * scale)


def test_products_of_one_tensor_share_its_quantization(quantize) -> None:
    w, v, x = weight(6, 4), weight(6, 4, seed=1), weight(1, 3, 6, seed=2)
    _, model = quantize(graph(SHARED, {"w": w, "v": v}))
    assert [node.op_type for node in model.graph.node].count("DynamicQuantizeLinear") == 1
    np.testing.assert_allclose(run_model(model, x), dynamic_product(x, w) + dynamic_product(x, v), atol=1e-5)


def test_a_weight_used_twice_is_written_once(quantize) -> None:
    w, x = weight(6, 6), weight(1, 3, 6, seed=2)
    _, model = quantize(graph(COPIED, {"w": w}))
    assert sorted(tensor.data_type for tensor in model.graph.initializer) == [1, 3]  # scales, INT8
    np.testing.assert_allclose(
        run_model(model, x), dynamic_product(dynamic_product(x, w).astype(np.float32), w), atol=1e-4
    )


def test_weights_in_constant_nodes_do_not_stay_behind(quantize) -> None:
    w = weight(6, 400)
    model = onnx.load_from_string(graph(PRODUCT, {"w": w}))
    del model.graph.initializer[:]
    model.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(w)))
    done, quantized = quantize(model.SerializeToString())
    assert done.bytes_after < 0.6 * done.bytes_before
    np.testing.assert_allclose(
        run_model(quantized, weight(1, 2, 6, seed=3)), dynamic_product(weight(1, 2, 6, seed=3), w), atol=1e-5
    )


def test_constants_that_share_a_tensor_name_are_told_apart(quantize) -> None:
    w, v, x = weight(6, 4), weight(6, 4, seed=1), weight(1, 3, 6, seed=2)
    model = onnx.load_from_string(graph(SHARED, {"w": w, "v": v}))
    del model.graph.initializer[:]
    for name, array in (("w", w), ("v", v)):
        value = numpy_helper.from_array(array, "value")
        model.graph.node.insert(0, onnx.helper.make_node("Constant", [], [name], value=value))
    _, quantized = quantize(model.SerializeToString())
    np.testing.assert_allclose(
        run_model(quantized, x), dynamic_product(x, w) + dynamic_product(x, v), atol=1e-5
    )


def test_what_a_branch_reads_stays(quantize) -> None:
    """`c` is read inside both branches alone, `w` also by a product outside."""
    w, c, x = weight(6, 6), weight(6, 6, seed=1), weight(1, 3, 6, seed=2)
    model = onnx.load_from_string(graph("h = MatMul (x, w)\n y = Identity (h)", {"w": w, "c": c}))
    branches = {
        f"{name}_branch": onnx.helper.make_graph(
            [onnx.helper.make_node("MatMul", ["h", weight_name], [f"{name}_y"])], name, [],
            [onnx.helper.make_tensor_value_info(f"{name}_y", onnx.TensorProto.FLOAT, None)],
        )
        for name, weight_name in (("then", "c"), ("else", "w"))
    }  # fmt: skip
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    model.graph.node[-1].CopyFrom(onnx.helper.make_node("If", ["yes"], ["y"], **branches))
    _, quantized = quantize(model.SerializeToString())
    found = run_model(quantized, x)
    np.testing.assert_allclose(found, dynamic_product(x, w).astype(np.float32) @ c, atol=1e-4)


def test_weights_that_are_listed_as_inputs_are_none_any_more(quantize) -> None:
    w, x = weight(6, 4), weight(1, 3, 6, seed=1)
    model = onnx.load_from_string(graph(PRODUCT, {"w": w}))
    model.graph.input.append(onnx.helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, w.shape))
    _, quantized = quantize(model.SerializeToString())
    assert [entry.name for entry in quantized.graph.input] == ["x"]
    np.testing.assert_allclose(run_model(quantized, x), dynamic_product(x, w), atol=1e-5)


@pytest.mark.parametrize("bias", [False, True])
def test_linear_rewrites_convolutions_of_kernel_1(quantize, bias: bool) -> None:
    w, b, x = weight(4, 6, 1), weight(4, seed=1), weight(2, 6, 9, seed=2)
    nodes = "y = Conv <kernel_shape = [1], strides = [1], pads = [0, 0]> (x, w{})".format(
        ", b" if bias else ""
    )
    content = graph(nodes, {"w": w, "b": b} if bias else {"w": w}, "float[B, 6, T] x")
    done, model = quantize(content, "linear")
    expected = dynamic_product(x.transpose(0, 2, 1), w[:, :, 0].T).transpose(0, 2, 1)
    np.testing.assert_allclose(run_model(model, x), expected + (b[:, None] if bias else 0.0), atol=1e-5)
    assert [(each.op, each.shape) for each in done.quantized] == [("Conv", (4, 6, 1))]
    with pytest.raises(NothingToQuantizeError):
        quantize(content, "matmul")


@pytest.mark.parametrize(
    ("attributes", "shape"),
    [
        ("kernel_shape = [3]", (4, 6, 3)),
        ("kernel_shape = [1], strides = [2]", (4, 6, 1)),
        ("kernel_shape = [1], pads = [1, 0]", (4, 6, 1)),
        ("kernel_shape = [1], group = 2", (4, 3, 1)),
    ],
)
def test_other_convolutions_stay(quantize, attributes: str, shape: tuple[int, ...]) -> None:
    nodes = f"h = MatMul (x, m)\ny = Conv <{attributes}> (h, w)"
    content = graph(nodes, {"w": weight(*shape), "m": weight(9, 9)}, "float[B, 6, 9] x")
    done, model = quantize(content, "linear")
    assert [(each.op, each.shape) for each in done.kept] == [("Conv", shape)]
    x = weight(1, 6, 9, seed=4)
    exact = run_model(onnx.load_from_string(content), x)
    assert np.linalg.norm(run_model(model, x) - exact) < 0.02 * np.linalg.norm(exact)


@pytest.mark.slow
def test_the_packaged_encoder_is_what_quantize_makes(quantized: Quantized) -> None:
    """But for the order in which machines add, which turns a rounding here and there, and a scale between two
    that are as good. Rounding to nearest, or for other speech, differs in 10 % and more.
    """
    target, done = quantized("gate", "all")
    assert done.rounding == "calibrated, 24 clips, 71 s, 15 inputs smoothed"
    assert len(done.quantized) == 45  # eight products in each of five layers, and a gate
    made, packaged = (onnx.load(path) for path in (target, INT8))
    assert [node.op_type for node in made.graph.node] == [node.op_type for node in packaged.graph.node]
    assert metadata(made) == metadata(packaged) == {RECIPE_KEY: "gate", ROUNDING_KEY: done.rounding}
    ours, theirs = constants(target), constants(INT8)
    assert list(ours) == list(theirs)
    n_turned = n_integers = n_scales = n_columns = 0
    for name, array in ours.items():
        if array.dtype != np.int8:
            if not name.endswith("_scales"):
                np.testing.assert_allclose(array, theirs[name], rtol=1e-3)  # smoothed by the largest inputs
            continue
        assert not has_large_pairs(array)
        assert not has_large_pairs(theirs[name])
        scales = name.removesuffix("_quantized") + "_scales"
        is_same = np.isclose(ours[scales], theirs[scales], rtol=1e-3)
        steps = np.abs(array.astype(int) - theirs[name])[:, is_same]
        assert steps.max() <= 1
        n_turned += steps.sum()
        n_integers += steps.size
        n_scales += np.count_nonzero(~is_same)
        n_columns += len(is_same)
    assert n_turned < 0.01 * n_integers
    assert n_scales < 0.01 * n_columns


@pytest.mark.slow
@pytest.mark.parametrize("recipe", get_args(Recipe))
def test_calibration_changes_nothing_but_integers_and_scales(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    """But for smoothing (test_smoothquant.py), which `matmul` does without."""
    if recipe != "matmul":
        monkeypatch.setattr(quantize_module, "smooth", lambda *_: 0)
    made = {}
    for rounding, speech in (("calibrated", sample_clips()[:2]), ("nearest", ())):
        target = tmp_path / f"{rounding}.onnx"
        done = quantize_encoder(FP32, target, recipe=recipe, calibration=speech)
        assert done.rounding.startswith(rounding)
        assert metadata(onnx.load(target))[ROUNDING_KEY] == done.rounding
        made[rounding] = target
    calibrated, nearest = map(onnx.load, made.values())
    assert list(calibrated.graph.node) == list(nearest.graph.node)
    weights, plain = map(constants, made.values())
    for name, array in weights.items():
        if array.dtype != np.int8 and not name.endswith("_scales"):
            np.testing.assert_array_equal(array, plain[name])
    assert made["calibrated"].stat().st_size - made["nearest"].stat().st_size < 100  # of metadata


@pytest.mark.slow
@pytest.mark.parametrize("recipe", get_args(Recipe))
def test_calibrated_weights_move_the_output_less(quantized: Quantized, recipe: Recipe) -> None:
    """On clips that were not calibrated on; on the demo model the activations cost more than the weights."""
    paths = (FP32, quantized(recipe, "half")[0], quantized(recipe, "none")[0])
    exact, calibrated, nearest = (Encoder(load_session(path, CPU)) for path in paths)
    errors = [
        [relative_error(exact, other, clip) for clip in sample_clips()[1::2]]
        for other in (calibrated, nearest)
    ]
    assert np.mean(errors[0]) < 0.99 * np.mean(errors[1])


def test_a_graph_that_is_no_encoder_is_not_calibrated(tmp_path: Path) -> None:
    source, target = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
    source.write_bytes(graph(PRODUCT, {"w": weight(6, 4)}))
    with pytest.raises(ModelError, match=r"features and lengths.*--no-calibration"):
        quantize_encoder(source, target)
    assert not target.exists()


def test_speech_without_a_frame_is_refused(tmp_path: Path) -> None:
    too_short = [np.zeros(n, np.float32) for n in (0, 319)]
    with pytest.raises(AudioError, match="2 waveforms to calibrate on hold no window"):
        quantize_encoder(FP32, tmp_path / "int8.onnx", calibration=too_short)


@pytest.mark.slow
def test_recipes_trade_error_for_size(quantized: Quantized) -> None:
    """On real speech features; the bounds are about twice what was measured (1.5 to 1.8 %)."""
    linear, done = quantized("linear", "all")
    assert len(done.quantized) == 50
    assert [len(weight.shape) for weight in done.kept] == [3] * 7  # two strided, five depthwise
    gate, done = quantized("gate", "all")
    assert done.recipe == "gate"
    assert [weight.shape for weight in done.kept].count((128, 128, 1)) == 5  # the modules' outputs
    assert len(done.kept) == 12
    products, _ = quantized("matmul", "all")
    exact, matmul, gated, smaller = (Encoder(load_session(p, CPU)) for p in (FP32, products, gate, linear))
    clip = sample_clips()[0]
    assert 0.001 < relative_error(exact, matmul, clip) < 0.03
    assert relative_error(exact, gated, clip) < 0.03
    assert relative_error(exact, matmul, clip) < relative_error(exact, smaller, clip) < 0.05
    sizes = [path.stat().st_size for path in (linear, gate, products, FP32)]
    assert sizes == sorted(sizes)
    assert relative_error(exact, exact, clip) == 0.0


def test_speed_is_told_for_every_encoder_and_round() -> None:
    encoders = [Encoder(load_session(path, CPU)) for path in (FP32, INT8)]
    rounds = list(measure_speed(encoders, 1.0, repetitions=2, clips=[np.zeros(800, np.float32)]))
    assert len(rounds) == 2
    assert len(rounds[-1].median_s) == 2
    assert rounds[-1].rtfx(1) == pytest.approx(1.0 / rounds[-1].median_s[1])
    assert rounds[-1].speedup(1) == pytest.approx(rounds[-1].median_s[0] / rounds[-1].median_s[1])
    with pytest.raises(ValueError, match="give 1 or more"):
        next(measure_speed(encoders, 1.0, repetitions=0))
    with pytest.raises(ValueError, match="at least one window"):
        next(measure_speed(encoders, 0.01))


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    target = tmp_path / INT8.name
    target.write_bytes(b"mine")
    with pytest.raises(ModelExistsError, match="is there already"):
        quantize_encoder(FP32, target)
    assert target.read_bytes() == b"mine"
    quantize_encoder(FP32, target, calibration=(), overwrite=True)
    onnx.load(target)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"no graph at all", ModelError, "no ONNX graph"),
        (graph("y = Relu (x)", {}), NothingToQuantizeError, "no FP32 weight"),
        (
            graph(PRODUCT, {"w": weight(6, 4).astype(np.float16)}),
            NothingToQuantizeError,
            "not quantized already",
        ),
        (graph(PRODUCT, {"w": weight(6, 4)}, opset=9), ModelError, "opset 9; quantizing needs 11"),
        (b"", ModelError, "no ONNX graph"),
        (graph(PRODUCT, {"w": np.full((6, 4), np.nan, np.float32)}), ModelError, "weight w is not finite"),
    ],
)
def test_what_cannot_be_quantized(
    tmp_path: Path, content: bytes, error: type[Exception], message: str
) -> None:
    source, target = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
    source.write_bytes(content)
    with pytest.raises(error, match=message):
        quantize_encoder(source, target, calibration=())
    assert not target.exists()


def test_an_int8_encoder_is_not_quantized_again(tmp_path: Path) -> None:
    with pytest.raises(NothingToQuantizeError):
        quantize_encoder(INT8, tmp_path / "again.onnx")


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no FP32 encoder"):
        quantize_encoder(tmp_path / "none.onnx", tmp_path / "int8.onnx")
    with pytest.raises(ModelError, match="'int4' is not known; choose one of matmul, gate, linear"):
        quantize_encoder(FP32, tmp_path / "int8.onnx", recipe="int4")  # type: ignore[arg-type]


def test_a_second_one_waits_and_does_not_overwrite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, arrived = tmp_path / "int8.onnx", threading.Event()

    @contextmanager
    def watched(directory: Path) -> Iterator[None]:
        arrived.set()
        with directory_lock(directory):
            yield

    monkeypatch.setattr(quantize_module, "directory_lock", watched)
    with ThreadPoolExecutor(1) as pool, directory_lock(tmp_path):
        second = pool.submit(quantize_encoder, FP32, target)
        assert arrived.wait(60)
        assert not target.exists()
        target.write_bytes(b"of the first")
    with pytest.raises(ModelExistsError):
        second.result()
    assert target.read_bytes() == b"of the first"


def test_a_graph_that_does_not_load_gets_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, options: RuntimeOptions) -> None:
        assert path.is_file()
        raise ModelError("cannot be loaded")

    monkeypatch.setattr(quantize_module, "load_session", refuse)
    with pytest.raises(ModelError, match="cannot be loaded"):
        quantize_encoder(FP32, tmp_path / "int8.onnx", calibration=())
    assert [path.name for path in tmp_path.iterdir()] in ([LOCK_NAME], [])


@pytest.mark.slow
def test_killed_before_the_renaming(tmp_path: Path) -> None:
    """The old file is whole, and the next attempt clears up."""
    target = tmp_path / "int8.onnx"
    target.write_bytes(b"old")
    code = f"""
import os, signal, sys
from pathlib import Path
import gigastt_lab.quantization.quantize as quantize
quantize.load_session = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
quantize.quantize_encoder(Path({str(FP32)!r}), Path({str(target)!r}), calibration=(), overwrite=True)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    assert list(tmp_path.glob(".*.partial"))
    quantize_encoder(FP32, target, calibration=(), overwrite=True)
    onnx.load(target)
    assert not list(tmp_path.glob(".*.partial"))


def command(directory: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gigastt_lab", "quantize", "--model-dir", str(directory), *arguments],
        capture_output=True, text=True, check=False, **options,
    )  # fmt: skip


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    shutil.copy(FP32, tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_command_reports(directory: Path) -> None:
    ran = command(directory, "--recipe", "linear", "--threads", "1")
    assert ran.returncode == 0, ran.stderr
    lines = dict(line.split(maxsplit=1) for line in ran.stdout.splitlines() if not line.startswith("speed"))
    assert lines["recipe"] == "linear"
    assert lines["rounding"] == "calibrated, 24 clips, 71 s, 20 inputs smoothed"
    assert lines["INT8"].startswith("50 weights, 1.9 million")  # 5 * (4 * 128 * 512 + 7 * 128**2)
    assert lines["FP32"].startswith("7 weights kept")
    assert "24 sample clips, the ones calibrated on: median 0.0" in lines["error"]
    assert "1 threads" in lines["measured"]
    assert ran.stdout.count("real time") == 2
    made = (directory / INT8.name).read_bytes()

    again = command(directory, "--no-report")
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert (directory / INT8.name).read_bytes() == made

    forced = command(directory, "--no-report", "--force", "--no-calibration")
    assert forced.returncode == 0
    assert (directory / INT8.name).stat().st_size > len(made)


@pytest.mark.slow
def test_the_command_calibrates_on_files(directory: Path) -> None:
    clips = sorted(str(path) for path in DEMO_CLIPS_DIRECTORY.glob("*.flac"))[:2]
    ran = command(directory, "--recipe", "matmul", "--no-report", "--calibrate-on", *clips)
    assert ran.returncode == 0, ran.stderr
    assert "\nrounding  calibrated, 2 clips, " in ran.stdout
    on_two = constants(directory / INT8.name)
    on_all = constants(INT8)
    assert any((on_all[name] != on_two[name]).any() for name in on_all.keys() & on_two.keys())

    for arguments, code in (
        (("--calibrate-on", "none.wav"), 1),
        (("--calibrate-on", str(directory / FP32.name)), 1),
        (("--calibrate-on", clips[0], "--no-calibration"), 2),
    ):
        assert command(directory, "--force", "--no-report", *arguments).returncode == code
    for name, array in constants(directory / INT8.name).items():
        np.testing.assert_array_equal(array, on_two[name])


@pytest.mark.slow
def test_the_command_rounds_to_nearest(directory: Path) -> None:
    ran = command(directory, "--recipe", "matmul", "--no-calibration")
    assert ran.returncode == 0, ran.stderr
    assert "\nrounding  nearest\n" in ran.stdout
    assert "24 sample clips: median 0.0" in ran.stdout
    exact, made = constants(FP32), constants(directory / INT8.name)
    integers = {name: array for name, array in made.items() if array.dtype == np.int8}
    assert len(integers) == 40
    for name, array in integers.items():
        key = name.removesuffix("_quantized")
        nearest = np.rint(exact[key] / made[f"{key}_scales"])
        is_small = np.repeat(np.abs(nearest[::2] + nearest[1::2]) <= EXACT.largest_pair, 2, axis=0)
        assert is_small.mean() > 0.99
        np.testing.assert_array_equal(array[is_small], nearest[is_small])


def test_the_command_without_a_model(tmp_path: Path) -> None:
    ran = command(tmp_path)
    assert ran.returncode == 3
    assert "download the model first" in ran.stderr


@pytest.mark.slow
def test_a_full_disk_leaves_nothing(directory: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    ran = command(directory, "--no-calibration", preexec_fn=limit)
    assert ran.returncode == 9, ran.stderr
    assert "make room" in ran.stderr
    assert sorted(path.name for path in directory.iterdir() if "onnx" in path.name) == [FP32.name]
