"""Checks of INT8 matrix products on this processor: correctness, saturation of large sums, speed.

x86 processors without VNNI (before Intel Cascade Lake and AMD Zen 4) multiply unsigned activations and
signed weights with `vpmaddubsw`, which adds the products of a pair of weights in 16 bits: 255 * 127 * 2 does
not fit, and saturates. `graphs.int8_weights` tells which weights fit.
ONNX Runtime: "Quantize ONNX models", "When and why do I need to try U8U8".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gigastt_lab.runtime.cache import noted_here
from gigastt_lab.runtime.sessions import RuntimeOptions, Session, build_session
from gigastt_lab.types import Int8Array

if TYPE_CHECKING:
    from onnx import NodeProto

_ROWS, _DEPTH, _COLUMNS = 8, 64, 32
_TIMED_ROWS, _TIMED_WIDTH, _TIMED_ROUNDS = 100, 768, 7  # GigaAM's attention, at 4 s
_NAME: Final = "the INT8 product"  # by which `sessions` takes the kernels for INT8
_SCALE: Final = np.float32(2**-6)  # of a weight
_Constants = Mapping[str, npt.NDArray[np.generic]]

_ONE_THREAD: Final = RuntimeOptions(provider="cpu", threads=1)


@cache
def int8_is_exact() -> bool:
    """True if the largest products of unsigned and signed bytes are summed without saturation.

    Tried once for each processor and version of ONNX Runtime (`runtime.cache`).
    """
    return noted_here("INT8 products are exact", lambda: str(_is_exact())) == "True"


@cache
def int8_is_right() -> bool:
    """True if a matrix product of quantized activations is as ONNX defines it, large sums aside.

    ONNX Runtime 1.24 has kernels for Arm with SME (KleidiAI) that quantize each row by itself; later versions
    can be told to leave them (`sessions`). Tried once for each processor and version.
    """
    return noted_here("quantized products are as defined", lambda: str(_is_right())) == "True"


@cache
def int8_is_faster() -> bool:
    """True if an INT8 matrix product, quantization of its activations included, is faster than in FP32.

    It is with VNNI, with AVX2 and with SSE alone, but not with AVX alone (Intel Sandy and Ivy Bridge), whose
    FP32 kernels are twice as wide as its integer ones. Timed once for each processor and version of ONNX
    Runtime (`runtime.cache`).
    """
    return noted_here("INT8 products are faster", lambda: str(_is_faster())) == "True"


def _is_exact() -> bool:
    activations = np.full((_ROWS, _DEPTH), 255, np.uint8)
    weights = np.full((_DEPTH, _COLUMNS), 127, np.int8)
    weights[:, ::2] = -127
    (sums,) = build_session(_integer_product(weights), _NAME, _ONE_THREAD).run(activations)
    return np.array_equal(sums, activations.astype(np.int32) @ weights.astype(np.int32))


def _is_right() -> bool:
    """True if it is right for whole numbers that span 255, so that the scale is 1 and nothing is rounded.

    In most rows they span less: quantized by themselves, such rows are rounded.
    """
    rng = np.random.default_rng(0)
    activations = rng.integers(-7, 10, (_ROWS, _DEPTH)).astype(np.float32)
    activations[0, :2] = -100.0, 155.0
    weight = rng.integers(-64, 65, (_DEPTH, _COLUMNS)).astype(np.int8)
    (products,) = build_session(_quantized_product(weight), _NAME, _ONE_THREAD).run(activations)
    expected = activations @ weight.astype(np.float32) * _SCALE
    return np.allclose(products, expected, rtol=1e-5, atol=1e-5 * float(np.abs(expected).max()))


def _is_faster() -> bool:
    rng = np.random.default_rng(0)
    weight = rng.integers(-64, 65, (_TIMED_WIDTH, _TIMED_WIDTH)).astype(np.int8)
    activations = rng.normal(size=(_TIMED_ROWS, _TIMED_WIDTH)).astype(np.float32)
    sessions = [
        build_session(_quantized_product(weight), _NAME, _ONE_THREAD),
        build_session(_float_product(weight.astype(np.float32)), "the FP32 product", _ONE_THREAD),
    ]
    int8_s, fp32_s = _shortest(sessions, activations)
    return int8_s < fp32_s


def _shortest(sessions: list[Session], activations: npt.NDArray[np.float32]) -> list[float]:
    """Shortest of some runs of each session, in turn: what else the machine does falls on all. Seconds."""
    seconds: list[list[float]] = [[] for _ in sessions]
    for _ in range(_TIMED_ROUNDS):
        for session, its_seconds in zip(sessions, seconds, strict=True):
            started = time.perf_counter()
            session.run(activations)
            its_seconds.append(time.perf_counter() - started)
    return [min(its) for its in seconds]


def _integer_product(weight: Int8Array) -> bytes:
    from onnx import TensorProto, helper

    node = helper.make_node("MatMulInteger", ["activations", "weight"], ["sums"])
    return _graph([node], {"weight": weight}, inputs=TensorProto.UINT8, outputs=TensorProto.INT32)


def _quantized_product(weight: Int8Array) -> bytes:
    """Graph of an INT8 MatMul as `quantization.quantize` writes it."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["activations"], ["integers", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["integers", "weight", "zero"], ["total"]),
        helper.make_node("Cast", ["total"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["scale", "scales"], ["units"]),
        helper.make_node("Mul", ["floats", "units"], ["sums"]),
    ]
    constants: _Constants = {"weight": weight, "scales": np.full(weight.shape[1], _SCALE, np.float32)}
    return _graph(nodes, constants, inputs=TensorProto.FLOAT, outputs=TensorProto.FLOAT)


def _float_product(weight: npt.NDArray[np.float32]) -> bytes:
    from onnx import TensorProto, helper

    node = helper.make_node("MatMul", ["activations", "weight"], ["sums"])
    return _graph([node], {"weight": weight}, inputs=TensorProto.FLOAT, outputs=TensorProto.FLOAT)


def _graph(nodes: list[NodeProto], constants: _Constants, *, inputs: int, outputs: int) -> bytes:
    from onnx import helper, numpy_helper

    depth, columns = constants["weight"].shape
    graph = helper.make_graph(
        nodes,
        "product",
        [helper.make_tensor_value_info("activations", inputs, [None, depth])],
        [helper.make_tensor_value_info("sums", outputs, [None, columns])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    serialized: bytes = model.SerializeToString()
    return serialized
