"""What each step of rewriting an encoder brings: `python -m evaluation.studies.rewriting --model-dir DIR`.

The graph as it is, after the first step, after the first two, and so on, in one interleaved run: speed, and
how far the output is from the original's. The table of ``docs/performance.md`` comes from here.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import onnx
import onnxruntime
import pandas as pd
from tqdm import tqdm

from evaluation.studies.encoders import add_model_dir, as_markdown, model_dir
from gigastt_lab.graphs.encoder.rewrite import STEPS, rewrite
from gigastt_lab.models.files import ENCODER_NAMES, Precision
from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.quantization.comparison import Speed, measure_speed, relative_error
from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.runtime.sessions import RuntimeOptions, load_session

LENGTHS_S = (4.0, 16.0, 30.0)
_N_CLIPS = 4  # whose errors are measured


def compare(source: Path, *, threads: int | None = None, repetitions: int = 9) -> pd.DataFrame:
    """One row per step that finds something, each on top of those before.

    Args:
        source: An encoder, FP32 or INT8.
        threads: Threads of every encoder; None takes `runtime.cores.default_threads`.
        repetitions: Timed rounds for each length.
    """
    runtime = RuntimeOptions(provider="cpu", threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        rows: dict[str, dict[str, object]] = {"as it is": {"places": ""}}
        encoders = [Encoder(load_session(source, runtime))]
        for step, n_places, path in _steps(source, Path(folder)):
            rows[step] = {"places": n_places}
            encoders.append(Encoder(load_session(path, runtime)))
        for encoder, row in zip(encoders, rows.values(), strict=True):
            clips = sample_clips()[:_N_CLIPS]
            row["difference"] = f"{max(relative_error(encoders[0], encoder, clip) for clip in clips):.1e}"
        for audio_s in LENGTHS_S:
            speed = _speed(encoders, audio_s, repetitions)
            for i, row in enumerate(rows.values()):
                row[f"RTFx, {audio_s:g} s"] = f"{speed.rtfx(i):.1f}"
                row[f"times, {audio_s:g} s"] = f"{speed.speedup(i):.2f}"
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("step, on top of those above")


def _steps(source: Path, folder: Path) -> Iterator[tuple[str, int, Path]]:
    """Name, places found and graph after each step that finds something."""
    for i, step in enumerate(tqdm(STEPS, desc="rewriting", disable=None)):
        model = onnx.load(str(source))
        n_places = rewrite(model, STEPS[: i + 1])[step.__name__]
        if n_places:
            path = folder / f"{i}.onnx"
            onnx.save(model, str(path))
            yield step.__name__, n_places, path


def _speed(encoders: Sequence[Encoder], audio_s: float, repetitions: int) -> Speed:
    rounds = measure_speed(encoders, audio_s, repetitions=repetitions)
    so_far: list[Speed] = list(tqdm(rounds, desc=f"speed at {audio_s:g} s", total=repetitions, disable=None))
    return so_far[-1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.studies.rewriting", description=__doc__)
    add_model_dir(parser)
    parser.add_argument("--precision", choices=get_args(Precision), default="int8")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--repetitions", type=int, default=9)
    options = parser.parse_args(arguments)
    source = model_dir(options) / ENCODER_NAMES[options.precision][0]
    table = compare(source, threads=options.threads, repetitions=options.repetitions)
    sys.stdout.write(f"{as_markdown(table)}\n{options.precision}, ONNX Runtime {onnxruntime.__version__}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
