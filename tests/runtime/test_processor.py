"""INT8 products on this processor: probes that see what saturates, is wrong or slow; what "auto" makes of it.

Other processors are pretended here; `processors/` runs the same on some, emulated.
"""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from gigastt_lab import engine
from gigastt_lab.recognition import precision as choice
from gigastt_lab.runtime import processor as int8_products
from gigastt_lab.runtime.sessions import RuntimeOptions, build_session

CPU = RuntimeOptions(provider="cpu", threads=1)


@pytest.mark.parametrize("wraps", [False, True])
def test_saturation_is_seen(monkeypatch: pytest.MonkeyPatch, wraps: bool) -> None:
    """A kernel that adds pairs of products in 16 bits, and one that does not."""
    build = int8_products.build_session

    class Sixteen:
        def __init__(self, *arguments) -> None:
            self._session = build(*arguments)

        def run(self, activations):
            (sums,) = self._session.run(activations)
            n_pairs = activations.shape[1] // 2
            exact = np.sign(sums) * n_pairs * 255 * 127 * 2
            return [np.sign(sums) * n_pairs * (2**15 - 1) if wraps else exact]

    monkeypatch.setattr(int8_products, "build_session", Sixteen)
    assert int8_products._is_exact() is not wraps


@pytest.mark.parametrize(("int8_s", "fp32_s"), [(1.0, 2.0), (2.0, 1.0)])
def test_the_faster_one_is_seen(monkeypatch: pytest.MonkeyPatch, int8_s: float, fp32_s: float) -> None:
    """By the shortest of some runs: one disturbed run does not decide."""
    clock = iter(np.arange(0.0, 100.0, 1.0))
    durations = {"MatMulInteger": int8_s, "MatMul": fp32_s}
    running = {"now": 0.0}

    class Timed:
        def __init__(self, graph, *_) -> None:
            kinds = {node.op_type for node in onnx.load_from_string(graph).graph.node}
            self._seconds = durations["MatMulInteger" if "MatMulInteger" in kinds else "MatMul"]

        def run(self, activations):
            assert activations.dtype == np.float32
            running["now"] += self._seconds + (50.0 if next(clock) % 3 == 1 else 0.0)
            return [activations]

    monkeypatch.setattr(int8_products, "build_session", Timed)
    monkeypatch.setattr(int8_products.time, "perf_counter", lambda: running["now"])
    assert int8_products._is_faster() is (int8_s < fp32_s)


def test_both_products_that_are_timed_compute_the_same() -> None:
    weight = np.random.default_rng(0).integers(-64, 65, (32, 8)).astype(np.int8)
    x = np.random.default_rng(1).normal(size=(5, 32)).astype(np.float32)
    (quantized,) = build_session(int8_products._quantized_product(weight), "INT8", CPU).run(x)
    (exact,) = build_session(int8_products._float_product(weight.astype(np.float32)), "FP32", CPU).run(x)
    assert np.linalg.norm(quantized * 64 - exact) < 0.02 * np.linalg.norm(exact)


def test_on_this_processor_quantized_products_are_as_defined() -> None:
    assert int8_products._is_right()


def test_kernels_that_quantize_rows_by_themselves_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    build = int8_products.build_session

    class RowByRow:
        def __init__(self, *arguments) -> None:
            self._session = build(*arguments)

        def run(self, activations):
            return [np.concatenate([self._session.run(row[None])[0] for row in activations])]

    monkeypatch.setattr(int8_products, "build_session", RowByRow)
    assert not int8_products._is_right()


def test_where_quantized_products_are_wrong_auto_takes_fp32(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choice, "int8_is_right", lambda: False)
    assert engine.load_engine("demo", provider="cpu").info.precision == "fp32"
    assert caplog.records == []
    assert engine.load_engine("demo", provider="cpu", precision="int8").info.precision == "int8"
    assert "take --precision fp32 (or another ONNX Runtime, 1.25" in caplog.text


def test_auto_takes_the_precision_that_the_device_computes_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choice.preferred_precision("cuda") == choice.preferred_precision("openvino") == "fp32"
    for is_faster, precision in ((True, "int8"), (False, "fp32")):
        monkeypatch.setattr(choice, "int8_is_faster", lambda is_faster=is_faster: is_faster)
        assert choice.preferred_precision("cpu") == precision
        assert engine.load_engine("demo", provider="cpu").info.precision == precision
    assert engine.load_engine("demo", provider="cpu", precision="int8").info.precision == "int8"
