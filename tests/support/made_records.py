"""Record files whose scores are known, made in memory."""

from __future__ import annotations

import random
from pathlib import Path

from evaluation.records.files import End, Header, Record, RecordFile

WORDS = ("включи", "свет", "на", "кухне", "сейчас", "громче", "музыку", "канал", "новости", "завтра")


def file_of(*records, system="система", name=None, finished=True, findings=(), **header):
    """A record file; `records` are `Record`s, or pairs of reference and hypothesis."""
    rows = tuple(
        one if isinstance(one, Record) else Record(id=f"u{number}", reference=one[0], hypothesis=one[1])
        for number, one in enumerate(records)
    )
    header = {"dataset": {"name": "пробный", "revision": "1"}} | header
    end = End(n_rows=len(rows), findings=tuple(findings)) if finished else None
    return RecordFile(Path(f"{name or system}.jsonl"), Header(system=system, **header), rows, end, 0)


def noisy_file(n, *, system="система", error_rate=0.2, seed=0, n_speakers=0, **header):
    """So many utterances with times, stages, words and confidences; the references are always the same."""
    same, own = random.Random(1), random.Random(seed)
    records = []
    for number in range(n):
        ref = same.choices(WORDS, k=same.randrange(1, 12))
        hyp = [own.choice(WORDS) if own.random() < error_rate else word for word in ref]
        hyp = [word for word in hyp if own.random() > error_rate / 4]
        audio_s = 0.4 * len(ref)
        parts = [audio_s * share * own.uniform(0.8, 1.2) for share in (0.005, 0.002, 0.03, 0.01)]
        said = [
            (word, 0.4 * i, 0.4 * i + 0.3, min(1, max(0, own.gauss(0.85, 0.1)))) for i, word in enumerate(hyp)
        ]
        records.append(
            Record(
                id=f"u{number:05}",
                reference=" ".join(ref),
                hypothesis=" ".join(hyp).capitalize(),
                audio_s=audio_s,
                decode_s=parts[0],
                features_s=parts[1],
                encoder_s=parts[2],
                search_s=parts[3],
                work_s=sum(parts) * 1.05,
                words=tuple(said),
                speaker=f"s{number % n_speakers}" if n_speakers else None,
            )
        )
    return file_of(*records, system=system, **header)
