"""WER and CER of a model directory on the held-out synthesized test, cell by cell, with intervals."""

from __future__ import annotations

import json
import logging
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import jiwer
import numpy as np
import onnxruntime
from tqdm import tqdm

from gigastt_lab.audio.manifests.entries import read_manifest
from gigastt_lab.audio.pieces import Piece, cut
from gigastt_lab.engine import Engine
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.training.corpus import Corpus, Entry, core
from gigastt_lab.training.spoken import cardinal, digit_groups

logger = logging.getLogger(__name__)

RESAMPLES = 2_000
SEED = 0
_SPELT_FROM = 10  # longer runs of digits are no number that anybody said


@dataclass(frozen=True)
class Record:
    """One utterance: what was said, in every correct spelling, and what was recognised.

    Attributes:
        cell: Group that it is counted in.
        references: Written text; for generated sentences also the spoken one, numbers in words.
        hypothesis: Text as recognised.
    """

    cell: str
    references: tuple[str, ...]
    hypothesis: str


@dataclass(frozen=True)
class Rate:
    """An error rate with its 95 % interval, in per cent: pooled over utterances, percentile bootstrap.

    Attributes:
        value: Errors over reference units; NaN where there are none.
        low, high: Bounds of the interval.
        n_units: Reference words, or characters.
    """

    value: float
    low: float
    high: float
    n_units: int

    def __str__(self) -> str:
        return f"{self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"


@dataclass(frozen=True)
class CellResult:
    """The rates of one cell."""

    cell: str
    n_utterances: int
    wer: Rate
    cer: Rate


def recognise(
    engine: Engine, corpus: Corpus, *, split: str = "test", limit: int | None = None
) -> list[Record]:
    """Transcribe a split of the corpus, one utterance at a time.

    Args:
        engine: Engine with the model in question.
        corpus: Corpus made by `corpus.build`.
        split: `test` or `valid`.
        limit: Utterances per cell, drawn at random; None for all.
    """
    trained = {core(entry.spoken) for entry in corpus.select("train")}
    cells: dict[str, list[Entry]] = {}
    for entry in corpus.select(split):
        cells.setdefault(cell_of(entry), []).append(entry)
    chosen = [
        (cell, entry)
        for cell, entries in sorted(cells.items())
        for entry in (entries if limit is None else Random(SEED).sample(entries, min(limit, len(entries))))
    ]
    records = []
    for cell, entry in tqdm(chosen, desc="recognising", unit="utt", disable=None):
        hypothesis = engine.transcribe(corpus.waveform(entry), sample_rate=GIGAAM_V3.sample_rate).text
        references = (entry.written, entry.spoken)
        records.append(Record(cell, references, hypothesis))
        # Open sentences never come near one of training.
        if entry.kind == "assistant" and core(entry.spoken) not in trained:
            records.append(Record(f"{cell}; {NEW_SENTENCES}", references, hypothesis))
    return sorted(records, key=lambda record: record.cell.split("; "))


# A sentence of the test may differ from one of training by its address ("Салют, ...") or politeness alone.
# These are counted again without those.
NEW_SENTENCES = "of these, new whatever their address"


def recognise_recordings(engine: Engine, manifest: Path, cell: str) -> list[Record]:
    """Transcribe the recordings of a manifest, as `gigastt_lab.eval` reads it: files, or pieces of them.

    Entries without a text or without their file are left out, and the log says how many.

    Raises:
        ManifestError: it cannot be read, or not one of its files is there.
        AudioError: a recording cannot be read, or ends before a piece begins.
    """
    records, n_left_out = [], 0
    for entry in read_manifest(manifest):
        if entry.audio is None or not (entry.text and entry.text.strip()):
            n_left_out += 1
            continue
        heard = (
            engine.transcribe(cut(entry.audio), sample_rate=GIGAAM_V3.sample_rate)
            if isinstance(entry.audio, Piece)
            else engine.transcribe(entry.audio)
        )
        records.append(Record(cell, (entry.text,), heard.text))
    if n_left_out:
        logger.warning("%s: %d entries without a text or their file are left out", manifest, n_left_out)
    return records


