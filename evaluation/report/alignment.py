"""One alignment as people read it: reference above hypothesis, word by word, errors marked.

In HTML an error has a colour and a shape of its own, so that it is seen without the colour too; in plain
text it has a letter: S, D, I.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from evaluation.scoring.metrics import Chunk, ChunkKind

GAP = "∅"
"""Stands where one side has no word."""

LEGEND: dict[ChunkKind, str] = {"substitute": "substituted", "delete": "deleted", "insert": "inserted"}

_LETTERS: dict[ChunkKind, str] = {"equal": "", "substitute": "S", "delete": "D", "insert": "I"}


def alignment_html(chunks: Sequence[Chunk]) -> str:
    """The alignment as inline blocks, each a reference word above its hypothesis word; texts escaped.

    Classes: `pair` and, where they differ, `substitute`, `delete` or `insert`. What a screen reader says of
    an error stands in its `title`.
    """
    blocks = []
    for kind, ref, hyp in _pairs(chunks):
        marks = f' {kind}" title="{LEGEND[kind]}' if kind in LEGEND else ""
        upper, lower = html.escape(ref or GAP), html.escape(hyp or GAP)
        blocks.append(f'<span class="pair{marks}"><span>{upper}</span><span>{lower}</span></span>')
    return f'<div class="alignment" lang="ru">{" ".join(blocks)}</div>'


def alignment_text(chunks: Sequence[Chunk], *, indent: str = "") -> str:
    """The alignment in three lines of equally wide columns.

    >>> from evaluation.scoring.metrics import alignment
    >>> print(alignment_text(alignment("включи свет в зале да", "включить свет зале да же")))
    ref  включи   свет в зале да ∅
    hyp  включить свет ∅ зале да же
         S             D         I
    """
    lines = ["ref ", "hyp ", "    "]
    for kind, ref, hyp in _pairs(chunks):
        cells = (ref or GAP, hyp or GAP, _LETTERS[kind])
        width = max(map(len, cells)) + 1
        lines = [f"{line} {cell.ljust(width - 1)}" for line, cell in zip(lines, cells, strict=True)]
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def _pairs(chunks: Sequence[Chunk]) -> Iterator[tuple[ChunkKind, str, str]]:
    for chunk in chunks:
        for index in range(max(len(chunk.reference), len(chunk.hypothesis))):
            ref = chunk.reference[index] if chunk.reference else ""
            hyp = chunk.hypothesis[index] if chunk.hypothesis else ""
            yield chunk.kind, ref, hyp
