"""The package `onnx-asr` as a system, where it is installed.

What only scoring needs is imported by its loader: `speed_study` measures the memory of a process with this
module.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evaluation.systems.base import Outcome, SystemUnavailableError, Words, rounded
from evaluation.systems.kinds import Package, SystemKind
from evaluation.systems.timed import (
    INT8_ENCODER,
    JOINER,
    PREDICTOR,
    Conditions,
    Contestant,
    Timed,
    linked,
    package_version,
    transcribing,
)
from gigastt_lab.errors import brief
from gigastt_lab.models.files import PREFIX, VOCABULARY_NAME, Precision
from gigastt_lab.models.registry import CONFIG_NAME, DEFAULT_MODEL, model_directory

if TYPE_CHECKING:
    from evaluation.systems.peers import WaveformSystem
    from evaluation.systems.spec import SystemRequest

logger = logging.getLogger(__name__)

_PACKAGE: Final = Package("onnx_asr", "onnx-asr")
_ORT_NAMES: Final = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "directml": "DmlExecutionProvider",
}
_UNKNOWN_PROVIDER: Final = "unknown-provider"  # of a version that keeps its sessions elsewhere

# All three graphs under names of INT8, as it wants them; predictor and joiner are FP32 in truth.
_INT8_LINKS: Final = {
    f"{PREFIX}_encoder.int8.onnx": INT8_ENCODER,
    f"{PREFIX}_decoder.int8.onnx": PREDICTOR,
    f"{PREFIX}_joint.int8.onnx": JOINER,
    VOCABULARY_NAME: VOCABULARY_NAME,
    CONFIG_NAME: CONFIG_NAME,
}


def _load(spec: SystemRequest, /, *, show_progress: bool) -> WaveformSystem:
    """The package over a model directory. It reads plain WAV only, so files are decoded here."""
    from evaluation.systems.files import file_hashes
    from evaluation.systems.peers import WaveformSystem, imported
    from gigastt_lab.models.files import ModelFiles
    from gigastt_lab.runtime.cores import default_threads
    from gigastt_lab.runtime.sessions import available_providers
    from gigastt_lab.spec import GIGAAM_V3

    precision: Precision = "int8" if spec.precision == "int8" else "fp32"
    directory = _directory(spec, precision, show_progress=show_progress)
    package = imported(_PACKAGE)
    taken: str = spec.provider
    if taken == "auto":
        taken = "cuda" if "cuda" in available_providers() else "cpu"
    threads = spec.threads or default_threads()
    try:
        adapter = _opened(package, directory, precision, threads, _ORT_NAMES.get(taken, taken))
        files = ModelFiles.find(directory, precision)
    except Exception as error:
        raise SystemUnavailableError(
            f"onnx-asr cannot load {directory} in {precision} on {taken}: {brief(error)}"
        ) from error
    asked, taken = taken, _provider_taken(adapter)
    if taken not in {asked, _UNKNOWN_PROVIDER}:
        logger.warning("onnx-asr was asked for %s, and runs on %s", asked, taken)
    info = {
        "kind": "onnx-asr",
        "package_version": importlib.metadata.version("onnx-asr"),
        "model": spec.model_name,
        "files": file_hashes(files),
        "precision": precision,
        "provider": taken,
        "threads": threads,
    }
    model = adapter.with_timestamps()
    return WaveformSystem(
        f"onnx-asr_{spec.model_name}_{precision}_{taken}_t{threads}_b{spec.batch_size}",
        info,
        batch_size=spec.batch_size,
        transcribe=lambda waveforms: model.recognize(waveforms, sample_rate=GIGAAM_V3.sample_rate),
        outcome=lambda result: _outcome(result, GIGAAM_V3.encoder_frame_s),
    )


def _directory(spec: SystemRequest, precision: Precision, *, show_progress: bool) -> Path:
    """The directory of the model; complete but in INT8: it wants three such graphs, which we do not make."""
    from evaluation.systems.registry import prepared

    if precision == "int8":
        return model_directory(spec.model, spec.model_dir)
    return prepared(spec, precision, show_progress=show_progress)


def _opened(package: Any, directory: Path | str, precision: str, threads: int, provider: str) -> Any:
    """A model of the package on one of ONNX Runtime's providers, by ONNX Runtime's name of it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return package.load_model(
        DEFAULT_MODEL,  # its own name for models with this interface
        directory,
        quantization=None if precision == "fp32" else precision,
        sess_options=options,
        providers=[provider],
    )


def _provider_taken(adapter: Any) -> str:
    """The provider that the encoder's session really runs on; onnx-asr has no public word for it."""
    encoder = getattr(getattr(adapter, "asr", None), "_encoder", None)
    if encoder is None:
        return _UNKNOWN_PROVIDER
    taken = encoder.get_providers()[0]
    return next((name for name, ort_name in _ORT_NAMES.items() if ort_name == taken), str(taken))


def _outcome(result: Any, frame_s: float) -> Outcome:
    """Text and words of a result of the package; an encoder frame lasts `frame_s` seconds."""
    words = _words_of_tokens(result.tokens or [], result.timestamps or [], result.logprobs or [], frame_s)
    n_tokens = None if result.tokens is None else len(result.tokens)
    return Outcome(hypothesis=str(result.text), words=words, n_tokens=n_tokens)


def _words_of_tokens(
    tokens: Sequence[str], times_s: Sequence[float], logprobs: Sequence[float], frame_s: float
) -> Words:
    """Words put together from tokens, of which those that begin with a space begin a word."""
    words: list[list[tuple[str, float, float]]] = []
    for token, time_s, logprob in zip(tokens, times_s, logprobs, strict=False):
        if token.startswith(" ") or not words:
            words.append([])
        words[-1].append((token, time_s, math.exp(logprob)))
    return tuple(
        rounded(
            "".join(token for token, _, _ in word).strip(),
            word[0][1],
            word[-1][1] + frame_s,
            sum(probability for _, _, probability in word) / len(word),
        )
        for word in words
    )


def _files(spec: SystemRequest, info: Mapping[str, Any]) -> Mapping[str, str]:
    from evaluation.systems.files import files_of

    return files_of(spec, info, "fp32" if spec.precision == "auto" else spec.precision)


def _peer(name: str, options: dict[str, str], first: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a spec: as the first engine, but FP32 where ``precision=int8`` is not asked for."""
    del name
    precision = "int8" if options.pop("precision", "fp32") == "int8" else "fp32"
    return {**ONNX_ASR.like(first), "precision": precision, "options": options}


def _timed(spec: Mapping[str, Any]) -> Timed:
    """The package with its defaults, but for the threads."""
    package = importlib.import_module(_PACKAGE.module)
    model = _opened(package, spec["directory"], spec["precision"], spec["threads"], "CPUExecutionProvider")
    return Timed(transcribing(model.recognize, model.recognize), package_version("onnx-asr"))


def _contestants(conditions: Conditions) -> list[Contestant]:
    fp32 = Contestant(
        label="onnx-asr FP32",
        kind="onnx-asr",
        directory=conditions.directory,
        precision="fp32",
        threads=conditions.threads,
        takes_batches=True,
    )
    directory = linked(conditions.directory, conditions.folder, _INT8_LINKS)
    return [
        fp32,
        replace(fp32, label="onnx-asr, same INT8 encoder", directory=directory, precision="int8"),
    ]


ONNX_ASR = SystemKind(
    name="onnx-asr",
    load=_load,
    package=_PACKAGE,
    files=_files,
    settings=("precision", "provider", "threads", "batch_size"),
    peer=_peer,
    timed=_timed,
    contestants=_contestants,
)
