"""The package `onnx-asr` as a system, where it is installed.

Its seconds of work are the wall clock of its call; of its stages nothing is known.
"""

from __future__ import annotations

import importlib.metadata
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from evaluation.datasets.audio import Audio, Decoded, decoded
from evaluation.records.naming import safe_name
from evaluation.systems.base import Outcome, SystemUnavailableError, Words, rounded, together_or_each
from evaluation.systems.engine import file_hashes
from evaluation.systems.gigastt import imported
from gigastt_lab.errors import brief
from gigastt_lab.models.files import ModelFiles, Precision
from gigastt_lab.models.registry import DEFAULT_MODEL
from gigastt_lab.runtime.cores import default_threads
from gigastt_lab.runtime.sessions import available_providers
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Provider

logger = logging.getLogger(__name__)

_ORT_NAMES: Final = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "directml": "DmlExecutionProvider",
}

_UNKNOWN_PROVIDER: Final = "unknown-provider"  # of a version that keeps its sessions elsewhere


class OnnxAsrSystem:
    """The package `onnx-asr` over a model directory. It reads plain WAV only, so files are decoded here.

    That decoding is part of the seconds of work, as it is for this package's engine.

    Attributes:
        name: Package, model, precision, provider, threads and batch size, as really taken.
        info: The same, and SHA-256 of the files.
        batch_size: Utterances that it takes at once.
    """

    def __init__(self, model: Any, *, name: str, info: dict[str, Any], batch_size: int) -> None:
        """Use `load`."""
        self.name = safe_name(name)
        self.info = info
        self.batch_size = batch_size
        self._model = model

    @classmethod
    def load(
        cls,
        model: str,
        directory: Path,
        *,
        precision: Precision,
        provider: Provider,
        threads: int | None,
        batch_size: int,
    ) -> OnnxAsrSystem:
        """Load it.

        Args:
            model: Name, for tables.
            directory: Any directory with the files of GigaAM v3 e2e_rnnt, or of a model with its interface.
            precision: "int8" wants all three graphs in INT8.
            provider: "auto" takes CUDA where ONNX Runtime offers it, else the CPU.
            threads: Threads inside one operator; None takes what `cores.default_threads` says.
            batch_size: Utterances that it takes at once.

        Raises:
            SystemUnavailableError: it is not installed, or cannot load the directory.
        """
        package = imported("onnx_asr", "onnx-asr")
        import onnxruntime

        taken: str = provider
        if taken == "auto":
            taken = "cuda" if "cuda" in available_providers() else "cpu"
        threads = threads or default_threads()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            adapter = package.load_model(
                DEFAULT_MODEL,
                directory,
                quantization=None if precision == "fp32" else precision,
                sess_options=options,
                providers=[_ORT_NAMES.get(taken, taken)],
            )
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
            "model": model,
            "files": file_hashes(files),
            "precision": precision,
            "provider": taken,
            "threads": threads,
        }
        name = f"onnx-asr_{model}_{precision}_{taken}_t{threads}_b{batch_size}"
        return cls(adapter.with_timestamps(), name=name, info=info, batch_size=batch_size)

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """One outcome for each; of a batch that fails as a whole, only the guilty ones fail."""
        inputs = [decoded(audio) for audio in audios]
        readable = [each for each in inputs if each.waveform is not None]
        results = iter(together_or_each(self._recognized, readable))
        return [
            _failed(each, each.error or "") if each.waveform is None else _with_audio(each, next(results))
            for each in inputs
        ]

    def _recognized(self, inputs: Sequence[Decoded]) -> list[Outcome]:
        waveforms = [each.waveform for each in inputs if each.waveform is not None]
        started = time.perf_counter()
        results = self._model.recognize(waveforms, sample_rate=GIGAAM_V3.sample_rate)
        passed_s = time.perf_counter() - started
        n_samples = sum(map(len, waveforms))
        return [
            Outcome(
                hypothesis=str(result.text),
                words=_words_of_tokens(result.tokens or [], result.timestamps or [], result.logprobs or []),
                n_tokens=None if result.tokens is None else len(result.tokens),
                work_s=passed_s * len(waveform) / n_samples,
            )
            for result, waveform in zip(results, waveforms, strict=True)
        ]


def _provider_taken(adapter: Any) -> str:
    """The provider that the encoder's session really runs on; onnx-asr has no public word for it."""
    encoder = getattr(getattr(adapter, "asr", None), "_encoder", None)
    if encoder is None:
        return _UNKNOWN_PROVIDER
    taken = encoder.get_providers()[0]
    return next((name for name, ort_name in _ORT_NAMES.items() if ort_name == taken), str(taken))


def _words_of_tokens(tokens: Sequence[str], times_s: Sequence[float], logprobs: Sequence[float]) -> Words:
    """Tokens, of which those that begin with a space begin a word, put together."""
    words: list[list[tuple[str, float, float]]] = []
    for token, time_s, logprob in zip(tokens, times_s, logprobs, strict=False):
        if token.startswith(" ") or not words:
            words.append([])
        words[-1].append((token, time_s, math.exp(logprob)))
    return tuple(
        rounded(
            "".join(token for token, _, _ in word).strip(),
            word[0][1],
            word[-1][1] + GIGAAM_V3.encoder_frame_s,
            sum(probability for _, _, probability in word) / len(word),
        )
        for word in words
    )


def _with_audio(each: Decoded, result: Outcome | str) -> Outcome:
    if isinstance(result, str):
        return _failed(each, result)
    work_s = each.decode_s + (result.work_s or 0.0)
    return replace(result, audio_s=each.audio_s, decode_s=each.decode_s, work_s=work_s)


def _failed(each: Decoded, error: str) -> Outcome:
    return Outcome(error=error, audio_s=each.audio_s, decode_s=each.decode_s)
