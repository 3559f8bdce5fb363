"""Read-only view of an ONNX graph: producers and consumers of tensors, constants, attributes, shapes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto

Array = npt.NDArray[np.generic]


class GraphView:
    """Nodes of a graph, the producer and the consumers of each tensor, and its constants.

    Constants are initializers, the tensors of Constant nodes, and copies of either by Identity nodes. A copy
    is another name of its `origin`: whoever reads one reads the other.

    Attributes:
        proto: The graph as ONNX has it.
    """

    def __init__(self, proto: GraphProto) -> None:
        self.proto = proto
        # The outputs, and what loops and branches inside the nodes read: no other name will do for these.
        self._pinned = {output.name for output in proto.output}
        self._tensors: dict[str, TensorProto] = {tensor.name: tensor for tensor in proto.initializer}
        self._origins: dict[str, str] = {}  # of copies
        self._nodes: dict[int, NodeProto] = {}
        self._order: list[int] = []  # keys of `_nodes`, and of nodes that were removed
        self._new_keys = count()
        self._producers: dict[str, int] = {}
        self._consumers: dict[str, set[int]] = {}  # of an origin
        for node in proto.node:  # in topological order, as ONNX demands
            self._order.append(self._link(node, is_copy=self._enter_constant(node)))

    @property
    def inputs(self) -> list[str]:
        """Names of the graph's inputs, weights that old exports list there left out."""
        return [each.name for each in self.proto.input if each.name not in self._tensors]

    @property
    def outputs(self) -> list[str]:
        """Names of the graph's outputs."""
        return [each.name for each in self.proto.output]

    def nodes(self, *op_types: str) -> Iterator[NodeProto]:
        """Nodes of these types, or all, in the file's order; not those added or removed meanwhile."""
        for key in list(self._order):
            node = self._nodes.get(key)
            if node is not None and (not op_types or node.op_type in op_types):
                yield node

    def producer(self, name: str) -> NodeProto | None:
        """Node that makes `name`; None for inputs and initializers."""
        key = self._producers.get(name)
        return None if key is None else self._nodes[key]

    def consumers(self, name: str) -> list[NodeProto]:
        """Nodes that read `name`, or a copy of it where it is constant; without those that copy constants."""
        return [self._nodes[key] for key in sorted(self._consumers.get(self.origin(name), ()))]

    def n_uses(self, name: str) -> int:
        """Number of node inputs, graph outputs and graphs inside nodes that read `name` or a copy of it."""
        origin = self.origin(name)
        names = [each for node in self.consumers(name) for each in node.input]
        return sum(self.origin(each) == origin for each in (*names, *self._pinned))

    def only_consumer(self, name: str) -> NodeProto | None:
        """The one node that reads `name`; None where there are several, or where it leaves the graph."""
        consumers = self.consumers(name)
        return consumers[0] if len(consumers) == 1 and name not in self._pinned else None

    def private_producer(self, name: str, *op_types: str) -> NodeProto | None:
        """The node of one of `op_types` that makes `name`, if only one reads it."""
        node = self.producer(name)
        fits = node is not None and node.op_type in op_types and self.only_consumer(name) is not None
        return node if fits else None

    def origin(self, name: str) -> str:
        """The constant that `name` is a copy of; `name` itself where it is none.

        It tells constants apart: tensors inside Constant nodes often share a name.
        """
        return self._origins.get(name, name)

    def is_constant(self, name: str) -> bool:
        """True for a constant."""
        return self.origin(name) in self._tensors

    def tensor(self, name: str) -> TensorProto | None:
        """A constant as ONNX has it; None for what is none."""
        return self._tensors.get(self.origin(name))

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Shape of a constant; None for what is none."""
        tensor = self.tensor(name)
        return None if tensor is None else tuple(tensor.dims)

    def constant(self, name: str) -> Array | None:
        """A constant's numbers; None for what is none."""
        from onnx import numpy_helper

        tensor = self.tensor(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def scalar(self, name: str) -> float | None:
        """A constant of one number; None for anything else."""
        shape = self.shape(name)
        if shape is None or int(np.prod(shape, dtype=np.int64)) != 1:
            return None
        value = self.constant(name)
        assert value is not None
        return float(value.ravel()[0])

    def float32(self, name: str) -> Float32Array:
        """A constant's numbers as float32."""
        value = self.constant(name)
        assert value is not None, name
        return np.asarray(value, np.float32)

    def with_scalar(self, node: NodeProto) -> tuple[str, float | None]:
        """The inputs of a sum or product of two: the one that varies, and the number, None without one."""
        varying, constant = self.with_constant(node)
        return varying, None if constant is None else self.scalar(constant)

    def with_constant(self, node: NodeProto) -> tuple[str, str | None]:
        """The inputs of a sum or product of two: the one that varies, and the constant, None without one."""
        first, second = node.input[:2]
        if self.is_constant(second):
            return first, second
        return (second, first) if self.is_constant(first) else (first, None)

    def known_sizes(self, name: str) -> list[int]:
        """A shape as far as it is constant, -1 for the rest: a constant, or a Concat of some."""
        value = self.constant(name)
        if value is not None:
            return [int(size) for size in value.ravel()]
        node = self.producer(name)
        if node is None or node.op_type != "Concat":
            return [-1]
        return [size for part in node.input for size in self.known_sizes(part)]

    def is_pointwise(self, node: NodeProto) -> bool:
        """True for a 1-D convolution of kernel 1 by a constant, which a matrix product can replace."""
        shape = self.shape(node.input[1]) if node.op_type == "Conv" else None
        if shape is None or len(shape) != 3 or shape[2] != 1:
            return False
        steps = {step for name in ("strides", "dilations") for step in attribute(node, name, ())}
        return steps <= {1} and not any(attribute(node, "pads", ())) and attribute(node, "group", 1) == 1

    def _enter_constant(self, node: NodeProto) -> bool:
        """Enter the output of a node among the constants; False where it is none."""
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            self._tensors[node.output[0]] = node.attribute[0].t
        elif node.op_type == "Identity" and self.is_constant(node.input[0]):
            self._origins[node.output[0]] = self.origin(node.input[0])
        else:
            return False
        return True

    def _link(self, node: NodeProto, *, is_copy: bool = False) -> int:
        """Enter a node, its outputs and its inputs (a copy is no consumer); returns its key."""
        key = next(self._new_keys)
        self._nodes[key] = node
        self._producers.update((output, key) for output in node.output if output)
        if not is_copy:
            for name in filter(None, node.input):
                self._consumers.setdefault(self.origin(name), set()).add(key)
            self._pinned.update(read_inside(node))
        return key


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """A node's attribute as a Python value."""
    from onnx import helper

    return next(
        (helper.get_attribute_value(found) for found in node.attribute if found.name == name), default
    )


def read_inside(node: NodeProto) -> set[str]:
    """Names that the loops and branches inside a node read, at whatever depth, and their outputs."""
    names: set[str] = set()
    for each in node.attribute:
        for graph in (each.g, *each.graphs):
            names.update(output.name for output in graph.output)
            for inner in graph.node:
                names.update(inner.input, read_inside(inner))
    return names
