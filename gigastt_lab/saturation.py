"""Whether this processor's INT8 products are exact.

Before VNNI (Intel Cascade Lake, AMD Zen 4), ONNX Runtime's kernel for unsigned activations and signed
weights adds pairs of products in 16 bits, where large ones saturate: an INT8 encoder then gives other
text than on a newer machine. ONNX Runtime: "Quantize ONNX models", "When and why do I need to try U8U8".
"""

from __future__ import annotations

from functools import cache

import numpy as np

from gigastt_lab.model_cache import noted_here
from gigastt_lab.runtime import RuntimeOptions, build_session

_ROWS, _DEPTH, _COLUMNS = 8, 64, 32


@cache
def int8_is_exact() -> bool:
    """Whether the largest products of unsigned and signed bytes are summed without saturation.

    Tried once for each processor and version of ONNX Runtime (`model_cache`).
    """
    return noted_here("INT8 products are exact", lambda: str(_is_exact())) == "True"


def _is_exact() -> bool:
    activations = np.full((_ROWS, _DEPTH), 255, np.uint8)
    weights = np.full((_DEPTH, _COLUMNS), 127, np.int8)
    weights[:, ::2] = -127
    (sums,) = build_session(_product(weights), "the INT8 product", RuntimeOptions(provider="cpu")).run(
        activations
    )
    return np.array_equal(sums, activations.astype(np.int32) @ weights.astype(np.int32))


def _product(weights: np.ndarray) -> bytes:
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["activations", "weights"], ["sums"])],
        "product",
        [helper.make_tensor_value_info("activations", TensorProto.UINT8, [None, _DEPTH])],
        [helper.make_tensor_value_info("sums", TensorProto.INT32, [None, _COLUMNS])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    serialized: bytes = model.SerializeToString()
    return serialized
