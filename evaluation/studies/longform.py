"""Long recordings against their utterances one by one: `python -m evaluation.studies.longform --dataset SET`.

Utterances of a dataset are joined, with pauses, into recordings of given lengths. Their word error rate is
set against that of the same utterances recognised alone, with the interval of the paired difference over
recordings; the work against passes of 25 s; the peak memory of a fresh process by length.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from tqdm import tqdm

from evaluation.cli.options import add_dataset_options, dataset_of
from evaluation.datasets.audio import decoded
from evaluation.scoring.texts import normalized, word_counts
from evaluation.show.display import estimate
from evaluation.statistics.intervals import paired_difference
from gigastt_lab.engine import Engine, load_engine
from gigastt_lab.recognition.windows import WindowOptions
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array

_RATE = GIGAAM_V3.sample_rate
_PASS_S = 25
_STATUS = Path("/proc/self/status")
_PAUSE_LEVEL = 1e-5  # -100 dB: a quiet room


@dataclass(frozen=True)
class _Utterance:
    waveform: Float32Array
    reference: str
    alone: str


@dataclass(frozen=True)
class Recording:
    """Utterances joined.

    Attributes:
        minutes: Length that was asked for; the recording ends with the utterance that reaches it.
        waveform: Mono samples at 16 kHz, shape (n_samples,).
        reference: The references, joined.
        alone: Texts that were recognised of each utterance alone, joined.
    """

    minutes: float
    waveform: Float32Array
    reference: str
    alone: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the tables."""
    options = _options(arguments)
    engine = load_engine(**_engine_options(options))
    windows = _windows(options)
    utterances = _utterances(engine, options)
    recordings = list(joined(utterances, options.recordings, options.pause_ms / 1000))
    sys.stdout.write(f"{engine.info}\n{_accuracy(engine, recordings, windows)}\n")
    speed, passes = _speed(engine, recordings, windows)
    sys.stdout.write(
        f"work per second of audio: {1000 * speed:.2f} ms; passes of {_PASS_S} s: {1000 * passes:.2f} ms; "
        f"{speed / passes:.2f} times\n"
    )
    for minutes, megabytes in _memory(options, recordings):
        sys.stdout.write(f"peak memory of a process that transcribes {minutes:g} min: {megabytes:.0f} MB\n")
    return 0


def joined(
    utterances: Sequence[_Utterance], lengths: Sequence[tuple[float, int]], pause_s: float
) -> Iterator[Recording]:
    """Recordings of (minutes, how many), of the utterances in turn, a pause of quiet noise behind each."""
    rng = np.random.default_rng(0)
    source = cycle(utterances)
    for minutes, count in lengths:
        for _ in range(count):
            pieces: list[Float32Array] = []
            taken: list[_Utterance] = []
            while sum(map(len, pieces)) < minutes * 60 * _RATE:
                taken.append(next(source))
                pause = _PAUSE_LEVEL * rng.standard_normal(round(pause_s * _RATE))
                pieces += [taken[-1].waveform, pause.astype(np.float32)]
            reference, alone = (
                " ".join(text for text in texts if text)
                for texts in zip(*((each.reference, each.alone) for each in taken), strict=True)
            )
            yield Recording(minutes, np.concatenate(pieces), reference, alone)


def _accuracy(engine: Engine, recordings: Sequence[Recording], windows: WindowOptions | None) -> str:
    rows = []
    for recording in tqdm(recordings, desc="recordings", unit="rec", disable=None):
        text = engine.transcribe(recording.waveform, sample_rate=_RATE, windows=windows).text
        # Joined before they are normalised, all three: a number may reach across the seam of two utterances.
        ref, hyp, alone = (
            normalized(each, "numbers") for each in (recording.reference, text, recording.alone)
        )
        whole, one_by_one = word_counts(ref, hyp), word_counts(ref, alone)
        rows.append((recording.minutes, whole.errors, one_by_one.errors, whole.n_reference))
    table = pd.DataFrame(rows, columns=["minutes", "whole", "alone", "n_words"])
    lines = [_line(f"{minutes:g} min", group) for minutes, group in table.groupby("minutes")]
    return "\n".join([*lines, _line("pooled", table)])


