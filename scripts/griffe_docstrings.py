"""Griffe extension for the documentation's site: docstrings as Markdown reads them.

Doctests stand in them without a fence, where Markdown would take ``>>>`` for quotations; and what a room's
docstring says line by line would run together.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_DOCTEST = re.compile(r"^(?P<indent> *)>>> .*\n?(?:^(?P=indent)\S.*\n?)*", re.MULTILINE)
_NEXT_LINE_OF_ROOM = re.compile(r"\n(?=(?:May import|Public): )")


class Docstrings(griffe.Extension):
    """Rewrites every docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of one module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(docstring: str) -> str:
    r"""The docstring with each doctest in a fence, and each line about a room in a paragraph of its own.

    >>> as_markdown("Sum.\n\n>>> 1 + 1\n2")
    'Sum.\n\n```pycon\n>>> 1 + 1\n2\n```'
    """

    def fence(match: re.Match[str]) -> str:
        code = match[0].rstrip("\n").replace("  # doctest: +SKIP", "")
        return f"{match['indent']}```pycon\n{code}\n{match['indent']}```\n"

    return _NEXT_LINE_OF_ROOM.sub("\n\n", _DOCTEST.sub(fence, docstring).rstrip("\n"))
