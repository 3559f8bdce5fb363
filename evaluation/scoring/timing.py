"""Conditions under which times were taken, in words, and what they allow to say: order, batches, load.

Times of two systems compare where both ran on one machine and took turns (`run.interleaved`): then whatever
else the machine did fell on both. Of systems that ran one after the other, nothing is said of their speeds:
the same command gave ratios from 0.64 to 1.50 on a machine with other work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from evaluation.records.files import RecordFile
from evaluation.records.machine import lasting
from evaluation.records.machine_load import Load
from evaluation.scoring.latency import FEWEST_ROUNDS, SpeedRatio, is_timed
from evaluation.show.display import count, counted, decimal, estimate

_NEARLY_ALL: Final = 0.9


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Conditions under which a system was timed; None for what the record file does not say.

    Attributes:
        n_rounds: Rounds in which it took turns with others; 0 where it ran on its own.
        share_in_rounds: Share of the timed utterances that these rounds hold.
        batch_size: Utterances at once.
        threads: Threads inside one operator.
        warm_up: What went through it before the clock started.
        load: Load of the machine meanwhile.
        is_ours: False where the records are another program's, which does not say how it took its times.
    """

    n_rounds: int
    share_in_rounds: float
    batch_size: int | None
    threads: int | None
    warm_up: str | None
    load: Load | None
    is_ours: bool

    def to_text(self) -> str:
        """All of it but the load, short enough for a cell.

        >>> Timed(n_rounds=24, share_in_rounds=1.0, batch_size=1, threads=2, warm_up="1 x 2.3 s",
        ...       load=None, is_ours=True).to_text()
        'in turns (24 rounds), one at a time, 2 threads, warmed up'
        """
        if not self.is_ours:
            return "not said"
        parts = ["on its own"]
        if self.n_rounds:
            in_part = "" if self.share_in_rounds >= _NEARLY_ALL else "in part "
            parts = [f"{in_part}in turns ({counted(self.n_rounds, 'round')})"]
        if self.batch_size is not None:
            parts.append("one at a time" if self.batch_size == 1 else f"batches of {self.batch_size}")
        if self.threads is not None:
            parts.append(f"{self.threads} thread{'' if self.threads == 1 else 's'}")
        if self.warm_up is not None:
            parts.append("warmed up")
        return ", ".join(parts)


def how_timed(file: RecordFile) -> Timed:
    """Conditions under which a file's times were taken."""
    info = file.header.system_info
    timed = [record for record in file.records if is_timed(record)]
    rounds = [record.round for record in timed if record.round is not None]
    batch_size, threads = info.get("batch_size"), info.get("threads")
    return Timed(
        n_rounds=len(set(rounds)),
        share_in_rounds=len(rounds) / len(timed) if timed else 0.0,
        batch_size=batch_size if isinstance(batch_size, int) else None,
        threads=threads if isinstance(threads, int) else None,
        warm_up=str(info["warm_up"]) if info.get("warm_up") else None,
        load=file.end.load if file.end is not None else None,
        is_ours=bool(info),
    )


def speed_sentence(
    ratio: SpeedRatio, names: tuple[str, str], files: tuple[RecordFile, RecordFile]
) -> str | None:
    """Statement about the speeds of A and B: the ratio and how it was timed, or why there is none.

    Args:
        ratio: Ratio of their speeds, from `latency.speed_ratio` of the records of both.
        names: Names of A and B.
        files: Their record files.

    Returns:
        A sentence or two; None where one of them states no times.
    """
    if not ratio.n_timed:
        return None
    hindrance = _hindrance(ratio, names, files)
    if hindrance is not None:
        return f"Speed: no statement; {hindrance}."
    one, other, ratio = (*names, ratio) if ratio.ratio >= 1 else (*names[::-1], _turned(ratio))
    size = f"{estimate(ratio.ratio, ratio.low, ratio.high, scale=1)} times as fast as {other}"
    found = f"{one} is {size}, {decimal(ratio.median)} times on the median utterance"
    if ratio.low <= 1 <= ratio.high:
        found = f"no difference was found; {one} is {size}"
    how = f"in turns ({count(ratio.n_rounds)} rounds, {_both(names, files)})"
    return (
        f"Speed: {found}; {counted(ratio.n_timed, 'utterance')} timed {how}. The interval covers other "
        "utterances and what else this machine did meanwhile, not another machine or day."
    )


