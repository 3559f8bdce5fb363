"""One reading of a dataset for several runs that go through it side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from typing import Any

from evaluation.datasets.utterances import DatasetError, Finding, Utterance, Utterances


class SharedReading:
    """Dataset that is read once for several readers, each of which gets all of it.

    What some readers have and others have not yet waits in memory, so that they should go side by side.
    """

    def __init__(self, dataset: Utterances, n_readers: int) -> None:
        """Read nothing yet."""
        self.readers = [Reader(dataset, self) for _ in range(n_readers)]
        self._dataset = dataset
        self._source: Iterator[Utterance] | None = None
        self._broken: DatasetError | None = None

    def advance(self) -> bool:
        """Hand the next utterance to every reader; False at the end.

        Raises:
            DatasetError: reading broke off; each reader is told.
        """
        if self._broken is not None:
            raise self._broken
        if self._source is None:
            self._source = iter(self._dataset)
        try:
            utterance = next(self._source)
        except StopIteration:
            return False
        except DatasetError as error:
            self._broken = error
            raise
        for reader in self.readers:
            reader.take(utterance)
        return True

    def close(self) -> None:
        """Read no more: files and connections of the dataset are freed."""
        for reader in self.readers:
            reader.close()
        if isinstance(self._source, Generator):
            self._source.close()


class Reader:
    """Dataset as one of the runs sees it: `Utterances`, to be iterated over once.

    Attributes:
        name, revision, description, drawing: Those of the dataset.
    """

    def __init__(self, dataset: Utterances, reading: SharedReading) -> None:
        """Made by `SharedReading`."""
        self.name: str = dataset.name
        self.revision: str = dataset.revision
        self.description: str = dataset.description
        self.drawing: dict[str, Any] = dataset.drawing
        self._dataset = dataset
        self._reading = reading
        self._waiting: deque[Utterance] = deque()
        self._is_open = True

    @property
    def n_expected(self) -> int | None:
        """About how many utterances there will be."""
        return self._dataset.n_expected

    @property
    def n_rows(self) -> int:
        """Rows read so far, for all readers."""
        return self._dataset.n_rows

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings so far, for all readers."""
        return self._dataset.findings

    def take(self, utterance: Utterance) -> None:
        """Keep an utterance until this reader is asked for it."""
        if self._is_open:
            self._waiting.append(utterance)

    def close(self) -> None:
        """Keep nothing any more: this run has ended."""
        self._is_open = False
        self._waiting.clear()

    def __iter__(self) -> Iterator[Utterance]:
        """The utterances.

        Raises:
            DatasetError: reading broke off; what came before is good.
        """
        while self._waiting or self._reading.advance():
            yield self._waiting.popleft()
