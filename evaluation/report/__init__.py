"""Reports of record files: one HTML page that needs nothing else, and Markdown.

Lives here: parts of a report, its sections, and the two ways to write them.
May import: `plots`, `scoring`, `records`, `normalize`, `show`.
Public: `write_report`, `worst_page`, `differing_page`.
"""

from typing import TYPE_CHECKING

from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from evaluation.report.report import differing_page as differing_page
    from evaluation.report.report import worst_page as worst_page
    from evaluation.report.report import write_report as write_report

# Parts of a report need no plots.
__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "differing_page": "report:differing_page",
        "worst_page": "report:worst_page",
        "write_report": "report:write_report",
    },
    was="report",
)
