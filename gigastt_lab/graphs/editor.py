"""Editor of an ONNX graph: nodes added, replaced and removed, constants changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gigastt_lab.graphs.view import Array, GraphView, read_inside

if TYPE_CHECKING:
    from onnx import NodeProto

MICROSOFT: Final = "com.microsoft"  # ONNX Runtime's own operators


class GraphEditor(GraphView):
    """Editor of one graph, the only place where graphs change.

    Constants and the inputs of nodes change at once; nodes come and go when `finish` is called.
    """

    def add_constant(self, name: str, array: Array) -> str:
        """Add an initializer, or give a constant new numbers; returns its name, for use in `add`."""
        from onnx import numpy_helper

        array = np.asarray(array, order="C")  # `ascontiguousarray` would make a vector of a single number
        if name in self._tensors:
            tensor = self._tensors[name]
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        else:
            self.proto.initializer.append(numpy_helper.from_array(array, name))
            self._tensors[name] = self.proto.initializer[-1]
        return name

    def add(
        self,
        op_type: str,
        inputs: Iterable[str],
        outputs: Iterable[str],
        *,
        name: str | None = None,
        domain: str | None = "",
        at: int | None = None,
        **attributes: Any,
    ) -> None:
        """Add a node; an output that another node makes is taken over from it.

        Args:
            op_type: Operator.
            inputs: Names of tensors.
            outputs: Names of tensors, one at least.
            name: Name of the node; made of the first output and the operator where None.
            domain: Domain of the operator: "" for ONNX's own, None for the same without writing it down.
            at: Place among the nodes, as of `place`; behind all of them where None.
            attributes: Attributes of the node.
        """
        from onnx import helper

        outputs = list(outputs)
        read_before: list[str] = []
        for key in {self._producers[output] for output in outputs if output in self._producers}:
            read_before += self._remove(key)
        name = f"{outputs[0]}/{op_type}" if name is None else name
        node = helper.make_node(op_type, list(inputs), outputs, name=name, domain=domain, **attributes)
        self._order.insert(len(self._order) if at is None else at, self._link(node))
        for unread in read_before:
            self._drop_unread(unread)

    def add_output(self, name: str, source: str) -> None:
        """Add an output of type float to the graph, a copy of a tensor."""
        from onnx import TensorProto, helper

        # A copy, because the tensor may be an input or an output already.
        self.add("Identity", [source], [name], name="", domain=None)
        self.proto.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
        self._pinned.add(name)

    def place(self, node: NodeProto) -> int:
        """Place of a node among the others; what is added there comes before it."""
        return self._order.index(self._key(node))

    def set_input(self, node: NodeProto, i: int, name: str) -> None:
        """Let a node read `name` at its input `i`; inputs that it leaves out before that stay empty."""
        before = self.origin(node.input[i]) if i < len(node.input) else ""
        node.input.extend([""] * (i + 1 - len(node.input)))
        node.input[i] = name
        key = self._key(node)
        self._consumers.setdefault(self.origin(name), set()).add(key)
        if before and before not in map(self.origin, node.input):
            self._consumers[before].discard(key)

    def read_instead(self, old: str, new: str) -> None:
        """Let all that read `old` read `new` from now on."""
        if old in self._pinned:
            self.add("Identity", [new], [old])
            return
        self._rename(old, new)
        self._drop_unread(old)

    def resolve_copies(self) -> None:
        """Make initializers of Constant nodes, and let the readers of copies read what was copied.

        Weights that old exports list among the inputs are constants from now on.
        """
        for node in self.nodes("Constant", "Identity"):
            name = node.output[0]
            if node.op_type == "Constant" and name in self._tensors:
                self.proto.initializer.append(self._tensors[name])
                self._tensors[name] = self.proto.initializer[-1]
                self._tensors[name].name = name
                self._remove(self._key(node))
            elif node.op_type == "Identity":
                source = self.origin(node.input[0])
                if name in self._pinned:
                    self.set_input(node, 0, source)
                else:
                    self._rename(name, source)
                    self._remove(self._key(node))
        inputs = self.proto.input
        for i in reversed(range(len(inputs))):
            if inputs[i].name in self._tensors:
                del inputs[i]

    def finish(self, *, sort: bool = False) -> None:
        """Write the nodes into the graph, without copies and initializers that nothing reads.

        Args:
            sort: Put each node behind all that it reads, and drop those that no output needs.
        """
        nodes = self._needed_in_order() if sort else list(self.nodes())
        nodes, read = self._without_idle_constants(nodes)
        del self.proto.node[:]
        self.proto.node.extend(nodes)
        gone = {tensor.name for tensor in self.proto.initializer} - read
        for entries in (self.proto.initializer, self.proto.input):  # old exports list weights as inputs, too
            for i in reversed(range(len(entries))):
                if entries[i].name in gone:
                    del entries[i]

    def _rename(self, old: str, new: str) -> None:
        for node in self.consumers(old):
            for i, name in enumerate(node.input):
                if name == old:
                    self.set_input(node, i, new)

    def _key(self, node: NodeProto) -> int:
        return self._producers[next(filter(None, node.output))]

    def _remove(self, key: int) -> list[str]:
        """Remove a node; returns the names that it read."""
        node = self._nodes.pop(key)
        for output in node.output:
            self._producers.pop(output, None)
        for name in filter(None, node.input):
            self._consumers.get(self.origin(name), set()).discard(key)
        return list(node.input)

    def _drop_unread(self, name: str) -> None:
        """Remove the node that makes `name` if nothing reads what it makes, and what only that node read."""
        unread = [name]
        while unread:
            key = self._producers.get(unread.pop())
            if key is not None and not any(map(self._is_read, self._nodes[key].output)):
                unread += self._remove(key)

    def _is_read(self, name: str) -> bool:
        return bool(self._consumers.get(self.origin(name))) or name in self._pinned

    def _needed_in_order(self) -> list[NodeProto]:
        """Nodes that the outputs need, depth first: each behind all that it reads."""
        ordered: list[NodeProto] = []
        done: set[int] = set()
        stack = [(self._producers[name], False) for name in sorted(self.outputs) if name in self._producers]
        while stack:
            key, is_ready = stack.pop()
            node = self._nodes[key]
            if is_ready:
                ordered.append(node)
            elif key not in done:
                done.add(key)
                stack.append((key, True))
                names = (*node.input, *sorted(read_inside(node)))
                stack += [(self._producers[name], False) for name in names if name in self._producers]
        return ordered

    def _without_idle_constants(self, nodes: list[NodeProto]) -> tuple[list[NodeProto], set[str]]:
        """Nodes without the Constant and Identity nodes that nothing reads, and the names that are read."""
        while True:
            read = set(self.outputs)
            for node in nodes:
                read.update(node.input, read_inside(node))
            kept = [
                node
                for node in nodes
                if node.op_type not in ("Constant", "Identity") or not read.isdisjoint(node.output)
            ]
            if len(kept) == len(nodes):
                return kept, read
            nodes = kept
