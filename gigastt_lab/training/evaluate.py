"""WER and CER of a model directory on the held-out synthesized test, cell by cell, with intervals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
from tqdm import tqdm

from gigastt_lab.engine import load_engine
from gigastt_lab.files import PrecisionChoice
from gigastt_lab.models import DEMO_MODEL
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.training.corpus import Corpus, Entry
from gigastt_lab.training.spoken import digit_groups

RESAMPLES = 2_000
Counts = tuple[int, int]  # errors, reference words (or characters) of one utterance


@dataclass(frozen=True)
class Rate:
    """An error rate with its 95 % interval, in per cent: pooled over utterances, percentile bootstrap."""

    value: float
    low: float
    high: float
    n_utterances: int

    def __str__(self) -> str:
        return f"{self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"


@dataclass(frozen=True)
class CellResult:
    """One kind of sentence by one kind of voice."""

    cell: str
    wer: Rate
    cer: Rate


def evaluate(
    model_dir: Path,
    corpus: Path,
    *,
    precision: PrecisionChoice = "fp32",
    split: str = "test",
    limit: int | None = None,
) -> list[CellResult]:
    """Transcribe a split of the corpus one utterance at a time, and score each cell.

    Args:
        model_dir: In GigaAM's layout.
        corpus: Made by `corpus.build`.
        precision: Of the encoder.
        split: `test` or `valid`.
        limit: Utterances per cell at most; None for all.
    """
    engine = load_engine(DEMO_MODEL, model_dir=model_dir, precision=precision, provider="cpu")
    data = Corpus(corpus)
    cells: dict[str, list[Entry]] = {}
    for entry in data.select(split):
        cells.setdefault(cell_of(entry), []).append(entry)
    chosen = {cell: entries[:limit] for cell, entries in sorted(cells.items())}
    pairs: dict[str, list[tuple[str, str]]] = {cell: [] for cell in chosen}
    with tqdm(total=sum(map(len, chosen.values())), desc="recognising", unit="utt", disable=None) as progress:
        for cell, entries in chosen.items():
            for entry in entries:
                transcript = engine.transcribe(data.waveform(entry), sample_rate=GIGAAM_V3.sample_rate)
                pairs[cell].append((entry.written, transcript.text))
                progress.update()
    return score(pairs)


def evaluate_recordings(
    model_dir: Path, manifest: Path, cell: str, *, precision: PrecisionChoice = "fp32"
) -> list[CellResult]:
    """Score the recordings of a JSON manifest: a list of `filename` and `reference`, files beside it."""
    engine = load_engine(DEMO_MODEL, model_dir=model_dir, precision=precision, provider="cpu")
    rows = json.loads(manifest.read_text(encoding="utf-8"))
    texts = [(row["reference"], engine.transcribe(manifest.parent / row["filename"]).text) for row in rows]
    return score({cell: texts})


def cell_of(entry: Entry) -> str:
    """The cell's name, e.g. `assistant, espeak-ng, voice not in training`."""
    voice = ", voice not in training" if entry.held_out_voice else ""
    return f"{entry.kind}, {entry.synthesizer}{voice}"


def score(pairs: Mapping[str, Sequence[tuple[str, str]]]) -> list[CellResult]:
    """WER and CER of (reference, hypothesis) pairs, by cell."""
    results = []
    for cell, texts in pairs.items():
        plain = [(comparable(reference), comparable(hypothesis)) for reference, hypothesis in texts]
        words = [_errors(reference.split(), hypothesis.split()) for reference, hypothesis in plain]
        characters = [_errors(list(reference), list(hypothesis)) for reference, hypothesis in plain]
        results.append(CellResult(cell, rate(words), rate(characters)))
    return results


def comparable(text: str) -> str:
    """A text without case and punctuation, its digits in words, group by group; `ё` as `е`.

    >>> comparable("Скинь ёлке 200 ₽!")
    'скинь елке двести рублей'
    """
    text = text.lower().replace("₽", " рублей ").replace("%", " процентов ")
    text = re.sub(r"\d+", lambda match: f" {digit_groups([match.group()])} ", text)
    return " ".join(re.findall(r"\w+", text.replace("ё", "е")))


def rate(counts: Sequence[Counts], *, seed: int = 0) -> Rate:
    """The pooled rate of per-utterance counts with its bootstrap interval.

    Source: Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
    evaluation", ICASSP 2004.
    """
    errors, totals = np.array(counts, np.float64).T
    picks = np.random.default_rng(seed).integers(0, len(counts), (RESAMPLES, len(counts)))
    resampled = 100.0 * errors[picks].sum(axis=1) / np.maximum(totals[picks].sum(axis=1), 1.0)
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Rate(100.0 * errors.sum() / max(totals.sum(), 1.0), float(low), float(high), len(counts))


def as_markdown(results: Sequence[CellResult]) -> str:
    """The results as a table."""
    lines = [
        "| held-out test | utterances | WER, % [95 % interval] | CER, % [95 % interval] |",
        "|---|--:|--:|--:|",
    ]
    lines += [f"| {r.cell} | {r.wer.n_utterances} | {r.wer} | {r.cer} |" for r in results]
    return "\n".join(lines) + "\n"


def _errors(reference: list[str], hypothesis: list[str]) -> Counts:
    """Edit distance of two sequences, and the length of the reference."""
    if not reference:
        return len(hypothesis), 0
    # jiwer aligns words; a character stands in for a word here, a space being one too.
    output = jiwer.process_words(
        " ".join(token.replace(" ", "_") for token in reference),
        " ".join(token.replace(" ", "_") for token in hypothesis),
    )
    return output.substitutions + output.deletions + output.insertions, len(reference)
