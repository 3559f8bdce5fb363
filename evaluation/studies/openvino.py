"""OpenVINO's runtime beside the engine's encoder: `python -m evaluation.studies.openvino --model-dir DIR`.

The same FP32 encoder in the forms that OpenVINO has for a CPU: FP32, bfloat16, INT8 by NNCF (static,
calibrated on the packaged clips), and INT8 weights whose activations are quantized as they come. One machine,
one interleaved run; ``docs/performance.md`` has the table. Needs `pip install openvino nncf`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.studies.encoders import add_model_dir, model_dir
from gigastt_lab.graphs.encoder.loading import load_encoder
from gigastt_lab.models.files import ENCODER_NAMES
from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.runtime.sessions import RuntimeOptions
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array

Run = Callable[[Float32Array], Float32Array]  # features (1, n_mels, n_frames) to frames (1, n_encoded, T')

_AUDIO_S = (4.0, 16.0, 30.0)
_GROUP = "32"  # inputs that share a scale, where activations are quantized as they come


@dataclass(frozen=True)
class Contestant:
    """One encoder, ready to run.

    Attributes:
        name: Name in the table.
        run: Function from features to encoder frames.
        load_s: Seconds that loading took, preparation or compilation included.
    """

    name: str
    run: Run
    load_s: float


def contestants(directory: Path, threads: int) -> Iterable[Contestant]:
    """The engine's encoders, FP32 first, and OpenVINO's."""
    source = directory / ENCODER_NAMES["fp32"][0]
    yield _loaded("ours, FP32", lambda: _ours(source, threads))
    yield _loaded("ours, INT8", lambda: _ours(directory / ENCODER_NAMES["int8"][0], threads))
    import nncf
    import openvino as ov

    core = ov.Core()

    def compiled(model: Any, **settings: str) -> Run:
        settings = {"INFERENCE_NUM_THREADS": str(threads), "PERFORMANCE_HINT": "LATENCY"} | settings
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        return lambda features: np.array(request.infer(_feeds(features))[0])

    def compressed() -> Any:
        return nncf.compress_weights(core.read_model(source), mode=nncf.CompressWeightsMode.INT8_SYM)

    def static() -> Any:
        speech = nncf.Dataset([_feeds(log_mel(clip)[None]) for clip in sample_clips()])
        return nncf.quantize(core.read_model(source), speech, model_type=nncf.ModelType.TRANSFORMER)

    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    yield _loaded("OpenVINO, FP32", lambda: compiled(core.read_model(source), **precise))
    yield _loaded(
        "OpenVINO, bfloat16", lambda: compiled(core.read_model(source), INFERENCE_PRECISION_HINT="bf16")
    )
    yield _loaded("OpenVINO, INT8 by NNCF", lambda: compiled(static(), **precise))
    yield _loaded(
        "OpenVINO, INT8 weights, activations as they come",
        lambda: compiled(compressed(), DYNAMIC_QUANTIZATION_GROUP_SIZE=_GROUP, **precise),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown: milliseconds of each pass, median [quartiles], and the output's error."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.studies.openvino", description=__doc__)
    add_model_dir(parser)
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--repetitions", type=int, default=7, help="default: 7")
    options = parser.parse_args(arguments)
    everyone = list(contestants(model_dir(options), options.threads))
    write = sys.stdout.write
    write(f"| | {' | '.join(f'{s:g} s, ms' for s in _AUDIO_S)} | error, median | load, s |\n")
    write(f"|---|{'--:|' * (len(_AUDIO_S) + 2)}\n")
    passes = [_timed(everyone, audio_s, options.repetitions) for audio_s in _AUDIO_S]
    errors = _errors(everyone)
    for i, contestant in enumerate(everyone):
        cells = []
        for seconds in passes:
            low, median, high = 1e3 * np.quantile(seconds[i], [0.25, 0.5, 0.75])
            cells.append(f"{median:.0f} [{low:.0f}, {high:.0f}]")
        write(f"| {contestant.name} | {' | '.join(cells)} | {errors[i]:.4f} | {contestant.load_s:.1f} |\n")
    return 0


def _loaded(name: str, load: Callable[[], Run]) -> Contestant:
    started = time.perf_counter()
    run = load()
    return Contestant(name, run, time.perf_counter() - started)


def _ours(path: Path, threads: int) -> Run:
    session = load_encoder(path, RuntimeOptions(provider="cpu", threads=threads))

    def run(features: Float32Array) -> Float32Array:
        frames, _ = session.run(features, np.array([features.shape[2]]))
        return np.asarray(frames, np.float32)

    return run


def _feeds(features: Float32Array) -> list[Any]:
    return [features, np.array([features.shape[2]], np.int64)]


def _timed(everyone: Sequence[Contestant], audio_s: float, repetitions: int) -> list[list[float]]:
    """Seconds of each pass, in turn, a round of warming up before."""
    speech = np.concatenate(sample_clips())
    features = log_mel(np.resize(speech, round(audio_s * GIGAAM_V3.sample_rate)))[None]
    seconds: list[list[float]] = [[] for _ in everyone]
    for i in range(repetitions + 1):
        for contestant, its_seconds in zip(everyone, seconds, strict=True):
            started = time.perf_counter()
            contestant.run(features)
            if i:
                its_seconds.append(time.perf_counter() - started)
    return seconds


def _errors(everyone: Sequence[Contestant]) -> list[float]:
    """Relative L2 from the first one, median over the packaged clips."""
    errors: list[list[float]] = [[] for _ in everyone]
    for clip in sample_clips():
        features = log_mel(clip)[None]
        exact = everyone[0].run(features)
        for contestant, its_errors in zip(everyone, errors, strict=True):
            difference = contestant.run(features) - exact
            its_errors.append(float(np.linalg.norm(difference) / np.linalg.norm(exact)))
    return [float(np.median(its)) for its in errors]


if __name__ == "__main__":
    sys.exit(main())
