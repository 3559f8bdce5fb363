"""How each contestant is loaded in its process, and what it can then do.

A loader takes a contestant's spec (`contestants.Contestant.spec`) and returns operations and the version of
its package. It imports what it needs itself, so that no contestant carries another one's memory.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from evaluation.speed_study.operations import Operations, transcribing

Loaded = tuple[Operations, str]
Spec = Mapping[str, Any]

# Where `torch.hub` keeps what kairos-asr has it fetch from GitHub: code, which is then run.
_SILERO: Final = "snakers4_silero-vad_master"


def load_engine(spec: Spec) -> Loaded:
    """This package's engine."""
    from evaluation.speed_study import engine_parts
    from gigastt_lab.engine import load_engine as load

    engine = load(
        spec["model"],
        model_dir=spec["directory"],
        precision=spec["precision"],
        provider=spec["provider"],
        threads=spec["threads"],
    )
    paths = transcribing(
        lambda path: engine.transcribe(Path(path)).text,
        lambda paths: [each.text for each in engine.transcribe_batch([Path(path) for path in paths])],
    )
    return paths | engine_parts.operations(engine), importlib.metadata.version("gigastt-lab")


def load_session(spec: Spec) -> Loaded:
    """The encoder's graph alone, as ONNX Runtime runs it by default."""
    import onnxruntime

    from evaluation.speed_study import engine_parts
    from gigastt_lab.models.files import ModelFiles

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = spec["threads"]
    path = ModelFiles.find(spec["directory"], spec["precision"]).encoder
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return engine_parts.plain_operations(session), onnxruntime.__version__


def load_onnx_asr(spec: Spec) -> Loaded:
    """The package onnx-asr with its defaults, but for the threads."""
    import onnxruntime

    package = importlib.import_module("onnx_asr")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = spec["threads"]
    model = package.load_model(
        "gigaam-v3-e2e-rnnt",
        spec["directory"],
        quantization=None if spec["precision"] == "fp32" else spec["precision"],
        sess_options=options,
        providers=["CPUExecutionProvider"],
    )
    return transcribing(model.recognize, model.recognize), _version("onnx-asr")


def load_gigastt(spec: Spec) -> Loaded:
    """The wheel of gigastt with one engine in its pool; it takes no number of threads."""
    restrict_to(spec["threads"])
    try:
        package = importlib.import_module("gigastt_uniffi")
    except (OSError, AttributeError) as error:
        if "isoc23" not in str(error) and "GLIBC" not in str(error):
            raise
        raise RuntimeError(
            f"its wheel needs glibc 2.38 or newer ({error}); with an older one, a library that forwards the "
            "names that it misses can be preloaded (--gigastt-preload)"
        ) from error
    engine = package.Engine.new_with_pool_size(spec["directory"], 1)
    return transcribing(lambda path: str(engine.transcribe_file(path).text), None), _version("gigastt")


def load_kairos_asr(spec: Spec) -> Loaded:
    """The package kairos-asr on the CPU; it takes no number of threads.

    It has torch fetch code from GitHub, and run it, where it is not there yet: that is for its users to
    decide, not for a benchmark.
    """
    restrict_to(spec["threads"])
    home = os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")
    if not (Path(home) / "hub" / _SILERO).is_dir():
        raise RuntimeError(
            "it fetches silero-vad from GitHub by torch.hub when it starts, and it is not there yet: start "
            "kairos_asr.KairosASR() once, and run this again"
        )
    if shutil.which("ffmpeg") is None:
        raise RuntimeError("it reads files by the program ffmpeg, which is not installed")
    model = importlib.import_module("kairos_asr").KairosASR(model_path=spec["directory"], device="cpu")
    return transcribing(lambda path: str(model.transcribe(path).full_text), None), _version("kairos-asr")


def load_gemm(spec: Spec) -> Loaded:
    """No contestant: products of matrices, for the machine's own limit."""
    import onnxruntime

    from evaluation.speed_study import gemm

    return gemm.operations(spec["threads"]), onnxruntime.__version__


LOADERS: Final[dict[str, Callable[[Spec], Loaded]]] = {
    "engine": load_engine,
    "session": load_session,
    "onnx-asr": load_onnx_asr,
    "gigastt": load_gigastt,
    "kairos-asr": load_kairos_asr,
    "gemm": load_gemm,
}


def restrict_to(n_cores: int) -> None:
    """Leave this process so many of the cores that it may use: for those who take no number of threads.

    With hardware threads, the first of each core is left. Where all cores are asked for, nothing changes.
    """
    if not hasattr(os, "sched_getaffinity"):
        return
    siblings: dict[str, int] = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        try:
            siblings.setdefault(topology.read_text(), cpu)
        except OSError:
            siblings[str(cpu)] = cpu
    if n_cores < len(siblings):
        os.sched_setaffinity(0, list(siblings.values())[:n_cores])


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