def cell_of(entry: Entry) -> str:
    """The cell's name, e.g. `assistant, espeak-ng, voice not in training`."""
    voice = ", voice not in training" if entry.held_out_voice else ""
    return f"{entry.kind}, {entry.synthesizer}{voice}"


def score(records: Sequence[Record]) -> list[CellResult]:
    """WER and CER of each cell; an utterance counts the errors against its nearest correct spelling."""
    cells: dict[str, list[Record]] = {}
    for record in records:
        cells.setdefault(record.cell, []).append(record)
    results = []
    for cell, members in cells.items():
        words, characters = [], []
        for record in members:
            hypothesis = comparable(record.hypothesis)
            spellings = [comparable(reference) for reference in record.references]
            nearest = min(spellings, key=lambda spelling: _errors(spelling.split(), hypothesis.split())[0])
            words.append(_errors(nearest.split(), hypothesis.split()))
            characters.append(_errors(list(nearest), list(hypothesis)))
        results.append(CellResult(cell, len(members), rate(words), rate(characters)))
    return results


def comparable(text: str) -> str:
    """A text without case and punctuation, its digits in words; `ё` as `е`.

    >>> comparable("Скинь ёлке 60 000 ₽!")
    'скинь елке шестьдесят тысяч рублей'
    """
    text = text.lower().replace("₽", " рублей ").replace("%", " процентов ")
    text = re.sub(r"(?<!\d)\d{1,3}(?: 000)+(?!\d)", lambda match: match.group().replace(" ", ""), text)
    text = re.sub(r"\d+", lambda match: f" {_in_words(match.group())} ", text)
    return " ".join(re.findall(r"\w+", text.replace("ё", "е")))


def rate(counts: Sequence[tuple[int, int]]) -> Rate:
    """The pooled rate of per-utterance (errors, reference units) with its bootstrap interval.

    Source: Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
    evaluation", ICASSP 2004.
    """
    errors, units = np.array(counts, np.float64).reshape(-1, 2).T
    if not units.sum():
        return Rate(float("nan"), float("nan"), float("nan"), 0)
    picks = np.random.default_rng(SEED).integers(0, len(counts), (RESAMPLES, len(counts)))
    resampled = 100.0 * errors[picks].sum(axis=1) / np.maximum(units[picks].sum(axis=1), 1.0)
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Rate(100.0 * errors.sum() / units.sum(), float(low), float(high), int(units.sum()))


def as_markdown(results: Sequence[CellResult], engine: Engine) -> str:
    """The results as a table, and beneath it how they came about."""
    lines = [
        "| test | utterances | words | WER, % [95 % interval] | CER, % [95 % interval] |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [f"| {r.cell} | {r.n_utterances} | {r.wer.n_units} | {r.wer} | {r.cer} |" for r in results]
    info = engine.info
    how = (
        f"\n{info.model}, {info.precision}, {info.provider}, {info.threads} threads, ONNX Runtime "
        f"{onnxruntime.__version__}, {platform.machine()}. Case and punctuation stripped, digits and "
        f"their words equal; pooled rates; percentile bootstrap over utterances, "
        f"{RESAMPLES} resamples, seed {SEED}.\n"
    )
    return "\n".join(lines) + "\n" + how


def write_records(records: Sequence[Record], path: Path) -> None:
    """Write one JSON object a line, so that the same texts can be scored again."""
    lines = (json.dumps(asdict(record), ensure_ascii=False) + "\n" for record in records)
    path.write_text("".join(lines), encoding="utf-8")


def _in_words(digits: str) -> str:
    if len(digits) >= _SPELT_FROM:
        return " ".join(cardinal(int(digit)) for digit in digits)
    return digit_groups([digits])


def _errors(reference: list[str], hypothesis: list[str]) -> tuple[int, int]:
    """Edit distance of two sequences, and the length of the reference."""
    if not reference:
        return len(hypothesis), 0
    # jiwer aligns words; a character stands in for a word here, a space being one too.
    output = jiwer.process_words(
        " ".join(token.replace(" ", "_") for token in reference),
        " ".join(token.replace(" ", "_") for token in hypothesis),
    )
    return output.substitutions + output.deletions + output.insertions, len(reference)
