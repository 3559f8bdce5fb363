"""An ONNX graph that can be walked in both directions and changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

Array = npt.NDArray[np.generic]

MICROSOFT = "com.microsoft"  # ONNX Runtime's own operators


class GraphEditor:
    """The nodes of a model, who makes and who reads each tensor, and its constants.

    Constants are initializers here, whatever they were: Constant nodes and copies are resolved at the start.
    Nodes may be added in any order; `finish` sorts them and drops what nothing reads.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self._tensors: dict[str, TensorProto] = {tensor.name: tensor for tensor in model.graph.initializer}
        self._nodes: list[NodeProto | None] = []
        self._maker: dict[str, int] = {}
        self._readers: dict[str, set[int]] = {}
        self._outputs = {output.name for output in model.graph.output}
        self._resolve_constants()

    @property
    def inputs(self) -> list[str]:
        """Names of the graph's inputs, weights that old exports list there left out."""
        return [node.name for node in self.model.graph.input if node.name not in self._tensors]

    def nodes(self, *op_types: str) -> Iterator[NodeProto]:
        """Nodes of these types, or all, in the file's order; not those added or removed meanwhile."""
        for position in range(len(self._nodes)):
            node = self._nodes[position]
            if node is not None and (not op_types or node.op_type in op_types):
                yield node

    def producer(self, name: str) -> NodeProto | None:
        """The node that makes `name`; None for inputs and constants."""
        position = self._maker.get(name)
        return None if position is None else self._nodes[position]

    def consumers(self, name: str) -> list[NodeProto]:
        """Nodes that read `name`."""
        return [node for i in sorted(self._readers.get(name, ())) if (node := self._nodes[i]) is not None]

    def only_consumer(self, name: str) -> NodeProto | None:
        """The one node that reads `name`; None where there are several, or where it leaves the graph."""
        readers = self.consumers(name)
        return readers[0] if len(readers) == 1 and name not in self._outputs else None

    def is_constant(self, name: str) -> bool:
        """Whether `name` is an initializer."""
        return name in self._tensors

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Shape of a constant; None for what is none."""
        return tuple(self._tensors[name].dims) if name in self._tensors else None

    def constant(self, name: str) -> Array | None:
        """A constant's numbers; None for what is none."""
        from onnx import numpy_helper

        tensor = self._tensors.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def scalar(self, name: str) -> float | None:
        """A constant of one number; None for anything else."""
        tensor = self._tensors.get(name)
        if tensor is None or int(np.prod(tensor.dims, dtype=np.int64)) != 1:
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
        """The inputs of a sum or product of two: what varies, and the number, None where it is none."""
        varying, constant = self.with_constant(node)
        return varying, None if constant is None else self.scalar(constant)

    def with_constant(self, node: NodeProto) -> tuple[str, str | None]:
        """The inputs of a sum or product of two: what varies, and the constant, None where there is none."""
        first, second = node.input[:2]
        if self.is_constant(second):
            return first, second
        return (second, first) if self.is_constant(first) else (first, None)

    def maker_of_only(self, name: str, *op_types: str) -> NodeProto | None:
        """The node of one of `op_types` that makes `name`, if only one reads it."""
        node = self.producer(name)
        fits = node is not None and node.op_type in op_types and self.only_consumer(name) is not None
        return node if fits else None

    def known_sizes(self, name: str) -> list[int]:
        """A shape as far as it is constant, -1 for the rest: a constant, or a Concat of some."""
        value = self.constant(name)
        if value is not None:
            return [int(size) for size in value.ravel()]
        node = self.producer(name)
        if node is None or node.op_type != "Concat":
            return [-1]
        return [size for part in node.input for size in self.known_sizes(part)]

    def add_constant(self, name: str, array: Array) -> str:
        """A new initializer; its name, for use in `add`."""
        from onnx import numpy_helper

        self._tensors[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def add(
        self,
        op_type: str,
        inputs: Iterable[str],
        outputs: Iterable[str],
        *,
        domain: str = "",
        **attributes: Any,
    ) -> None:
        """A new node. An output that another node makes is taken over from it."""
        from onnx import helper

        outputs = list(outputs)
        read_before: list[str] = []
        for position in {self._maker[output] for output in outputs if output in self._maker}:
            read_before += self._remove(position)
        name = f"{outputs[0]}/{op_type}"
        self._append(helper.make_node(op_type, list(inputs), outputs, name=name, domain=domain, **attributes))
        for unread in read_before:
            self._drop_unread(unread)

    def read_instead(self, old: str, new: str) -> None:
        """Whatever reads `old` reads `new` from now on. `old` must not leave the graph."""
        if old in self._outputs:
            self.add("Identity", [new], [old])
            return
        for position in self._readers.pop(old, set()):
            node = self._nodes[position]
            assert node is not None
            for i, name in enumerate(node.input):
                if name == old:
                    node.input[i] = new
            self._readers.setdefault(new, set()).add(position)
        self._drop_unread(old)

    def finish(self) -> ModelProto:
        """The model, with what nothing reads dropped and the nodes in order."""
        graph = self.model.graph
        ordered = self._needed_in_order()
        del graph.node[:]
        graph.node.extend(ordered)
        read = {name for node in ordered for name in node.input}
        del graph.initializer[:]
        graph.initializer.extend(tensor for name, tensor in self._tensors.items() if name in read)
        del graph.value_info[:]
        inputs = [node for node in graph.input if node.name not in self._tensors]
        del graph.input[:]
        graph.input.extend(inputs)
        domains = {node.domain for node in ordered}
        known = {entry.domain for entry in self.model.opset_import}
        if MICROSOFT in domains - known:
            self.model.opset_import.add(domain=MICROSOFT, version=1)
        return self.model

    def _resolve_constants(self) -> None:
        copies: dict[str, str] = {}
        for node in self.model.graph.node:
            for i, name in enumerate(node.input):
                node.input[i] = copies.get(name, name)
            if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
                self._tensors[node.output[0]] = node.attribute[0].t
                self._tensors[node.output[0]].name = node.output[0]
            elif node.op_type == "Identity" and node.output[0] not in self._outputs:
                copies[node.output[0]] = node.input[0]
            else:
                self._append(node)

    def _append(self, node: NodeProto) -> None:
        position = len(self._nodes)
        self._nodes.append(node)
        for output in filter(None, node.output):
            self._maker[output] = position
        for name in filter(None, node.input):
            self._readers.setdefault(name, set()).add(position)

    def _remove(self, position: int) -> list[str]:
        """Take a node out; what it read."""
        node = self._nodes[position]
        assert node is not None
        self._nodes[position] = None
        for output in node.output:
            self._maker.pop(output, None)
        for name in filter(None, node.input):
            self._readers[name].discard(position)
        return list(node.input)

    def _drop_unread(self, name: str) -> None:
        """Remove the node that makes `name` if nothing reads what it makes, and what only that node read."""
        unread = [name]
        while unread:
            position = self._maker.get(unread.pop())
            node = None if position is None else self._nodes[position]
            if position is None or node is None or any(map(self._is_read, node.output)):
                continue
            self._remove(position)
            unread += node.input

    def _is_read(self, name: str) -> bool:
        return bool(self._readers.get(name)) or name in self._outputs

    def _needed_in_order(self) -> list[NodeProto]:
        """Depth first from the outputs: each node behind all that it reads."""
        ordered: list[NodeProto] = []
        done: set[int] = set()
        stack = [(self._maker[name], False) for name in sorted(self._outputs) if name in self._maker]
        while stack:
            position, is_ready = stack.pop()
            node = self._nodes[position]
            assert node is not None
            if is_ready:
                ordered.append(node)
            elif position not in done:
                done.add(position)
                stack.append((position, True))
                stack += [(self._maker[name], False) for name in node.input if name in self._maker]
        return ordered


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """A node's attribute as a Python value."""
    from onnx import helper

    return next(
        (helper.get_attribute_value(found) for found in node.attribute if found.name == name), default
    )


def read_names(graph: GraphProto) -> set[str]:
    """Names that the nodes read, those of loops and branches inside them included, and the outputs."""
    names = {output.name for output in graph.output}
    for node in graph.node:
        names.update(node.input)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                names |= read_names(inner)
    return names


def constants(graph: GraphProto) -> dict[str, tuple[str, TensorProto]]:
    """Name -> origin and tensor for what is constant: initializers, Constant nodes, copies of either.

    The origin tells constants apart: tensors inside Constant nodes often share a name.
    """
    constants: dict[str, tuple[str, TensorProto]] = {
        tensor.name: (tensor.name, tensor) for tensor in graph.initializer
    }
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            constants[node.output[0]] = (node.output[0], node.attribute[0].t)
        elif node.op_type == "Identity" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
    return constants
