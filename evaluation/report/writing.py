"""A report on disk: the page, the text with its drawings; in a notebook it shows itself."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from evaluation.report.html import to_html
from evaluation.report.markdown import to_markdown
from evaluation.report.parts import Report
from evaluation.show.notebook import framed, page_frame


class ReportFiles(NamedTuple):
    """Paths of a written report; a notebook shows the page itself.

    Attributes:
        page: HTML page that needs nothing else.
        text: Markdown text, drawings beside it.
    """

    page: Path
    text: Path

    def _repr_html_(self) -> str:
        try:
            content = self.page.read_text(encoding="utf-8")
        except OSError as error:
            return framed(f"{self.page} cannot be read ({error.strerror or error})")
        return framed(str(self.page)) + page_frame(content, height_px=700)


def write_files(report: Report, directory: Path, name: str) -> ReportFiles:
    """Write ``NAME.html``, ``NAME.md`` and its drawings; the directory is made if it is not there."""
    text, figures = to_markdown(report)
    paths = ReportFiles(directory / f"{name}.html", directory / f"{name}.md")
    contents = {paths.page: to_html(report), paths.text: text}
    contents |= {directory / figure: svg for figure, svg in figures.items()}
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", errors="backslashreplace")  # a lone surrogate
    return paths