def _line(name: str, table: pd.DataFrame) -> str:
    whole, alone, n_words = (table[column].to_numpy() for column in ("whole", "alone", "n_words"))
    found = paired_difference(whole, alone, n_words)
    difference = estimate(found.difference, found.low, found.high, sign=True)
    return (
        f"{name:>7}: {len(table):3} recordings, {n_words.sum():6} words, WER {100 * found.rate_a:.2f} %, "
        f"one by one {100 * found.rate_b:.2f} %, difference {difference} points"
    )


def _speed(
    engine: Engine, recordings: Sequence[Recording], windows: WindowOptions | None
) -> tuple[float, float]:
    """Seconds of work per second of audio: of the longest recording, and of it cut into passes, in turn."""
    longest = max((recording.waveform for recording in recordings), key=len)[: 300 * _RATE]
    passes = [longest[at : at + _PASS_S * _RATE] for at in range(0, len(longest), _PASS_S * _RATE)]
    times: dict[str, list[float]] = {"whole": [], "passes": []}
    for _ in tqdm(range(3), desc="speed", disable=None):
        started = time.perf_counter()
        engine.transcribe(longest, sample_rate=_RATE, windows=windows)
        times["whole"].append(time.perf_counter() - started)
        started = time.perf_counter()
        for waveform in passes:
            engine.transcribe(waveform, sample_rate=_RATE)
        times["passes"].append(time.perf_counter() - started)
    seconds = len(longest) / _RATE
    return float(np.median(times["whole"])) / seconds, float(np.median(times["passes"])) / seconds


def _memory(options: argparse.Namespace, recordings: Sequence[Recording]) -> Iterator[tuple[float, float]]:
    """Minutes, and megabytes at the peak, of the FLAC of 2 minutes and of the longest recording."""
    if not _STATUS.exists():  # Linux alone tells a process's own peak
        return
    longest = max((recording.waveform for recording in recordings), key=len)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for minutes in (2.0, len(longest) / _RATE / 60):
            path = Path(folder) / "recording.flac"
            soundfile.write(path, longest[: round(minutes * 60 * _RATE)], _RATE)
            with context.Pool(1) as pool:
                yield minutes, pool.apply(_peak_of, (path, _engine_options(options), _windows(options)))


def _peak_of(path: Path, engine_options: dict[str, Any], windows: WindowOptions | None) -> float:
    load_engine(**engine_options).transcribe(path, windows=windows)
    # Not `ru_maxrss`, which a child takes over from its parent.
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _utterances(engine: Engine, options: argparse.Namespace) -> list[_Utterance]:
    found = []
    for utterance in tqdm(dataset_of(options), desc="one by one", unit="utt", disable=None):
        waveform = decoded(utterance.audio).waveform
        if waveform is not None:
            alone = engine.transcribe(waveform, sample_rate=_RATE).text
            found.append(_Utterance(waveform, utterance.reference, alone))
    # Mixed, so that neighbours are not of one voice; the same every time.
    order = np.random.default_rng(options.seed).permutation(len(found))
    return [found[i] for i in order]


def _engine_options(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("model", "model_dir", "precision", "threads")}


def _windows(options: argparse.Namespace) -> WindowOptions | None:
    if options.length_s is None and options.min_pause_ms is None:
        return None
    return WindowOptions(length_s=options.length_s or 28.0, min_pause_ms=options.min_pause_ms)


def _lengths(text: str) -> list[tuple[float, int]]:
    pairs = [part.split("x") for part in text.split(",")]
    return [(float(minutes), int(count)) for minutes, count in pairs]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation.studies.longform", description=__doc__)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--model-dir")
    parser.add_argument("--precision", choices=["auto", "fp32", "int8"], default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--recordings", type=_lengths, default="1x30,5x6,30x1", metavar="MINUTESxN,...",
        help="default: %(default)s")  # fmt: skip
    parser.add_argument("--pause-ms", type=float, default=500, help="between utterances; default: 500")
    parser.add_argument("--length-s", type=float, help="of a window; default: as suits the model")
    parser.add_argument("--min-pause-ms", type=int, help="that ends a window; default: as suits the model")
    add_dataset_options(parser)
    options = parser.parse_args(arguments)
    options.parser = parser
    return options


if __name__ == "__main__":
    sys.exit(main())
