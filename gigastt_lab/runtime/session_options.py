"""Options of ONNX Runtime's sessions and runs, and what its versions know of them."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Final

import onnxruntime as ort

from gigastt_lab.runtime.cancellation import current_cancellation
from gigastt_lab.types import ProviderName

_SPIN_US: Final = 20
_FIRST_WITH_SPIN_DURATION: Final = (1, 32)  # or earlier: older ones were not tried
_FIRST_THAT_PACKS_ANY_SIZE: Final = (1, 32)  # likewise; 1.22 crashes on packed weights of odd sizes


def session_options(name: str, provider: ProviderName, threads: int) -> ort.SessionOptions:
    """Options of the session of a graph.

    Args:
        name: Name of the graph, which tells whether it is in INT8.
        provider: Provider that it will run on.
        threads: Threads inside one operator.
    """
    options = ort.SessionOptions()
    if is_int8(name):
        # On Arm with SME, KleidiAI's kernels quantize activations row by row: other integers than elsewhere,
        # and on an emulated processor wrong ones. ONNX Runtime before 1.25 does not know this switch.
        options.add_session_config_entry("mlas.disable_kleidiai", "1")
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # Errors are raised; on stderr only fatal ones, and why a provider's libraries did not load.
    options.log_severity_level = 4 if provider == "cpu" else 3
    # Threads that wait for the next operator spin a little, for waking one takes longer than many operators:
    # at full size, INT8, two cores, one pass of 4 s takes 84 ms instead of 98. Spinning on and on, as is
    # the default, brings no more, and takes the cores from other passes: two at once take 95 ms each instead
    # of 78, with a little of it 80. Older versions know only all or nothing.
    spins = threads > 1 and _version() >= _FIRST_WITH_SPIN_DURATION
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spins else "0")
    if spins:
        options.add_session_config_entry("session.intra_op.spin_duration_us", str(_SPIN_US))
    return options


def run_options(provider: ProviderName) -> ort.RunOptions:
    """Run options by which a pass gives its memory back, and stops when this thread's work is called off."""
    cancellation = current_cancellation()
    if cancellation is None:
        return _shared_run_options(provider)
    options = cancellation.run_options.get(provider)
    if options is None:
        options = cancellation.run_options[provider] = _new_run_options(provider)
        cancellation.on_cancel(partial(setattr, options, "terminate", True))
    return options


@cache
def _shared_run_options(provider: ProviderName) -> ort.RunOptions:
    return _new_run_options(provider)


def _new_run_options(provider: ProviderName) -> ort.RunOptions:
    """Run options by which a pass gives its working memory back.

    ONNX Runtime keeps the most that passes ever took at once, unless told not to: 277 MB for four of 28 s.
    Giving it back costs nothing that could be measured, in alternating passes of 1 to 28 s.
    """
    options = ort.RunOptions()
    if provider == "cpu":
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def packs_any_size() -> bool:
    """True if this ONNX Runtime runs what `save_packed` writes whatever the sizes of the weights."""
    return _version() >= _FIRST_THAT_PACKS_ANY_SIZE


def is_int8(name: str) -> bool:
    """True if a graph is in INT8, by its file name, as `models.files` tells encoders apart."""
    return "int8" in Path(name).name.lower()


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in ort.__version__.split(".")[:2])
