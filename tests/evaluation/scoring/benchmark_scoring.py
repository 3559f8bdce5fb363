"""Time of scoring: `python tests/evaluation/scoring/benchmark_scoring.py [N]`, by default 10,000 records.

Every utterance has a text of its own, so that nothing is remembered from one to the next: clips' texts
with words exchanged, a tenth of them wrong.
"""

import json
import random
import sys
import time
from pathlib import Path

from evaluation.normalize import PROFILES
from evaluation.records.files import Header, Record, RecordFile
from evaluation.scoring.scores import profiles, rules, score
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY


def made_file(n: int, *, error_rate: float = 0.1, seed: int = 0) -> RecordFile:
    lines = (DEMO_CLIPS_DIRECTORY / "manifest.jsonl").read_text("utf-8").splitlines()
    written, spoken = ([json.loads(line)[key].split() for line in lines] for key in ("text", "spoken"))
    words = [word for text in written for word in text]
    rng = random.Random(seed)
    records = []
    for number in range(n):
        first, second = rng.choices(range(len(lines)), k=2)
        reference = [rng.choice(words) if rng.random() < 0.3 else w for w in spoken[first] + spoken[second]]
        hypothesis = [rng.choice(words) if rng.random() < error_rate else w for w in reference]
        n_words = rng.randrange(3, 20)
        records.append(
            Record(
                id=f"made/{number:06d}",
                reference=" ".join(reference[:n_words]),
                hypothesis=" ".join(hypothesis[:n_words]),
                audio_s=0.4 * n_words,
                work_s=0.02 * n_words * rng.uniform(0.8, 1.5),
            )
        )
    return RecordFile(Path("made.jsonl"), Header(system="made"), tuple(records), None, 0)


def main() -> None:
    file = made_file(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    started = time.perf_counter()
    for profile in PROFILES:
        score(file, profile=profile)
    profiles(file)
    rules(file)
    seconds = time.perf_counter() - started
    sys.stdout.write(
        f"{len(file.records):,} records, 1,000 resamples, every profile and rule: {seconds:.1f} s\n"
    )


if __name__ == "__main__":
    main()
