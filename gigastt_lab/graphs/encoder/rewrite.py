"""What an encoder does for batches is taken out, and the rest put into forms that a CPU computes faster.

Each step looks for a pattern and leaves alone what does not fit it; whether the result is still the same
function is not taken on trust, but tried (`prepare`). What each step gains: ``docs/performance.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from gigastt_lab.graphs.editor import GraphEditor
from gigastt_lab.graphs.encoder.attention import attention, rotary
from gigastt_lab.graphs.encoder.products import fold_factors, halve_feed_forward, pointwise_as_product

if TYPE_CHECKING:
    from onnx import ModelProto


Step = Callable[[GraphEditor], int]


def rewrite(model: ModelProto, steps: Sequence[Step] | None = None) -> dict[str, int]:
    """Rewrite an encoder in place for batches of one; how often each step (None: all) found its pattern."""
    graph = GraphEditor(model)
    found = {step.__name__: step(graph) for step in (STEPS if steps is None else steps)}
    graph.finish()
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
