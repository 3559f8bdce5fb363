"""Load of the machine while a system was timed, as record files keep it; `run.monitor` takes it down.

What a system does not tell, or a container hides, is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

_OTHERS_SHARE: Final = 0.1  # of the processors; from there on, times say as much of the others
_OVERLOAD_SHARE: Final = 0.5  # of the processors; even systems that take turns do not compare then
_STOLEN_SHARE: Final = 0.02
_WAITING_SHARE: Final = 0.02  # of the time, for memory or for a container's quota
_SLOWED: Final = 0.85  # of the highest clock rate seen


@dataclass(frozen=True, kw_only=True)
class Load:
    """Load of the machine from the start to the end of a run, from samples every few seconds.

    Attributes:
        seconds: Seconds from the first sample to the last.
        n_samples: Number of samples.
        n_utterances: Utterances that were taken meanwhile; of a run that was gone on with, those of its last
            part alone.
        cores: Logical processors of the machine.
        usable_cores: Those that this process may use.
        load_before: Load average of one minute at the start.
        load_mean, load_highest: Load average of one minute, mean and highest of the samples; the system's own
            threads count in it.
        own_cpus: Processors that this process kept busy, on average; a server's work is not in it.
        other_cpus: Processors that all other processes kept busy, on average; None where a server took part,
            whose work cannot be told from theirs.
        stolen_cpus: Processors that the host of a virtual machine took away, on average.
        cpu_waiting: Share of the time in which something waited for a processor (pressure stall information).
        memory_waiting: Share of the time in which something waited for memory.
        quota_waiting: Share of the time in which the container's quota held this process back.
        mhz_lowest, mhz_highest: Clock rate of the fastest processor, lowest and highest of the samples.
        available_gib: Least memory that was available, GiB.
        swapped_mib: What was read back from swap, MiB.
    """

    seconds: float
    n_samples: int
    n_utterances: int | None = None
    cores: int | None = None
    usable_cores: int | None = None
    load_before: float | None = None
    load_mean: float | None = None
    load_highest: float | None = None
    own_cpus: float | None = None
    other_cpus: float | None = None
    stolen_cpus: float | None = None
    cpu_waiting: float | None = None
    memory_waiting: float | None = None
    quota_waiting: float | None = None
    mhz_lowest: float | None = None
    mhz_highest: float | None = None
    available_gib: float | None = None
    swapped_mib: float | None = None

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Load:
        """The load from a record file; what a later version wrote beside it is passed over."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in content.items() if name in known})

    def to_text(self) -> str:
        """Load average and processors, short enough for a cell; "" where it is not known.

        >>> Load(seconds=60, n_samples=9, cores=2, load_mean=3.8, other_cpus=1.3).to_text()
        'load 3.8 on 2 cores, others 1.3'
        """
        if self.load_mean is None:
            return ""
        on = "" if self.cores is None else f" on {self.cores} core{'' if self.cores == 1 else 's'}"
        others = "" if self.other_cpus is None else f", others {self.other_cpus:.1f}"
        return f"load {self.load_mean:.1f}{on}{others}"

    @property
    def is_overloaded(self) -> bool:
        """True if other processes kept half of the cores busy, or more: no times compare then."""
        others, usable = self._others_here()
        return others is not None and others >= _OVERLOAD_SHARE * usable

    def disturbances(self) -> list[str]:
        """Reasons to doubt the times of this run, each in words; [] where none is known."""
        others, usable = self._others_here()
        cores, found = self.cores or 1, []
        if others is not None and others >= _OTHERS_SHARE * usable:
            average = "" if self.load_mean is None else f"load {self.load_mean:.1f} on {cores} cores, "
            found.append(f"{average}other processes kept {self.other_cpus:.1f} cores busy")
        if self.stolen_cpus is not None and self.stolen_cpus >= _STOLEN_SHARE * usable:
            found.append(f"the host took {self.stolen_cpus:.2f} cores away")
        if self.quota_waiting is not None and self.quota_waiting >= _WAITING_SHARE:
            found.append(
                f"the container's CPU quota held it back {100 * self.quota_waiting:.0f} % of the time"
            )
        if self.memory_waiting is not None and self.memory_waiting >= _WAITING_SHARE:
            found.append(f"memory was short {100 * self.memory_waiting:.0f} % of the time")
        if self.swapped_mib is not None and self.swapped_mib >= 1:
            found.append(f"{self.swapped_mib:.0f} MiB came back from swap")
        if self.mhz_lowest is not None and self.mhz_lowest < _SLOWED * (self.mhz_highest or 0):
            found.append(f"the clock rate went from {self.mhz_highest:.0f} down to {self.mhz_lowest:.0f} MHz")
        return found

    def _others_here(self) -> tuple[float | None, int]:
        """Processors that others kept busy of those that this process may use, and how many these are."""
        cores = self.cores or 1
        usable = min(self.usable_cores or cores, cores)
        # A container's neighbours on other cores of the host are no matter.
        return None if self.other_cpus is None else self.other_cpus - (cores - usable), usable
