"""What an encoder computes, counted from its graph: multiplications and additions of products."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gigastt_lab.errors import ModelError

_MATRIX: Final = frozenset({"MatMul", "MatMulInteger", "Gemm", "DynamicQuantizeMatMul"})
_CONVOLUTION: Final = frozenset({"Conv", "ConvInteger"})


@dataclass(frozen=True)
class Product:
    """A product of what passes through by a constant weight.

    Attributes:
        n_parameters: Numbers in the weight; each is one multiplication and one addition per frame.
        kernel: Frames that it looks at; 1 of a matrix.
        stride, padding, dilation: Of a convolution, in frames; padding is that of both ends together.
        shape: (n_in, n_out) where it is a matrix product, a convolution of kernel 1 among them; else None.
    """

    n_parameters: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    shape: tuple[int, int] | None = None

    def n_out(self, n_frames: int) -> int:
        """Frames that it makes of so many."""
        return (n_frames + self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1


@dataclass(frozen=True)
class EncoderWork:
    """The products of an encoder in the order of its graph, which subsamples before anything else.

    Attributes:
        products: By constant weights.
        n_attention: Products of two tensors that both vary: two for each layer of self-attention.
        width: Channels of a frame, over all heads.
    """

    products: tuple[Product, ...]
    n_attention: int
    width: int

    def flops(self, n_frames: int) -> int:
        """FLOP for one utterance of so many feature frames: two for each parameter and output frame.

        Attention adds 2 n² width for each of its products, n being the encoder frames.

        >>> half = Product(10, kernel=3, stride=2, padding=2)
        >>> EncoderWork((half, Product(6, shape=(2, 3))), n_attention=2, width=3).flops(8)
        320
        """
        total = 0
        for product in self.products:
            made = product.n_out(n_frames)
            total += 2 * product.n_parameters * made
            n_frames = made
        return total + 2 * self.n_attention * self.width * n_frames**2

    def n_encoder_frames(self, n_frames: int) -> int:
        """Encoder frames of so many feature frames."""
        for product in self.products:
            n_frames = product.n_out(n_frames)
        return n_frames

    def main_shapes(self, n: int) -> list[tuple[int, int]]:
        """The shapes (n_in, n_out) of the matrices that most of the work is by, at most `n` of them."""
        work: Counter[tuple[int, int]] = Counter()
        for product in self.products:
            if product.shape is not None:
                work[product.shape] += product.n_parameters
        return [shape for shape, _ in work.most_common(n)]


def read_work(path: Path) -> EncoderWork:
    """The work of the encoder at `path`, in FP32 or INT8: both multiply the same numbers.

    Raises:
        ModelError: it has convolutions of more than one dimension, or does not state its width.
    """
    import onnx

    graph = onnx.load(str(path)).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    products: list[Product] = []
    n_attention = 0
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in shapes:
            shapes[node.output[0]] = shapes[node.input[0]]
        elif node.op_type == "Constant" and node.attribute[0].name == "value":
            shapes[node.output[0]] = tuple(node.attribute[0].t.dims)
        elif node.op_type in _CONVOLUTION:
            products.append(_convolution(node, shapes[node.input[1]], path))
        elif node.op_type in _MATRIX:
            shape = shapes.get(node.input[1])
            if shape is None:
                n_attention += 1
            else:
                products.append(_matrix(node, shape))
    width = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    if n_attention and not width:
        raise ModelError(f"{path} leaves the width of its frames open; export it with a fixed one")
    return EncoderWork(tuple(products), n_attention, width)


def _matrix(node: Any, shape: tuple[int, ...]) -> Product:
    flipped = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    n_in, n_out = shape[-2:][::-1] if flipped else shape[-2:]
    return Product(n_in * n_out, shape=(n_in, n_out))


def _convolution(node: Any, shape: tuple[int, ...], path: Path) -> Product:
    if len(shape) != 3:
        raise ModelError(f"{path} convolves over {len(shape) - 2} dimensions; only one can be counted")
    given = {attribute.name: attribute for attribute in node.attribute}

    def numbers(name: str, default: int) -> list[int]:
        return list(given[name].ints) if name in given else [default]

    n_out, n_in, kernel = shape
    is_matrix = kernel == 1 and ("group" not in given or given["group"].i == 1)
    return Product(
        math.prod(shape),
        kernel=kernel,
        stride=numbers("strides", 1)[0],
        padding=sum(numbers("pads", 0)),
        dilation=numbers("dilations", 1)[0],
        shape=(n_in, n_out) if is_matrix else None,
    )
