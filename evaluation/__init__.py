"""From texts, or from a dataset and a few systems, to numbers that can be trusted: what notebooks call.

>>> import evaluation
>>> evaluation.wer(["включи свет", "сделай громче"], ["включи свет", "сделай погромче"]).wer.rate
0.25
>>> evaluation.evaluate("demo", "demo")  # a model, a dataset: a score with intervals  # doctest: +SKIP

docs/python.md shows all of it on one page.
"""

from typing import TYPE_CHECKING

from gigastt_lab import moved
from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from evaluation import plots as plots
    from evaluation import records as records
    from evaluation.beyond import breakdowns as breakdowns
    from evaluation.datasets.named import open_dataset as open_dataset
    from evaluation.datasets.noise import Noisy as Noisy
    from evaluation.datasets.utterances import audio_of as audio_of
    from evaluation.quick.systems import evaluate as evaluate
    from evaluation.quick.texts import wer as wer
    from evaluation.report.report import differing_page as differing_page
    from evaluation.report.report import worst_page as worst_page
    from evaluation.report.report import write_report as write_report
    from evaluation.run.on_demand import recorded as recorded
    from evaluation.scoring.compare import compare as compare
    from evaluation.scoring.scores import profiles as profiles
    from evaluation.scoring.scores import rules as rules
    from evaluation.scoring.scores import score as score
    from evaluation.scoring.scores import summarize as summarize
    from evaluation.show import tables as tables
    from evaluation.show.notebook import shown as shown
    from evaluation.systems.registry import SystemSpec as SystemSpec
    from evaluation.systems.registry import load_system as load_system

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "Noisy": "datasets.noise:Noisy",
        "SystemSpec": "systems.registry:SystemSpec",
        "audio_of": "datasets.utterances:audio_of",
        "breakdowns": "beyond.breakdowns",
        "compare": "scoring.compare:compare",
        "differing_page": "report.report:differing_page",
        "evaluate": "quick.systems:evaluate",
        "load_system": "systems.registry:load_system",
        "open_dataset": "datasets.named:open_dataset",
        "plots": "plots",
        "profiles": "scoring.scores:profiles",
        "recorded": "run.on_demand:recorded",
        "records": "records",
        "rules": "scoring.scores:rules",
        "score": "scoring.scores:score",
        "shown": "show.notebook:shown",
        "summarize": "scoring.scores:summarize",
        "tables": "show.tables",
        "wer": "quick.texts:wer",
        "worst_page": "report.report:worst_page",
        "write_report": "report.report:write_report",
    },
)

moved.install()
