"""Preparation of an encoder for this processor: `python -m gigastt_lab.graphs.encoder.prepare MODEL FOLDER`.

A process of its own, because it takes three to four times the model's size of memory (3 GB for GigaAM's FP32
encoder, 0.7 GB for INT8), which a process that goes on would not get rid of, and should not die of.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gigastt_lab.errors import GigasttError, ModelError
from gigastt_lab.graphs.encoder.loading import GRAPH_NAME
from gigastt_lab.graphs.encoder.rewrite import rewrite
from gigastt_lab.graphs.graph_file import load_whole_graph
from gigastt_lab.graphs.int8_weights import load_exactly, make_unsigned, saturates_here
from gigastt_lab.runtime.sessions import RuntimeOptions, Session, load_session, save_packed
from gigastt_lab.types import Float32Array

if TYPE_CHECKING:
    from onnx import ModelProto

_CPU = RuntimeOptions(provider="cpu")

# Largest difference allowed between a rewritten encoder and the original on noise, relative L2. In FP32 only
# the order of summation changes (GigaAM's sizes: 1e-6). Where activations are quantized, a last bit may turn
# a rounding, which turns others behind it: up to 0.02 were seen, where INT8 as such is 0.03 from FP32. A
# wrong rewriting gives differences of the size of the output.
TOLERANCE: Final = {"fp32": 1e-4, "int8": 0.1}
_FRAMES_TRIED: Final = (61, 160)
_INT8_OPS: Final = frozenset(
    {"DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulNBits", "DequantizeLinear"}
)


def prepare(path: Path, folder: Path) -> dict[str, int]:
    """Write the encoder at `path` into `folder`, rewritten and packed; it must give what the original does.

    Returns:
        Number of places where each step of the rewriting found its pattern; without any, nothing is written.

    Raises:
        ModelError: the graph cannot be read or run, or gives something else when rewritten.
        OSError: `folder` cannot be written.
    """
    model = load_whole_graph(path)
    precision = "int8" if any(node.op_type in _INT8_OPS for node in model.graph.node) else "fp32"
    if saturates_here(path):
        make_unsigned(model.graph)
    found = rewrite(model)
    if not any(found.values()):
        return found
    with tempfile.TemporaryDirectory(dir=folder, prefix="rewritten-") as name:
        rewritten = Path(name) / GRAPH_NAME
        _save(model, rewritten)
        del model
        save_packed(rewritten, folder / GRAPH_NAME, name=str(path))
    expected = _outputs(load_exactly(path, _CPU))
    session = load_session(folder / GRAPH_NAME, _CPU, name=str(path), is_packed=True)
    _require_same(path, expected, _outputs(session), TOLERANCE[precision])
    return found


def _save(model: ModelProto, path: Path) -> None:
    """Save with the weights in a file of their own, which has no limit of 2 GB and need not be read whole."""
    import onnx

    onnx.save(model, str(path), save_as_external_data=True, location=f"{path.name}.data")


def _outputs(session: Session) -> list[Float32Array]:
    """Encoder frames of a few lengths of noise."""
    features, lengths = session.inputs
    outputs = []
    for n_frames in _FRAMES_TRIED:
        noise = np.random.default_rng(n_frames).normal(-9.0, 3.0, (1, features.shape[1] or 1, n_frames))
        frames, _ = session.run(noise.astype(features.dtype), np.array([n_frames]).astype(lengths.dtype))
        outputs.append(np.asarray(frames, np.float32))
    return outputs


def _require_same(
    path: Path, expected: list[Float32Array], found: list[Float32Array], tolerance: float
) -> None:
    for one, other in zip(expected, found, strict=True):
        if one.shape != other.shape:
            raise ModelError(f"{path}: rewritten, it gives {other.shape} instead of {one.shape}")
        difference = float(np.linalg.norm(other - one) / np.linalg.norm(one))
        if not difference <= tolerance:  # NaN is none
            raise ModelError(
                f"{path}: rewritten, its output differs by {difference:.2g}, more than {tolerance}"
            )


def main() -> int:
    """Prepare; what was found goes to stdout, why it failed to stderr."""
    try:
        found = prepare(Path(sys.argv[1]), Path(sys.argv[2]))
    except (GigasttError, OSError, MemoryError, ValueError) as error:  # ValueError: protobuf's
        sys.stderr.write(f"{error or type(error).__name__}\n")
        return 1
    sys.stdout.write(", ".join(f"{step} {n}" for step, n in found.items() if n) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
