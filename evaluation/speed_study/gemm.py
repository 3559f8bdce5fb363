"""Rates of matrix products on this machine, by the libraries that could do them for an encoder."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import onnxruntime

from evaluation.speed_study.flops import read_work
from evaluation.systems.timed import Operations

Kind = Literal["fp32", "fp32_blas", "int8"]
KINDS: Final[tuple[Kind, ...]] = ("fp32", "int8", "fp32_blas")
"""ONNX Runtime's MatMul, its DynamicQuantizeMatMul, which quantizes first, and numpy's BLAS.

BLAS comes last: its threads go on spinning for a while, against whatever comes next.
"""

_AT_LEAST_S: Final = 0.03  # that each matrix product is repeated for
_FEWEST: Final = 2
_PEAK_SHAPES: Final = 4


def operations(threads: int) -> Operations:
    """Operations `work`, the matrix products of an encoder, and `gemm`, their rates."""
    made = functools.cache(functools.partial(_product, threads=threads))

    def gemm(n_rows: int, shapes: list[list[int]]) -> dict[str, Any]:
        return {kind: [_rate(made(kind, k, n), n_rows, k, n) for k, n in shapes] for kind in KINDS}

    def work(path: str, n_frames: list[int]) -> dict[str, Any]:
        found = read_work(Path(path))
        return {
            "flops": [found.flops(n) for n in n_frames],
            "n_encoder_frames": [found.n_encoder_frames(n) for n in n_frames],
            "shapes": found.main_shapes(_PEAK_SHAPES),
        }

    return {"gemm": gemm, "work": work}


def _rate(multiply: Callable[[Any], object], n_rows: int, k: int, n: int) -> float:
    """FLOP per second of the fastest of some matrix products (n_rows, k) by (k, n); 2 k n FLOP for a row."""
    rows = np.random.default_rng(0).standard_normal((n_rows, k), np.float32)
    multiply(rows)
    times: list[float] = []
    while len(times) < _FEWEST or sum(times) < _AT_LEAST_S:
        started = time.perf_counter()
        multiply(rows)
        times.append(time.perf_counter() - started)
    return 2.0 * n_rows * k * n / min(times)


def _product(kind: Kind, k: int, n: int, *, threads: int) -> Callable[[Any], object]:
    """Matrix product with one constant matrix of shape (k, n), as a function of the other one."""
    weight = np.random.default_rng(1).standard_normal((k, n), np.float32)
    if kind == "fp32_blas":
        return lambda rows: rows @ weight
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.force_spinning_stop", "1")  # between calls, not in them
    session = onnxruntime.InferenceSession(_graph(kind, weight), options, providers=["CPUExecutionProvider"])
    return lambda rows: session.run(None, {"x": rows})


def _graph(kind: Kind, weight: Any) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    constants = {"w": weight}
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    if kind == "int8":
        # As our recipes make them: signed, symmetric, one scale per output channel.
        scales = np.abs(weight).max(axis=0) / 127
        constants = {"w": np.rint(weight / scales).astype(np.int8), "s": scales.astype(np.float32)}
        node = helper.make_node("DynamicQuantizeMatMul", ["x", "w", "s"], ["y"], domain="com.microsoft")
    k, n = weight.shape
    graph = helper.make_graph(
        [node],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", k])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", n])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return content
