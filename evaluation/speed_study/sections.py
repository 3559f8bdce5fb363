"""Sections of a measurement: each makes its turns, and tells what each of them was of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from evaluation.speed_study.clips import Clip, total_s
from evaluation.speed_study.process import Worker, WorkerError
from evaluation.speed_study.rounds import Step, Timing, Turn, in_rounds, n_steps, timing_of
from evaluation.systems.timed import Contestant

BETWEEN_MB: Final = 64
"""Other memory that is written between two passes of the encoder: more than caches hold."""

OURS, PLAIN = "ours ", "plain ONNX Runtime "
"""Prefixes of the labels of the engine, and of its graphs without it."""
WARM, COLD = "back to back", "other work between"
STAGES: Final = {
    "features": "features",
    "encoder": "encoder",
    "search": "search, one at a time",
    "search_batch": "search, batch of 16",
}


@dataclass(frozen=True)
class Party:
    """A contestant that has loaded, and its process."""

    contestant: Contestant
    worker: Worker


@dataclass
class Section:
    """Turns of one kind, and what they are of.

    Attributes:
        n_rounds: Rounds that count.
        groups: Groups of turns that are taken one after the other, see `rounds.in_rounds`.
        rows: Turns that are rows of tables, each with what it is of: fields of `Timing`.
    """

    n_rounds: int
    groups: list[list[Turn]] = field(default_factory=list)
    rows: list[tuple[Turn, dict[str, Any]]] = field(default_factory=list)

    @property
    def n_steps(self) -> int:
        """Turns to be taken."""
        return n_steps(self.groups, self.n_rounds)

    def run(self, step: Step) -> None:
        """Take all turns."""
        in_rounds(self.groups, self.n_rounds, step)

    def timings(self) -> list[Timing]:
        """Timings of the turns that are rows."""
        return [timing_of(turn, **what) for turn, what in self.rows]

    def group(self, turns: Sequence[tuple[Turn, dict[str, Any]]]) -> None:
        """Add turns that are taken one after the other."""
        self.groups.append([turn for turn, _ in turns])
        self.rows += turns


def files(parties: Sequence[Party], clips: Sequence[Clip], n_rounds: int) -> Section:
    """Section of files, one at a time, of each length: bytes in, text out."""
    section = Section(n_rounds)
    for clip in clips:
        section.group(
            [
                (
                    Turn(party.worker, "transcribe", path=str(clip.path)),
                    {"label": party.contestant.label, "audio_s": clip.audio_s},
                )
                for party in parties
            ]
        )
    return section


class BatchSection(Section):
    """Several utterances of mixed lengths at once, of those that take several."""

    def __init__(
        self, parties: Sequence[Party], clips: Sequence[Clip], sizes: Sequence[int], n_rounds: int
    ) -> None:
        """Plan batches of the first utterances of `clips`."""
        super().__init__(n_rounds)
        parties = [party for party in parties if party.contestant.takes_batches]
        self._alone = {
            party.contestant.label: [Turn(party.worker, "transcribe", path=str(clip.path)) for clip in clips]
            for party in parties
        }
        for size in sizes:
            paths = [str(clip.path) for clip in clips[:size]]
            what = {"audio_s": total_s(clips[:size]), "n_utterances": size}
            self.group(
                [
                    (
                        Turn(party.worker, "batch", paths=paths),
                        {"label": party.contestant.label, **what},
                    )
                    for party in parties
                ]
            )

    @property
    def n_steps(self) -> int:
        """Turns to be taken."""
        return super().n_steps + sum(map(len, self._alone.values()))

    def run(self, step: Step) -> None:
        """Each utterance alone, once, for its text; then the batches."""
        for turns in zip(*self._alone.values(), strict=True):
            for turn in turns:
                turn.take(counts=True)
                step()
        super().run(step)

    def timings(self) -> list[Timing]:
        """Timings of the turns, with the number of texts that are as they are alone."""
        found = []
        for turn, what in self.rows:
            alone = [one.answers[0]["text"] for one in self._alone[what["label"]] if one.answers]
            texts = turn.answers[-1]["texts"] if turn.answers else []
            equal = sum(text == own for text, own in zip(texts, alone, strict=False)) if texts else None
            found.append(timing_of(turn, **what, n_as_alone=equal))
        return found


class EncoderSection(Section):
    """The encoder alone: the engine's own, and its graph as ONNX Runtime runs it by default."""

    def __init__(self, pairs: Sequence[tuple[Party, Worker]], clips: Sequence[Clip], n_rounds: int) -> None:
        """Plan both ways for each length: pass after pass, and with other work between.

        Args:
            pairs: Engines, each with a process of kind "session" for the same graph, not loaded yet.
            clips: Clips, one of each length.
            n_rounds: Rounds that count.
        """
        super().__init__(n_rounds)
        self._plain: dict[Worker, list[Turn]] = {session: [] for _, session in pairs}
        for clip in clips:
            for variant, between_mb in ((WARM, 0), (COLD, BETWEEN_MB)):
                what = {"audio_s": clip.audio_s, "variant": variant}
                details: dict[str, Any] = {"path": str(clip.path), "between_mb": between_mb}
                turns = []
                for party, session in pairs:
                    ours, plain = (Turn(worker, "encode", **details) for worker in (party.worker, session))
                    self._plain[session].append(plain)
                    turns.append((ours, {"label": party.contestant.label, **what}))
                    turns.append((plain, {"label": plain_label(party.contestant), **what}))
                self.group(turns)

    def run(self, step: Step) -> None:
        """Load the plain graphs, take all turns, and let the plain graphs go."""
        for session, turns in self._plain.items():
            try:
                session.ask("load")
            except WorkerError as error:
                for turn in turns:
                    turn.error = str(error)
        super().run(step)
        for session in self._plain:
            session.close()


def plain_label(contestant: Contestant) -> str:
    """Label of an engine's graph where ONNX Runtime runs it by default.

    >>> from pathlib import Path
    >>> ours = Contestant(label="ours INT8", kind="engine", directory=Path(), precision="int8", threads=1)
    >>> plain_label(ours)
    'plain ONNX Runtime INT8'
    """
    return contestant.label.replace(OURS, PLAIN, 1)


class StageSection(Section):
    """The engine's stages, each measured by itself."""

    def __init__(self, parties: Sequence[Party], clip: Clip, batch: Sequence[Clip], n_rounds: int) -> None:
        """Plan one turn for each engine: features, encoder and search of `clip`, search of `batch`."""
        super().__init__(n_rounds)
        self._clip = clip
        self._batch = batch
        paths = [str(each.path) for each in batch]
        self.group(
            [
                (
                    Turn(party.worker, "stages", path=str(clip.path), paths=paths),
                    {"label": party.contestant.label},
                )
                for party in parties
                if party.contestant.is_ours
            ]
        )

    def timings(self) -> list[Timing]:
        """Timings, one for each engine and stage."""
        found = []
        for turn, what in self.rows:
            for name, variant in STAGES.items():
                of_batch = name == "search_batch"
                audio_s = total_s(self._batch) if of_batch else self._clip.audio_s
                n = len(self._batch) if of_batch else 1
                found.append(
                    Timing(
                        **what,
                        audio_s=audio_s,
                        variant=variant,
                        n_utterances=n,
                        wall_s=tuple(answer[name]["wall_s"] for answer in turn.answers),
                        cpu_s=tuple(answer[name]["cpu_s"] for answer in turn.answers),
                        error=turn.error,
                    )
                )
        return found
