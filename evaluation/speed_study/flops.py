"""FLOP of an encoder, counted from its graph: multiplications and additions of MatMul and convolutions."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gigastt_lab.errors import ModelError
from gigastt_lab.graphs.view import GraphView, attribute

if TYPE_CHECKING:
    from onnx import NodeProto

_MATRIX: Final = frozenset({"MatMul", "MatMulInteger", "Gemm", "DynamicQuantizeMatMul"})
_CONVOLUTION: Final = frozenset({"Conv", "ConvInteger"})


@dataclass(frozen=True)
class Product:
    """A MatMul or convolution by a constant weight.

    Attributes:
        n_parameters: Number of parameters of the weight; each is one multiplication and one addition per
            frame.
        kernel: Frames that one output frame is made of; 1 of a MatMul.
        stride, padding, dilation: Geometry of a convolution, in frames; padding is that of both ends
            together.
        shape: (n_in, n_out) of a matrix product, a convolution of kernel 1 among them; None for others.
    """

    n_parameters: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    shape: tuple[int, int] | None = None

    def n_out(self, n_frames: int) -> int:
        """Number of frames that it makes of `n_frames`."""
        return (n_frames + self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1


@dataclass(frozen=True)
class EncoderWork:
    """Work of an encoder, in the order of its graph, which subsamples before anything else.

    Attributes:
        products: Every MatMul and convolution by a constant weight.
        n_attention: Number of MatMul of two tensors that both vary: two for each layer of self-attention.
        width: Number of channels of a frame, over all heads.
    """

    products: tuple[Product, ...]
    n_attention: int
    width: int

    def flops(self, n_frames: int) -> int:
        """FLOP for one utterance of so many feature frames: two for each parameter and output frame.

        Attention adds 2 n² width for each of its MatMul, n being the encoder frames.

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
        """Number of encoder frames of `n_frames` feature frames."""
        for product in self.products:
            n_frames = product.n_out(n_frames)
        return n_frames

    def main_shapes(self, n: int) -> list[tuple[int, int]]:
        """Shapes (n_in, n_out) of the weights that take most of the work, at most `n` of them."""
        work: Counter[tuple[int, int]] = Counter()
        for product in self.products:
            if product.shape is not None:
                work[product.shape] += product.n_parameters
        return [shape for shape, _ in work.most_common(n)]


def read_work(path: Path) -> EncoderWork:
    """Work of the encoder at `path`, in FP32 or INT8: both multiply the same numbers.

    Raises:
        ModelError: it has convolutions of more than one dimension, or does not state its width.
    """
    import onnx

    graph = GraphView(onnx.load(str(path)).graph)
    products: list[Product] = []
    n_attention = 0
    for node in graph.nodes(*_MATRIX, *_CONVOLUTION):
        shape = graph.shape(node.input[1])
        if node.op_type in _CONVOLUTION:
            products.append(_convolution(node, shape, path))
        elif shape is None:
            n_attention += 1
        else:
            products.append(_matrix(node, shape))
    width = graph.proto.output[0].type.tensor_type.shape.dim[1].dim_value
    if n_attention and not width:
        raise ModelError(f"{path} leaves the width of its frames open; export it with a fixed one")
    return EncoderWork(tuple(products), n_attention, width)


def _matrix(node: NodeProto, shape: tuple[int, ...]) -> Product:
    n_in, n_out = shape[-2:][::-1] if attribute(node, "transB") else shape[-2:]
    return Product(n_in * n_out, shape=(n_in, n_out))


def _convolution(node: NodeProto, shape: tuple[int, ...] | None, path: Path) -> Product:
    if shape is None:
        raise ModelError(f"{path} convolves by a weight that it computes; only a constant one can be counted")
    if len(shape) != 3:
        raise ModelError(f"{path} convolves over {len(shape) - 2} dimensions; only one can be counted")
    n_out, n_in, kernel = shape
    is_matrix = kernel == 1 and attribute(node, "group", 1) == 1
    return Product(
        math.prod(shape),
        kernel=kernel,
        stride=attribute(node, "strides", [1])[0],
        padding=sum(attribute(node, "pads", [0])),
        dilation=attribute(node, "dilations", [1])[0],
        shape=(n_in, n_out) if is_matrix else None,
    )
