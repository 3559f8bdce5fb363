"""Held-out utterances as audio files with a manifest: those that ship with the demo model, or all."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import soundfile

from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.training.corpus import Corpus, Entry
from gigastt_lab.training.evaluate import cell_of

MANIFEST_FILE = "manifest.jsonl"
_SHORTEST_S, _LONGEST_S = 1.5, 5.0


def write_clips(corpus: Path, directory: Path, *, per_cell: int | None = 4, seed: int = 3) -> None:
    """Write utterances of each cell of the test split as FLAC, with a JSONL manifest.

    Manifest rows hold `audio` (file name), `text` (as written), `spoken`, `kind`, `synthesizer`, `voice` and
    `duration` in seconds.

    Args:
        corpus: Corpus directory made by `corpus.build`.
        directory: Directory to write to.
        per_cell: Utterances of each cell, of 1.5 to 5 s, drawn at random and not by how well they are
            recognised; None takes the whole test, for `python -m gigastt_lab.eval`.
        seed: Seed of the drawing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    data, rng = Corpus(corpus), Random(seed)
    cells: dict[str, list[Entry]] = {}
    for entry in data.select("test"):
        if per_cell is None or _SHORTEST_S <= entry.n_samples / GIGAAM_V3.sample_rate <= _LONGEST_S:
            cells.setdefault(cell_of(entry), []).append(entry)
    chosen = [
        entry
        for _, entries in sorted(cells.items())
        for entry in (entries if per_cell is None else rng.sample(entries, per_cell))
    ]
    rows = []
    width = max(2, len(str(len(chosen) - 1)))
    for number, entry in enumerate(chosen):
        name = f"clip_{number:0{width}d}_{entry.kind}_{entry.synthesizer}.flac"
        soundfile.write(directory / name, data.waveform(entry), GIGAAM_V3.sample_rate, subtype="PCM_16")
        rows.append({
            "audio": name, "text": entry.written, "spoken": entry.spoken, "kind": entry.kind,
            "synthesizer": entry.synthesizer, "voice": entry.voice,
            "duration": round(entry.n_samples / GIGAAM_V3.sample_rate, 3),
        })  # fmt: skip
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (directory / MANIFEST_FILE).write_text("".join(lines), encoding="utf-8")
