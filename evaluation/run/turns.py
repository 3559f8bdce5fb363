"""A run that is taken a step at a time: its options, what it shares with others, how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from evaluation.run.monitor import LoadMonitor


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of a run.

    Attributes:
        fresh: True to begin anew, whatever is recorded.
        retry_failed: True to take utterances again that failed.
        show_progress: True for a bar, if stderr is a terminal.
        command: The command line, for the header.
        window: Batches in a window.
    """

    fresh: bool = False
    retry_failed: bool = False
    show_progress: bool = True
    command: str = ""
    window: int = 16


@dataclass
class Turns:
    """Turns that a run shares with others; one of its own where it has the machine to itself.

    Attributes:
        monitor: Monitor of the machine's load.
        round: Name of the round that is on, for the records; None outside of rounds.
    """

    monitor: LoadMonitor = field(default_factory=LoadMonitor)
    round: str | None = None


@dataclass(frozen=True)
class Step:
    """Place of a run after a step; before the first batch, when only its file is open, all are 0.

    Attributes:
        n_passed: Utterances of the dataset that are recorded, by this run or an earlier one.
        n_new: Those of this step that this run took.
        batch_size: Utterances that the system takes at once.
        window_size: Utterances in a window: at its end, all utterances up to there are recorded.
    """

    n_passed: int = 0
    n_new: int = 0
    batch_size: int = 0
    window_size: int = 0
