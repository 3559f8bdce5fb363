"""ONNX Runtime sessions: provider and threads that were asked for, and what was really taken."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, get_args

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from gigastt_lab.errors import ModelError, ModelNotFoundError, ProviderError
from gigastt_lab.runtime.cancellation import check_cancelled
from gigastt_lab.runtime.cores import default_threads
from gigastt_lab.runtime.forks import keep_in_children
from gigastt_lab.runtime.session_options import is_int8, run_options, session_options
from gigastt_lab.runtime.tensors import tensor_info
from gigastt_lab.types import Float32Array, Provider, ProviderName

logger = logging.getLogger(__name__)

Loaded = TypeVar("Loaded")

_ORT_NAMES: Final[dict[ProviderName, str]] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "directml": "DmlExecutionProvider",
    "nnapi": "NnapiExecutionProvider",
}
# What "auto" may take, best first. TensorRT builds engines for minutes and the others are untested
# with this model: they are taken only when asked for by name.
_AUTO_ORDER: Final[tuple[ProviderName, ...]] = ("cuda", "coreml", "cpu")

_PROVIDER_OPTIONS: Final[dict[ProviderName, dict[str, str]]] = {
    # The default, EXHAUSTIVE, searches again for every new input length (gigastt issue 307).
    "cuda": {"cudnn_conv_algo_search": "HEURISTIC"},
}

_ORT_ERRORS: Final[tuple[type[Exception], ...]] = tuple(
    error for error in vars(ort_errors).values() if isinstance(error, type) and issubclass(error, Exception)
)  # ONNX Runtime's exceptions have no common base
_LOAD_ERRORS: Final[tuple[type[Exception], ...]] = (*_ORT_ERRORS, ValueError, RuntimeError)
_BROKEN_FILE: Final[tuple[type[Exception], ...]] = (
    ort_errors.InvalidProtobuf,
    ort_errors.InvalidGraph,
    ort_errors.NoSuchFile,
)


@dataclass(frozen=True, kw_only=True)
class RuntimeOptions:
    """Provider and threads to run the graphs with.

    Attributes:
        provider: Execution provider. A named one is taken or refused, never replaced; "auto" takes CUDA or
            Core ML where they work, else the CPU, and logs its choice.
        threads: Threads inside one operator; None takes what `cores.default_threads` says.
    """

    provider: Provider = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.provider not in get_args(Provider):
            known = ", ".join(get_args(Provider))
            raise ProviderError(f"provider {self.provider!r} is not known; choose one of {known}")
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads is {self.threads}; give 1 or more, or None for the default")


class Session:
    """One loaded graph. Safe to run from several threads at once.

    Attributes:
        name: Path of the graph, for messages.
        provider: The provider that was really taken.
        threads: Threads inside one operator.
        inputs: Inputs in the order of the graph.
        outputs: Outputs in the order of the graph.
    """

    def __init__(self, inference: ort.InferenceSession, name: str, threads: int) -> None:
        self.name = name
        self.provider = _provider_taken(inference)
        self.threads = threads
        self.inputs = tuple(tensor_info(name, node) for node in inference.get_inputs())
        self.outputs = tuple(tensor_info(name, node) for node in inference.get_outputs())
        self._inference = inference
        self._process = os.getpid()
        keep_in_children(inference)
        self._output_names = [info.name for info in self.outputs]

    def run(self, *arrays: npt.NDArray[np.generic]) -> list[npt.NDArray[np.generic]]:
        """Outputs of the graph for `arrays`, given in the order and dtypes of `inputs`.

        Raises:
            ModelError: ONNX Runtime refused the arrays or failed; or this process was forked from the one
                that loaded the graph.
            WorkCancelledError: the work of this thread was called off (`cancellation`).
        """
        if self._process != os.getpid():
            raise ModelError(
                f"{self.name} was loaded before this process was forked, and cannot run here: load the "
                'engine in the new process, or start that by multiprocessing.get_context("spawn")'
            )
        feeds = {info.name: array for info, array in zip(self.inputs, arrays, strict=True)}
        try:
            outputs: list[npt.NDArray[np.generic]] = self._inference.run(
                self._output_names, feeds, run_options(self.provider)
            )
        except _ORT_ERRORS as error:
            check_cancelled()
            given = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in feeds.items())
            raise ModelError(f"{self.name} failed on {given}: {_one_line(error)}") from error
        return outputs

    def __reduce__(self) -> str:
        raise pickle.PicklingError(
            f"{self.name} is loaded, and cannot be pickled; pickle the engine, which loads again elsewhere"
        )


def available_providers() -> tuple[ProviderName, ...]:
    """Providers that this build of ONNX Runtime offers; one may still fail to start."""
    offered = set(ort.get_available_providers())
    return tuple(name for name, ort_name in _ORT_NAMES.items() if ort_name in offered)


def on_first_that_starts(provider: Provider, name: str, load: Callable[[ProviderName], Loaded]) -> Loaded:
    """Result of `load` on `provider`; for "auto", on the best provider that starts, which is logged.

    Args:
        provider: Provider as asked for.
        name: Name of what is loaded, for messages.
        load: Loads it on a provider, or raises ProviderError.

    Raises:
        ProviderError: the provider asked for does not start.
    """
    if provider != "auto":
        return load(provider)
    usable = available_providers()
    *accelerators, cpu = (candidate for candidate in _AUTO_ORDER if candidate in usable)
    for accelerator in accelerators:
        try:
            loaded = load(accelerator)
        except ProviderError as error:
            logger.warning("%s: falling back from %s: %s", name, accelerator, error)
        else:
            logger.info("%s: provider %s chosen", name, accelerator)
            return loaded
    logger.info("%s: provider %s chosen", name, cpu)
    return load(cpu)


def load_session(
    path: str | Path, options: RuntimeOptions, *, name: str | None = None, is_packed: bool = False
) -> Session:
    """Load a graph.

    Args:
        path: File of the graph.
        options: Provider and threads.
        name: Name in messages, where that is not its path.
        is_packed: True if it comes from `save_packed`, and needs no optimisation any more.

    Raises:
        ModelNotFoundError: there is no such file.
        ModelError: the file is not a graph that ONNX Runtime can run.
        ProviderError: the provider asked for is not available, or fails to start.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelNotFoundError(
            f"{path}: no such model file; download the model again or give another directory"
        )
    return _open(str(path), name or str(path), options, is_packed=is_packed)


