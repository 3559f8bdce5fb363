"""Rewriting of an encoder for batches of one, in operators that a CPU computes faster.

Each step looks for a pattern and leaves alone what does not fit it; the result is not
trusted to be the same function, but tried (`prepare`). Gain of each step: ``docs/performance.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from gigastt_lab.graphs.editor import MICROSOFT, GraphEditor
from gigastt_lab.graphs.encoder.attention import attention, rotary
from gigastt_lab.graphs.encoder.products import fold_factors, halve_feed_forward, pointwise_as_product

if TYPE_CHECKING:
    from onnx import ModelProto


Step = Callable[[GraphEditor], int]


def rewrite(model: ModelProto, steps: Sequence[Step] | None = None) -> dict[str, int]:
    """Rewrite an encoder in place for batches of one.

    Args:
        model: The encoder, FP32 or INT8.
        steps: Steps to take, in order; all where None.

    Returns:
        Number of places where each step found its pattern, by the name of the step.
    """
    graph = GraphEditor(model.graph)
    graph.resolve_copies()
    found = {step.__name__: step(graph) for step in (STEPS if steps is None else steps)}
    graph.finish(sort=True)
    del model.graph.value_info[:]  # shapes of batches
    if MICROSOFT in {node.domain for node in model.graph.node} - {each.domain for each in model.opset_import}:
        model.opset_import.add(domain=MICROSOFT, version=1)
    for tensor in (*model.graph.input, *model.graph.output):
        batch = tensor.type.tensor_type.shape.dim[0]
        batch.Clear()
        batch.dim_value = 1
    return found


def unmask(graph: GraphEditor) -> int:
    """Take out the padding masks: an utterance alone has no padding.

    A mask is what is computed from the second input, the lengths, without passing through a `Where`.
    """
    masks = {graph.inputs[1]}
    n_found = 0
    for node in graph.nodes():
        if masks.isdisjoint(node.input):
            continue
        values = [name for name in node.input[1:] if not graph.is_constant(name)]
        if node.op_type == "Where" and node.input[0] in masks and len(values) == 1:
            graph.read_instead(node.output[0], values[0])
            n_found += 1
        else:
            masks.update(node.output)
    return n_found


STEPS: Final[tuple[Step, ...]] = (
    unmask,
    fold_factors,
    pointwise_as_product,
    rotary,
    attention,
    halve_feed_forward,
)
