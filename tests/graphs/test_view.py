"""Views and editors of graphs: copies of constants, loops and branches, exports of old."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper, parser
from onnx.reference import ReferenceEvaluator

from gigastt_lab.graphs.editor import GraphEditor
from gigastt_lab.graphs.view import GraphView

COPIES = """
    c = Constant <value = float[2] {1.0, 2.0}> ()
    same = Identity (w)
    again = Identity (same)
    a = Add (x, again)
    b = Add (x, w)
    copy = Identity (b)
    d = Add (copy, c)
    y = Add (a, d)
"""
BRANCH = """
    idle = Relu (x)
    a = Add (x, w)
    copy = Identity (a)
    y = If (yes) <
        then_branch = g1 () => (float[N] p) { p = Add (copy, v) },
        else_branch = g2 () => (float[N] q) { q = Identity (x) }
    >
"""


def model_of(nodes: str, *, lists_weights: bool = False) -> onnx.ModelProto:
    """A graph of x (2,) to y; older exports list weights as inputs."""
    more = ", float[2] w, float[2] v, bool yes" if lists_weights else ""
    model = parser.parse_model(f"""
        <ir_version: 8, opset_import: ["" : 17]>
        g (float[N] x{more}) => (float[N] y) {{ {nodes} }}
    """)
    weights = {"w": np.float32([3, 4]), "v": np.float32([5, 6]), "yes": np.array(True)}
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights.items())
    return model


def outputs(model: onnx.ModelProto) -> list[float]:
    onnx.checker.check_model(model)
    return ReferenceEvaluator(model).run(None, {"x": np.float32([10, 20])})[0].tolist()


def test_a_copy_is_another_name_of_a_constant() -> None:
    view = GraphView(model_of(COPIES).graph)
    assert [view.origin(name) for name in ("again", "same", "c", "copy")] == ["w", "w", "c", "copy"]
    assert [view.is_constant(name) for name in ("again", "c", "copy", "x")] == [True, True, False, False]
    assert [node.output[0] for node in view.consumers("same")] == ["a", "b"]
    assert (view.n_uses("w"), view.n_uses("copy"), view.n_uses("v"), view.n_uses("y")) == (2, 1, 0, 1)
    assert view.shape("again") == (2,)
    assert view.constant("c").tolist() == [1.0, 2.0]


def test_copies_are_resolved_and_what_nothing_reads_is_dropped() -> None:
    model = model_of(COPIES)
    expected = outputs(model)
    editor = GraphEditor(model.graph)
    editor.resolve_copies()
    editor.finish(sort=True)
    assert {node.op_type for node in model.graph.node} == {"Add"}
    assert [tensor.name for tensor in model.graph.initializer] == ["w", "c"]
    assert outputs(model) == expected


def test_what_branches_read_stays() -> None:
    model = model_of(BRANCH)
    expected = outputs(model)
    assert expected == [18.0, 30.0]
    view = GraphView(model.graph)
    assert view.n_uses("v") == view.n_uses("copy") == 1
    assert view.only_consumer("a").op_type == "Identity"
    editor = GraphEditor(model.graph)
    editor.resolve_copies()
    editor.read_instead("copy", "a")
    editor.finish(sort=True)
    assert [tensor.name for tensor in model.graph.initializer] == ["w", "v", "yes"]
    assert [node.op_type for node in model.graph.node] == ["Add", "Identity", "If"]
    assert outputs(model) == expected


def test_a_weight_that_is_dropped_is_no_input_any_more() -> None:
    model = model_of("y = Add (x, w)", lists_weights=True)
    assert GraphView(model.graph).inputs == ["x"]
    editor = GraphEditor(model.graph)
    (node,) = editor.nodes()
    editor.set_input(node, 1, editor.add_constant("new", np.float32([1, 2])))
    editor.finish()
    assert [each.name for each in (*model.graph.input, *model.graph.initializer)] == ["x", "new"]
    assert outputs(model) == [11.0, 22.0]


def test_a_constant_takes_new_numbers_wherever_it_is() -> None:
    model = model_of(COPIES)
    before = outputs(model)
    editor = GraphEditor(model.graph)
    for name in ("w", "c"):
        editor.add_constant(name, editor.float32(name) + np.float32(1))
    assert outputs(model) == [each + 3 for each in before]


def test_nodes_go_where_they_are_put() -> None:
    model = model_of("a = Relu (x) b = Abs (a) y = Neg (b)")
    editor = GraphEditor(model.graph)
    absolute = next(editor.nodes("Abs"))
    editor.add("Add", ["a", "w"], ["sum"], at=editor.place(absolute))
    editor.add("Mul", ["sum", "v"], ["b"], at=editor.place(absolute))  # takes b over from Abs
    editor.finish()
    assert [node.op_type for node in model.graph.node] == ["Relu", "Add", "Mul", "Neg"]
    assert outputs(model) == [-65.0, -144.0]
