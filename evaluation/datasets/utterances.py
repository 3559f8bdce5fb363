"""A dataset as the evaluation sees it: utterances in a fixed order, and an account of what was left out.

The rules, whatever the source: a null or blank reference cannot be scored and is excluded, and so is a row
without audio. A reference that only normalising empties stays, and earns insertions. A row whose audio and
reference both occurred before is a duplicate: kept, as published figures do, or dropped; named in any case.
One with the audio of an earlier row and another reference is kept and named: pieces of long recordings whose
times were not found look so.
Audio that cannot be decoded is found by whoever decodes it. Marks of noise are taken out of references, told
and kept in the metadata: `datasets.tags`.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from evaluation.datasets.audio import content
from evaluation.datasets.drawing import drawn, fingerprint
from evaluation.datasets.pieces import Piece
from evaluation.datasets.tags import TagRule, without_tags
from gigastt_lab.errors import GigasttError
from gigastt_lab.types import AudioWarning

Reason = Literal[
    "no reference",
    "blank reference",
    "no audio",
    "duplicate",
    "same audio, other text",
    "tags dropped",
    "tags only",
]
DuplicateRule = Literal["keep", "drop"]
WITH_TAGS: Final = "reference_with_tags"
"""Column of the metadata with the reference as it stands in the data, where marks were taken out of it."""


class DatasetError(GigasttError):
    """A dataset that cannot be opened or read on: what was asked for, where it broke, what to do."""


@dataclass(frozen=True)
class Utterance:
    """One piece of speech with its reference text.

    Attributes:
        id: Unique in the dataset and the same in every run, e.g. ``golos-crowd/test/000123``: the row,
            counted from 0 with the excluded ones, or for a folder the path inside it.
        audio: The file, or its encoded content: what `gigastt_lab.audio.reading.decode_audio` takes; or a
            piece of a file. `datasets.audio.decoded` and `datasets.audio.content` take all three.
        reference: Text as in the data, neither null nor blank, without marks of noise (see `datasets.tags`);
            empty where it was such marks alone.
        file_name: Name of the audio file, where the dataset has one.
        speaker: Name or number of the speaker, where the dataset knows.
        session: Recording that it is part of, where the dataset knows.
        duration_s: Seconds of audio as the dataset states them; not checked.
        metadata: What else the dataset says of it, by column: source, city, device, ...
        warnings: Warnings of audio that was decoded to make this one: what of it was cut, damaged or missing.
    """

    id: str
    audio: Path | Piece | bytes = field(repr=False)
    reference: str
    file_name: str | None = None
    speaker: str | None = None
    session: str | None = None
    duration_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[AudioWarning, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A row out of the ordinary.

    Attributes:
        id: Id that the row has, or would have, as an utterance.
        reason: What is out of the ordinary.
        excluded: True if it was left out; else it was kept, by rule.
        same_as: Id of the first utterance with this audio, if this is a duplicate, or has another text.
    """

    id: str
    reason: Reason
    excluded: bool
    same_as: str | None = None


@dataclass(frozen=True)
class Row:
    """Row of a source, before the rules. The other fields are those of `Utterance`.

    Attributes:
        number: Number of the row, from 0.
        key: Part of the id that tells the row from others.
    """

    number: int
    key: str
    audio: Path | Piece | bytes | None = field(repr=False)
    reference: str | None
    file_name: str | None = None
    speaker: str | None = None
    session: str | None = None
    duration_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Source of rows: a manifest, a folder, a stream."""

    def count(self) -> int:
        """Number of rows. Raises `DatasetError` where that takes reading them all."""

    def rows(self, wanted: frozenset[int] | None) -> Generator[Row, None, None]:
        """The rows in order, or those with a wanted number.

        Raises `DatasetError` where reading breaks off. Closed where the reader stops early.
        """


class Utterances(Protocol):
    """Dataset as a run needs it; `Dataset` is one, and says what the attributes are."""

    name: str
    revision: str
    description: str
    drawing: dict[str, Any]

    @property
    def n_expected(self) -> int | None:
        """About how many utterances there will be."""

    @property
    def n_rows(self) -> int:
        """Rows read by the latest iteration, so far."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of the latest iteration, so far."""

    def __iter__(self) -> Iterator[Utterance]:
        """The utterances, anew each time, in the same order."""


