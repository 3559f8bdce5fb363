"""The synthesized corpus: sentences, split by sentence, spoken by many voices, in one file of samples.

A corpus directory holds `audio.i16` (16 kHz mono PCM16, utterances one after another),
`utterances.jsonl` (one `Entry` a line) and `corpus.json` (how it was made).
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from tqdm import tqdm

from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.training import assistant, open_sentences
from gigastt_lab.training.lexicon import ASSISTANTS
from gigastt_lab.training.synthesize import (
    ESPEAK_VOICES,
    FESTIVAL_VOICE,
    HELD_OUT_VOICES,
    EspeakVoice,
    as_pcm16,
    check_synthesizers,
    espeak,
    festival,
)
from gigastt_lab.types import Float32Array

logger = logging.getLogger(__name__)

AUDIO_FILE = "audio.i16"
ENTRIES_FILE = "utterances.jsonl"
ABOUT_FILE = "corpus.json"  # seed, sizes, seconds
DEFAULT_SEED = 7  # the shipped model's: another seed's test holds sentences that it was trained on
KINDS: dict[str, Callable[[Random], tuple[str, str]]] = {
    "assistant": assistant.utterance,
    "open": open_sentences.utterance,
}
_BATCH = 64  # texts a worker takes at once; festival needs two seconds to start


@dataclass(frozen=True)
class Entry:
    """One utterance of the corpus.

    Attributes:
        written: The target text: capitals, punctuation, digits.
        spoken: Text that the synthesizer was given: numbers in words.
        kind: `assistant` or `open`.
        split: `train`, `valid` or `test`; a sentence is in one of them only.
        voice: espeak-ng variant, or festival's voice.
        held_out_voice: The voice is never in the training split.
        speed: espeak-ng's words per minute (0: festival's own).
        pitch: espeak-ng's pitch.
        gap: espeak-ng's gap between words, in 10 ms.
        offset: First sample in `audio.i16`.
        n_samples: Length in samples.
    """

    written: str
    spoken: str
    kind: str
    split: str
    voice: str
    held_out_voice: bool = False
    speed: int = 0
    pitch: int = 50
    gap: int = 0
    offset: int = 0
    n_samples: int = 0

    @property
    def synthesizer(self) -> str:
        """Synthesizer: `festival` or `espeak-ng`."""
        return "festival" if self.voice == FESTIVAL_VOICE else "espeak-ng"


@dataclass(frozen=True)
class CorpusSize:
    """Number of utterances to make, of each sort."""

    train: int = 34_000
    valid_per_cell: int = 50  # a cell: one kind by one synthesizer, voices in or out of training
    test_per_cell: int = 200
    festival_share: float = 0.3
    open_share: float = 0.5


def plan(size: CorpusSize, seed: int) -> list[Entry]:
    """Every utterance before it is spoken, sentences unique over the whole corpus."""
    rng = Random(seed)
    sentences = {kind: _unique(make, Random(f"{seed}-{kind}")) for kind, make in KINDS.items()}

    def entry(kind: str, split: str, synthesizer: str, *, held_out: bool = False) -> Entry:
        written, spoken = next(sentences[kind])
        if synthesizer == "festival":
            return Entry(written, spoken, kind, split, FESTIVAL_VOICE)
        voice = rng.choice(HELD_OUT_VOICES if held_out else ESPEAK_VOICES)
        speed, pitch, gap = rng.randint(130, 205), rng.randint(20, 80), rng.choice((0, 0, 0, 1, 2, 4))
        return Entry(written, spoken, kind, split, voice, held_out, speed, pitch, gap)

    entries = []
    for split, count in (("test", size.test_per_cell), ("valid", size.valid_per_cell)):
        for kind in KINDS:
            for synthesizer, held_out in (("espeak-ng", False), ("espeak-ng", True), ("festival", False)):
                entries += [entry(kind, split, synthesizer, held_out=held_out) for _ in range(count)]
    for _ in range(size.train):
        kind = "open" if rng.random() < size.open_share else "assistant"
        synthesizer = "festival" if rng.random() < size.festival_share else "espeak-ng"
        entries.append(entry(kind, "train", synthesizer))
    return entries


def build(directory: Path, *, size: CorpusSize, seed: int = DEFAULT_SEED, processes: int = 2) -> None:
    """Speak the whole corpus into `directory`; its files get their names when all is spoken.

    What a synthesizer fails on is left out, counted and logged.

    Args:
        directory: Directory, made if it is not there; a corpus in it is replaced at the end.
        size: Number of utterances of each sort.
        seed: Seed of sentences, voices and split.
        processes: Processes that speak side by side.

    Raises:
        SynthesisError: a synthesizer is not installed.
        concurrent.futures.process.BrokenProcessPool: a worker was killed.
    """
    check_synthesizers()
    directory.mkdir(parents=True, exist_ok=True)
    entries = sorted(plan(size, seed), key=lambda e: e.synthesizer)
    batches = [entries[i : i + _BATCH] for i in range(0, len(entries), _BATCH)]
    Random(seed).shuffle(batches)
    partial = {name: directory / f"{name}.partial" for name in (AUDIO_FILE, ENTRIES_FILE)}
    offset, failed = 0, 0
    with (
        ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool,
        partial[AUDIO_FILE].open("wb") as audio_file,
        partial[ENTRIES_FILE].open("w", encoding="utf-8") as entries_file,
        tqdm(total=len(entries), desc="speaking", unit="utt", mininterval=5) as progress,
    ):
        for batch in pool.map(_speak, batches):
            for entry, pcm in batch:
                if pcm is not None:
                    audio_file.write(pcm.tobytes())
                    placed = replace(entry, offset=offset, n_samples=len(pcm))
                    entries_file.write(json.dumps(asdict(placed), ensure_ascii=False) + "\n")
                    offset += len(pcm)
                else:
                    failed += 1
                progress.update()
    if failed:
        logger.warning("%d of %d utterances could not be spoken and are left out", failed, len(entries))
    about = {"seed": seed, **asdict(size), "failed": failed, "seconds": offset / GIGAAM_V3.sample_rate}
    (directory / ABOUT_FILE).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    for name, path in partial.items():
        path.replace(directory / name)


def core(spoken: str) -> str:
    """A sentence without case, punctuation, address and politeness: what makes it unlike another.

    >>> core("Салют, включи Матрицу, пожалуйста.")
    'включи матрицу'
    """
    words = re.findall("[а-яё]+", spoken.lower())
    if words and words[0].capitalize() in ASSISTANTS and len(words) > 1:
        words = words[1:]
    return " ".join(words[:-1] if words[-1:] == ["пожалуйста"] and len(words) > 1 else words)


class Corpus:
    """A corpus directory, its samples mapped into memory."""

    def __init__(self, directory: Path) -> None:
        self.entries = [
            Entry(**json.loads(line))
            for line in (directory / ENTRIES_FILE).read_text(encoding="utf-8").splitlines()
        ]
        self._samples = np.memmap(directory / AUDIO_FILE, dtype=np.int16, mode="r")

    def select(self, split: str) -> list[Entry]:
        """The entries of one split, in a fixed order."""
        return sorted(
            (e for e in self.entries if e.split == split), key=lambda e: (e.kind, e.voice, e.written)
        )

    def waveform(self, entry: Entry) -> Float32Array:
        """The samples of one utterance in [-1, 1], 16 kHz. Shape (n_samples,)."""
        pcm = self._samples[entry.offset : entry.offset + entry.n_samples]
        return pcm.astype(np.float32) / np.float32(32768.0)


def _unique(make: Callable[[Random], tuple[str, str]], rng: Random) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    while True:
        written, spoken = make(rng)
        if written.lower() not in seen:
            seen.add(written.lower())
            yield written, spoken


def _speak(batch: Iterable[Entry]) -> list[tuple[Entry, np.ndarray[tuple[int], np.dtype[np.int16]] | None]]:
    entries = list(batch)
    spoken: dict[int, Float32Array | None] = {}
    with_festival = [i for i, e in enumerate(entries) if e.synthesizer == "festival"]
    if with_festival:
        spoken.update(zip(with_festival, festival([entries[i].spoken for i in with_festival]), strict=True))
    for i, entry in enumerate(entries):
        if i not in spoken:
            spoken[i] = espeak(entry.spoken, EspeakVoice(entry.voice, entry.speed, entry.pitch, entry.gap))
    return [(entry, None if (w := spoken[i]) is None else as_pcm16(w)) for i, entry in enumerate(entries)]