def timing_cells(file: RecordFile) -> dict[str, str]:
    """Conditions of a file's times for the table of `scoring.scores.summarize`: `how_timed` and `load`."""
    timed = how_timed(file)
    return {"how_timed": timed.to_text(), "load": timed.load.to_text() if timed.load is not None else ""}


def load_warnings(files: Mapping[str, RecordFile]) -> list[str]:
    """Warnings about machines that were busy with other things while systems were timed.

    Args:
        files: Record files by the label of the system.
    """
    reasons: dict[str, list[str]] = {}
    for label, file in files.items():
        if file.end is not None and file.end.load is not None and any(map(is_timed, file.records)):
            disturbances = file.end.load.disturbances()
            if disturbances:
                reasons.setdefault(", ".join(disturbances), []).append(label)
    if not reasons:
        return []
    told = "; ".join(f"{' and '.join(labels)}: {why}" for why, labels in reasons.items())
    return [f"The machine was busy while times were taken, so that RTFx says less than it could ({told})."]


def _turned(ratio: SpeedRatio) -> SpeedRatio:
    """The ratio of B to A."""
    return replace(
        ratio, ratio=1 / ratio.ratio, low=1 / ratio.high, high=1 / ratio.low, median=1 / ratio.median
    )


def _hindrance(ratio: SpeedRatio, names: tuple[str, str], files: tuple[RecordFile, RecordFile]) -> str | None:
    """Reason why the two speeds do not compare; None where they do."""
    foreign = [name for name, file in zip(names, files, strict=True) if not file.header.system_info]
    if foreign:
        return f"it is not known how {' and '.join(foreign)} {'were' if len(foreign) > 1 else 'was'} timed"
    one, other = (lasting(file.header.machine) for file in files)
    if one != other:
        return f"{names[0]} and {names[1]} were timed on different machines"
    if not 0 < ratio.ratio < math.inf:
        return "the times are too short to compare"
    if not ratio.n_rounds:
        return (
            f"{names[0]} and {names[1]} were timed one after the other, and what else the machine did was "
            "not the same for both. One `eval` or `eval run` with both, begun anew, has them take turns"
        )
    if ratio.n_rounds < FEWEST_ROUNDS:
        return (
            f"{names[0]} and {names[1]} took turns in {counted(ratio.n_rounds, 'round')} only, and a "
            f"statement takes {FEWEST_ROUNDS}: take more utterances, or smaller batches"
        )
    return _overload(names, files)


def _overload(names: tuple[str, str], files: tuple[RecordFile, RecordFile]) -> str | None:
    """Reason why times of a machine that others had do not compare; None where they had less than half."""
    loads = [file.end.load for file in files if file.end is not None and file.end.load is not None]
    if (busiest := max(loads, key=lambda load: load.other_cpus or 0, default=None)) and busiest.is_overloaded:
        return (
            f"{names[0]} and {names[1]} took turns, but other processes kept {busiest.other_cpus:.1f} of "
            f"{busiest.cores} cores busy. Run them anew (--fresh) on a machine that is not as busy"
        )
    return None


def _both(names: tuple[str, str], files: tuple[RecordFile, RecordFile]) -> str:
    """Batches and threads of both, once where they are the same."""
    told = []
    for file in files:
        _, *parts = how_timed(file).to_text().split(", ")
        told.append(", ".join(part for part in parts if part != "warmed up"))
    if told[0] == told[1]:
        return told[0] or "batches not stated"
    return "; ".join(f"{name} {text or 'not stated'}" for name, text in zip(names, told, strict=True))