def save_packed(source: Path | bytes, target: Path, *, name: str) -> None:
    """Write a graph as ONNX Runtime optimises it for this processor, the weights in the order of its kernels.

    Such a graph loads by mapping its files: at once, in memory that other processes share and that the
    system may take back. It fits this processor and this version of ONNX Runtime only.

    Args:
        source: The graph, in a file or serialized.
        target: File to write the graph to; its weights come beside it.
        name: Name in messages.

    Raises:
        ModelError: ONNX Runtime cannot run it.
    """
    options = session_options(name, "cpu", 1)
    options.optimized_model_filepath = str(target)
    for key, value in {
        "session.optimized_model_external_initializers_file_name": f"{target.name}.data",
        "session.optimized_model_external_initializers_min_size_in_bytes": "1024",
        "session.save_external_prepacked_constant_initializers": "1",
    }.items():
        options.add_session_config_entry(key, value)
    _inference(source if isinstance(source, bytes) else str(source), name, "cpu", options)


def build_session(graph: bytes, name: str, options: RuntimeOptions) -> Session:
    """Load a graph that was built in memory; `name` stands for it in messages."""
    return _open(graph, name, options)


def as_float32(array: npt.NDArray[np.generic]) -> Float32Array:
    """`array` as float32, without a copy where it is."""
    return array.astype(np.float32, copy=False)


def _open(graph: str | bytes, name: str, options: RuntimeOptions, *, is_packed: bool = False) -> Session:
    return on_first_that_starts(
        options.provider,
        name,
        lambda provider: _open_on(provider, graph, name, options.threads, is_packed=is_packed),
    )


def _open_on(
    provider: ProviderName, graph: str | bytes, name: str, threads: int | None, *, is_packed: bool
) -> Session:
    usable = available_providers()
    if provider not in usable:
        raise ProviderError(
            f"provider {provider} is not in this build of ONNX Runtime, which has {', '.join(usable)}; "
            "choose one of these or install the build that has it (onnxruntime-gpu for cuda)"
        )
    threads = threads or default_threads()
    options = session_options(name, provider, threads)
    if is_packed:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = Session(_inference(graph, name, provider, options), name, threads)
    if session.provider != provider:  # a provider whose libraries are missing is left out without an error
        raise _not_started(provider, name, f"ONNX Runtime took {session.provider} instead")
    return session


def _inference(
    graph: str | bytes, name: str, provider: ProviderName, options: ort.SessionOptions
) -> ort.InferenceSession:
    # Operators that a provider lacks run on the CPU: that is how every provider works, not a fallback.
    chain = [(_ORT_NAMES[provider], _PROVIDER_OPTIONS.get(provider, {}))]
    if provider != "cpu":
        chain.append((_ORT_NAMES["cpu"], {}))
    try:
        return ort.InferenceSession(
            graph,
            options,
            providers=chain,
            enable_fallback=0,  # else ONNX Runtime prints to stdout and goes on with the CPU
        )
    except _LOAD_ERRORS as error:
        if provider != "cpu" and not isinstance(error, _BROKEN_FILE):
            raise _not_started(provider, name, str(error)) from error
        raise ModelError(
            f"{name} cannot be loaded: {_one_line(error)}; the file is damaged, or needs a newer "
            f"ONNX Runtime: {_how_to_mend(name)}"
        ) from error


def _not_started(provider: ProviderName, name: str, reason: str) -> ProviderError:
    others = ", ".join(other for other in available_providers() if other != provider)
    return ProviderError(
        f"provider {provider} did not start for {name}: {reason}; check its driver and libraries, "
        f"or choose one of {others}"
    )


def _how_to_mend(name: str) -> str:
    """Advice for a damaged graph: INT8 encoders are made here, not downloaded."""
    return (
        "make it again (python -m gigastt_lab quantize --force)"
        if is_int8(name)
        else "download the model again"
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _provider_taken(inference: ort.InferenceSession) -> ProviderName:
    taken = inference.get_providers()[0]
    return next(name for name, ort_name in _ORT_NAMES.items() if ort_name == taken)
