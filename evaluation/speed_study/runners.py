"""Loaders of a contestant's process: systems by their kinds, and what is measured beside them.

Everything is imported where it is needed, so that no contestant carries another one's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from evaluation.systems.kinds import is_kind, kind_names, kind_of
from evaluation.systems.timed import Timed

Spec = Mapping[str, Any]


def load(spec: Spec) -> Timed:
    """Load the contestant that a spec (`systems.timed.Contestant.spec`) describes.

    Raises:
        Exception: whatever it raises when it is imported and loaded.
    """
    name = spec["kind"]
    if name in _BESIDE:
        return _BESIDE[name](spec)
    timed = kind_of(name).timed
    if timed is None:
        raise ValueError(f"{name} cannot be timed")
    found = timed(spec)
    if found.engine is not None:
        from evaluation.speed_study import engine_parts

        found.operations.update(engine_parts.operations(found.engine))
    return found


def knows(name: str) -> bool:
    """True if `load` knows a kind of that name."""
    return name in _BESIDE or is_kind(name)


def names() -> list[str]:
    """Names of all kinds that `load` knows."""
    return [*kind_names(), *_BESIDE]


def _session(spec: Spec) -> Timed:
    """The encoder's graph alone, as ONNX Runtime runs it by default."""
    import onnxruntime

    from evaluation.speed_study import engine_parts
    from gigastt_lab.models.files import ModelFiles

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = spec["threads"]
    path = ModelFiles.find(spec["directory"], spec["precision"]).encoder
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return Timed(engine_parts.plain_operations(session), onnxruntime.__version__)


def _gemm(spec: Spec) -> Timed:
    """Matrix products, for the machine's own limit."""
    import onnxruntime

    from evaluation.speed_study import gemm

    return Timed(gemm.operations(spec["threads"]), onnxruntime.__version__)


_BESIDE: Final[dict[str, Callable[[Spec], Timed]]] = {"session": _session, "gemm": _gemm}
"""Loaders of what is measured beside the contestants."""
