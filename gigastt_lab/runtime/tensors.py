"""Inputs and outputs of a graph: names, types and shapes, as NumPy has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnxruntime as ort

from gigastt_lab.errors import ModelError

_ELEMENT_TYPES: Final[dict[str, type[np.generic]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
}


@dataclass(frozen=True)
class TensorInfo:
    """One input or output of a graph; None in the shape stands for a size that may vary."""

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int | None, ...]


def tensor_info(name: str, node: ort.NodeArg) -> TensorInfo:
    """Name, type and shape of an input or output of the graph `name`.

    Raises:
        ModelError: it is of a type that no model here has.
    """
    if node.type not in _ELEMENT_TYPES:
        raise ModelError(
            f"{name}: {node.name} is {node.type}; expected one of {', '.join(_ELEMENT_TYPES)}; "
            "export the model with plain tensors"
        )
    shape: Sequence[int | str | None] = node.shape
    sizes = tuple(size if isinstance(size, int) else None for size in shape)
    return TensorInfo(node.name, np.dtype(_ELEMENT_TYPES[node.type]), sizes)
