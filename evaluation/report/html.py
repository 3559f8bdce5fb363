"""A report as one HTML page that needs nothing else: no network, no script, no font, no other file."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from importlib.resources import files

from evaluation.plots import FAINT, INK
from evaluation.records.naming import safe_name
from evaluation.report.alignment import GAP, LEGEND, alignment_html
from evaluation.report.parts import (
    Card,
    Folded,
    Heard,
    Paragraph,
    Part,
    Plot,
    Report,
    Row,
    Section,
    Table,
    Tile,
)
from evaluation.scoring.metrics import ChunkKind
from evaluation.show.display import as_html, harmless, render_html

# Nothing is fetched, whatever a text may contain; pictures and audio are inside the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"

# First bytes of encoded audio: offset, bytes, media type.
_AUDIO_TYPES = (
    (8, b"WAVE", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (4, b"ftyp", "audio/mp4"),
    (0, b"\x1aE\xdf\xa3", "audio/webm"),
)


def to_html(report: Report) -> str:
    """The page; every text in it is escaped."""
    style = files("evaluation.report").joinpath("report.css").read_text(encoding="utf-8")
    warnings = "".join(f'<p class="warning">{_text(warning)}</p>' for warning in report.warnings)
    listed = [one for one in report.sections if one.listed]
    links = _join(f'<a href="#{one.anchor}">{_text(one.title)}</a>' for one in listed)
    navigation = f"<nav>{links}</nav>" if len(listed) > 1 else ""
    # The marks are explained where they first occur.
    first = next((one for one in report.sections if any(isinstance(part, Card) for part in one.parts)), None)
    page = "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{_text(report.title)}</title><style>{style}</style></head><body>",
            f'<header><h1>{_text(report.title)}</h1><p class="headline">{_text(report.headline)}</p>',
            f'{warnings}<div class="tiles">{_join(map(_tile, report.tiles))}</div></header>',
            f"{navigation}<main>",
            *(_section(one, legend=_legend() if one is first else "") for one in report.sections),
            "</main></body></html>\n",
        ]
    )
    return harmless(page)


def audio_type(content: bytes) -> str | None:
    """Media type of encoded audio; None for a container that browsers cannot play."""
    for offset, beginning, name in _AUDIO_TYPES:
        if content[offset : offset + len(beginning)] == beginning:
            return name
    return None


def _tile(tile: Tile) -> str:
    beneath = _join(f"<small>{_text(line)}</small>" for line in tile.beneath)
    return f'<div class="tile"><b>{_text(tile.name)}</b><strong>{_text(tile.value)}</strong>{beneath}</div>'


def _section(section: Section, *, legend: str) -> str:
    parts = "\n".join(map(_part, section.parts))
    return f'<section id="{section.anchor}"><h2>{_text(section.title)}</h2>{legend}{parts}</section>'


def _part(part: Part) -> str:
    match part:
        case Paragraph(text, note):
            return f"<p{' class=note' if note else ''}>{_text(text)}</p>"
        case Table(content, caption):
            title = f"<figcaption>{_text(caption)}</figcaption>" if caption else ""
            table = render_html(content, small_ends=True)
            return f'<figure class="table">{title}<div class="scroll">{table}</div></figure>'
        case Plot():
            return _plot(part)
        case Folded(title, rows, unfolded):
            lines = _join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in rows)
            is_open = " open" if unfolded else ""
            return f"<details{is_open}><summary>{_text(title)}</summary><dl>{lines}</dl></details>"
        case Row(parts):
            return f'<div class="row">{_join(map(_part, parts))}</div>'
        case Card():
            return _card(part)


def _plot(plot: Plot) -> str:
    """The drawing inside the page: names made unique, ink and grid in the page's colours, light or dark."""
    svg = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", plot.svg).replace("xlink:href", "href")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{safe_name(plot.name)}-", svg)
    svg = svg.replace(INK, "var(--ink)").replace(FAINT, "var(--faint)")
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{_text(plot.caption)}" ', 1)
    caption = f"<figcaption>{_text(plot.caption)}</figcaption>"
    return f'<figure class="plot">{caption}{svg}</figure>'


def _card(card: Card) -> str:
    player = ""
    kind = card.audio and audio_type(card.audio)
    if card.audio and kind:
        data = base64.b64encode(card.audio).decode()
        player = f'<audio controls preload="metadata" src="data:{kind};base64,{data}"></audio>'
    head = f"<header><code>{_text(card.id)}</code><small>{_text(card.about)}</small></header>{player}"
    written = f'<p class="written"><b>reference</b> <span lang="ru">{_text(card.reference)}</span></p>'
    return f'<article class="card">{head}{written}{_join(map(_heard, card.heard))}</article>'


def _heard(heard: Heard) -> str:
    written = ""
    if heard.written is not None:
        written = f'<p class="written"><b>written</b> <span lang="ru">{_text(heard.written)}</span></p>'
    title = f'<p class="system"><b>{_text(heard.system)}</b> <small>{_text(heard.outcome)}</small></p>'
    return f'<div class="heard">{title}{alignment_html(heard.chunks)}{written}</div>'


def _legend() -> str:
    words: dict[ChunkKind, tuple[str, str]] = {
        "substitute": ("свет", "цвет"),
        "delete": ("свет", GAP),
        "insert": (GAP, "свет"),
    }
    marks = _join(
        f'<span class="pair {kind}"><span>{ref}</span><span>{hyp}</span></span> {LEGEND[kind]}'
        for kind, (ref, hyp) in words.items()
    )
    return f'<p class="legend">Reference above, hypothesis below, both normalised: {marks}</p>'


def _text(text: str) -> str:
    return as_html(text)


def _join(texts: Iterable[str]) -> str:
    return "".join(texts)
