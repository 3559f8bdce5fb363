"""Progress of a run: a bar where somebody watches, else a line in the log now and then."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Iterable
from typing import Final

from tqdm import tqdm

from evaluation.normalize import normalize
from evaluation.records.files import Record
from evaluation.scoring.metrics import Counts, word_counts

logger = logging.getLogger(__name__)

_LOG_INTERVAL_S: Final = 60.0


def is_watched() -> bool:
    """True where somebody watches stderr: on a terminal, and below a notebook's cell."""
    return sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel.")


class Progress:
    """Utterances done, time left, and the rates so far. A context manager.

    The word error rate is that of the default profile over what is recorded, a failure being all words
    deleted; a rough guide while the run lasts, since an interval and the other profiles are the report's.
    """

    def __init__(self, name: str, total: int | None, before: Iterable[Record], *, show: bool) -> None:
        """Begin.

        Args:
            name: Name of the system.
            total: Utterances in all, as far as is known.
            before: Records of earlier runs.
            show: True for a bar, if stderr is a terminal or a notebook's.
        """
        self._name = name
        self._total = total
        self._counts = Counts()
        self._n_done = self._n_failed = 0
        self._audio_s = self._work_s = 0.0
        for record in before:
            self._count(record)
        self._n_before = self._n_done
        self._started = self._logged = time.monotonic()
        self._bar = tqdm(
            total=total,
            initial=self._n_done,
            desc=name,
            unit="utt",
            dynamic_ncols=True,
            disable=not (show and is_watched()),
        )

    def add(self, records: Iterable[Record]) -> None:
        """Take in what was just done."""
        n_before = self._n_done
        for record in records:
            self._count(record)
        self._bar.set_postfix_str(self._rates(), refresh=False)
        self._bar.update(self._n_done - n_before)
        if self._bar.disable and time.monotonic() - self._logged > _LOG_INTERVAL_S:
            self._logged = time.monotonic()
            total = "?" if self._total is None else self._total
            logger.info(
                "%s: %d of %s utterances, %s%s", self._name, self._n_done, total, self._rates(), self._left()
            )

    def finish(self) -> None:
        """All are done, be they as many as expected or not."""
        self._bar.total = self._n_done
        self._bar.refresh()
        logger.info("%s: %d utterances, %s", self._name, self._n_done, self._rates())

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def _rates(self) -> str:
        """WER, RTFx (seconds of audio per second of work) and failures so far."""
        wer, parts = self._counts.rate, []
        if not math.isnan(wer):
            parts.append(f"WER {wer:.1%}")
        if self._work_s > 0:
            parts.append(f"RTFx {self._audio_s / self._work_s:.1f}")
        return ", ".join([*parts, f"{self._n_failed} failed"])

    def _count(self, record: Record) -> None:
        self._counts += word_counts(normalize(record.reference), normalize(record.hypothesis or ""))
        self._n_done += 1
        self._n_failed += record.error is not None
        if record.audio_s is not None and record.work_s is not None:
            self._audio_s += record.audio_s
            self._work_s += record.work_s

    def _left(self) -> str:
        """Time left, at the pace of this run."""
        n_now = self._n_done - self._n_before
        if self._total is None or not n_now:
            return ""
        left_s = (time.monotonic() - self._started) / n_now * max(0, self._total - self._n_done)
        return f", about {tqdm.format_interval(left_s)} left"