class Derived:
    """Base of a dataset that is made of another one: what it has from that.

    Attributes:
        revision: Revision of the other one.
    """

    def __init__(self, dataset: Utterances) -> None:
        self._dataset = dataset
        self.revision = dataset.revision

    @property
    def n_rows(self) -> int:
        """Rows of the other one, read by the latest iteration so far."""
        return self._dataset.n_rows

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of the latest iteration of the other one, so far."""
        return self._dataset.findings


class Dataset:
    """Utterances in a fixed order. Iterate over it, as often as wanted; each time it is read anew.

    Attributes:
        name: The first part of every id.
        revision: Commit of the Hub's repository, or SHA-256 of the local manifest, texts or shards; that of
            manifests and folders with a digest of the audio files' names and sizes.
        description: Line for a report: what was read, which part of it, and by which rule.
        drawing: The same for machines: limit, sample, seed (None without a sample) and duplicates; tags and
            strict_audio where they are not as usual.
    """

    def __init__(
        self,
        source: Source,
        *,
        name: str,
        prefix: str,
        revision: str,
        description: str,
        limit: int | None = None,
        sample: int | None = None,
        seed: int = 0,
        duplicates: DuplicateRule = "keep",
        tags: TagRule = "drop",
        strict_audio: bool = False,
    ) -> None:
        """Use `open_dataset`.

        Raises:
            ValueError: `limit` or `sample` below 1, or another rule than the two.
        """
        for option, value in (("limit", limit), ("sample", sample)):
            if value is not None and value < 1:
                raise ValueError(f"{option} is {value}; give a number above 0, or None for all")
        if duplicates not in {"keep", "drop"}:
            raise ValueError(f'duplicates is {duplicates!r}; allowed are "keep" and "drop"')
        if tags not in {"keep", "drop"}:
            raise ValueError(f'tags is {tags!r}; allowed are "drop" and "keep"')
        self.name = name
        self.revision = revision
        parts = [description]
        parts += [] if sample is None else [f"{sample} rows drawn with seed {seed}"]
        parts += [] if limit is None else [f"the first {limit} utterances"]
        parts += [f"duplicates {'kept' if duplicates == 'keep' else 'dropped'}"]
        self.description = ", ".join([*parts, *(["cut or damaged audio refused"] if strict_audio else [])])
        # without a sample the seed draws nothing: it must not make two runs differ
        drawn_with = None if sample is None else seed
        self.drawing = {"limit": limit, "sample": sample, "seed": drawn_with, "duplicates": duplicates}
        if tags != "drop":  # the usual rule is not named: older records would be another drawing's
            self.drawing["tags"] = tags
        if strict_audio:
            self.drawing["strict_audio"] = True
        self._source = source
        self._prefix = prefix
        self._limit = limit
        self._sample = sample
        self._seed = seed
        self._duplicates = duplicates
        self._tags = tags
        self._findings: list[Finding] = []
        self._n_rows = 0

    @property
    def n_expected(self) -> int | None:
        """About how many utterances to expect, exclusions counted in; None where that takes reading them."""
        wanted = [number for number in (self._limit, self._sample) if number is not None]
        if wanted:
            return min(wanted)  # of a set with fewer, it is too many: asking costs requests
        try:
            return self._source.count()
        except DatasetError:
            return None

    @property
    def n_rows(self) -> int:
        """Rows read by the latest iteration, so far: utterances and exclusions."""
        return self._n_rows

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of the latest iteration, so far: exclusions, and duplicates that were kept."""
        return tuple(self._findings)

    @property
    def exclusions(self) -> tuple[Finding, ...]:
        """Rows that the latest iteration left out, so far."""
        return tuple(finding for finding in self._findings if finding.excluded)

    def __iter__(self) -> Iterator[Utterance]:
        """The utterances.

        Raises:
            DatasetError: reading breaks off; what came before is good.
        """
        findings: list[Finding] = []
        self._findings = findings
        self._n_rows = 0
        met: dict[bytes, dict[str, str]] = {}
        wanted = None if self._sample is None else drawn(self._source.count(), self._sample, self._seed)
        n_utterances = 0
        with closing(self._source.rows(wanted)) as rows:
            for row in rows:
                self._n_rows += 1
                utterance = self._admitted(row, met, findings)
                if utterance is not None:
                    yield utterance
                    n_utterances += 1
                if n_utterances == self._limit:
                    return

    def _admitted(
        self, row: Row, met: dict[bytes, dict[str, str]], findings: list[Finding]
    ) -> Utterance | None:
        """The row as an utterance, by the rules; `met`: ids of rows before, by audio and reference."""
        own_id = f"{self._prefix}/{row.key}"
        if row.reference is None:
            findings.append(Finding(own_id, "no reference", excluded=True))
        elif not row.reference.strip():
            findings.append(Finding(own_id, "blank reference", excluded=True))
        elif row.audio is None:
            findings.append(Finding(own_id, "no audio", excluded=True))
        else:
            of_audio = met.setdefault(fingerprint(own_id, row.audio), {})
            first_id = of_audio.get(row.reference)
            drop = first_id is not None and self._duplicates == "drop"
            if first_id is not None:
                findings.append(Finding(own_id, "duplicate", excluded=drop, same_as=first_id))
            elif of_audio:
                other = next(iter(of_audio.values()))
                findings.append(Finding(own_id, "same audio, other text", excluded=False, same_as=other))
            of_audio.setdefault(row.reference, own_id)
            if not drop:
                return self._utterance(own_id, row, row.audio, row.reference, findings)
        return None

    def _utterance(
        self, own_id: str, row: Row, audio: Path | Piece | bytes, reference: str, findings: list[Finding]
    ) -> Utterance:
        metadata = row.metadata
        if self._tags == "drop" and (spoken := without_tags(reference)) != reference:
            findings.append(Finding(own_id, "tags dropped" if spoken else "tags only", excluded=False))
            metadata = {**metadata, WITH_TAGS: reference}
            reference = spoken
        fields = (row.file_name, row.speaker, row.session, row.duration_s, metadata)
        return Utterance(own_id, audio, reference, *fields)


def audio_of(dataset: Iterable[Utterance], ids: Collection[str]) -> dict[str, bytes]:
    """Encoded audio of some utterances, by id: reads the dataset until all are found; those that it has."""
    wanted, found = set(ids), {}
    for utterance in dataset if wanted else ():
        if utterance.id in wanted:
            audio = content(utterance.audio)
            found[utterance.id] = audio if isinstance(audio, bytes) else audio.read_bytes()
            if len(found) == len(wanted):
                break
    return found
