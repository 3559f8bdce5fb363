"""Study of speed, memory and start-up, behind `eval speed`: the engine and its peers side by side.

Lives here: contestants in processes of their own, rounds, sections, tables, plots, the machine's own limit.
May import: `plots`, `scoring`, `systems`, `records`, `datasets` (audio), `show`.
Public: `measure`, `Plan`, `load` (a ``speed.json``), `here`, `plots`.
"""

from typing import TYPE_CHECKING

from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from evaluation.speed_study import plots as plots
    from evaluation.speed_study.benchmark import measure as measure
    from evaluation.speed_study.reading import here as here
    from evaluation.speed_study.reading import load as load
    from evaluation.speed_study.results import Plan as Plan

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "Plan": "results:Plan",
        "here": "reading:here",
        "load": "reading:load",
        "measure": "benchmark:measure",
        "plots": "plots",
    },
)
