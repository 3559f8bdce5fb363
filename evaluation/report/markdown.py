"""A report in Markdown, its plots in files beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from evaluation.records.naming import safe_name
from evaluation.report.alignment import alignment_text
from evaluation.report.parts import Card, Folded, Paragraph, Part, Plot, Report, Row, Table
from evaluation.show.display import harmless, markdown, render_markdown

FIGURES = "report_figures"
"""Folder of the plots, beside the report."""


def to_markdown(report: Report) -> tuple[str, Mapping[str, str]]:
    """The text, and the content of the SVG files that it shows, by their paths from where it stands."""
    figures: dict[str, str] = {}
    blocks = [f"# {markdown(report.title)}", markdown(report.headline)]
    blocks += [f"> **Warning:** {markdown(warning)}" for warning in report.warnings]
    for section in report.sections:
        blocks.append(f"## {markdown(section.title)}")
        blocks += [_part(part, figures) for part in section.parts]
    return "\n\n".join(blocks) + "\n", figures


def _part(part: Part, figures: dict[str, str]) -> str:
    match part:
        case Paragraph(text):
            return markdown(text)
        case Table(content, caption):
            title = f"**{markdown(caption)}**\n\n" if caption else ""
            return title + render_markdown(content)
        case Plot(name, svg, caption):
            path = f"{FIGURES}/{safe_name(name)}.svg"
            # Ink is dark, and the page may be too.
            figures[path] = re.sub(
                r"(<svg[^>]*>)", r'\1<rect width="100%" height="100%" fill="#fff"/>', svg, count=1
            )
            return f"![{markdown(caption)}]({path})\n\n*{markdown(caption)}*"
        case Folded(title, rows):
            lines = (f"- **{markdown(name)}:** {markdown(value)}" for name, value in rows)
            return "\n".join([f"**{markdown(title)}**", "", *lines])
        case Row(parts):
            return "\n\n".join(_part(each, figures) for each in parts)
        case Card():
            return _card(part)


def _card(card: Card) -> str:
    lines = [f"reference: {' '.join(card.reference.split())}"]
    for heard in card.heard:
        lines += [
            "",
            f"{' '.join(heard.system.split())}: {heard.outcome}",
            alignment_text(heard.chunks, indent="  "),
        ]
        if heard.written is not None:
            lines.append(f"  written: {' '.join(heard.written.split())}")
    content = harmless("\n".join(lines))
    # Longer than any run of backticks inside.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", content)), default=0))
    return f"**{markdown(card.id)}** ({markdown(card.about)})\n\n{fence}text\n{content}\n{fence}"
