"""Texts in plots: names of systems, words, values of columns, drawn as they are whatever they contain.

Matplotlib reads ``$...$`` as a formula, and ends where it is none; drops what begins with an underscore from
legends; warns of letters that its font lacks; gives way to lines and lengths that leave no room for the plot.
Two functions keep texts from all that: `shown` where a text goes in, and `drawing` around each plot.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Final, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text

_MOST_LETTERS: Final = 40  # of a name: more leave no room for what it names
_NO_GLYPH: Final = "□"
_NOTHING: Final = "–"
_HAIR_SPACE: Final = "\u200a"  # before an underscore: what begins with one is not in legends

Parameters = ParamSpec("Parameters")
Drawn = TypeVar("Drawn", Axes, tuple[Axes, Axes])


def drawing(function: Callable[Parameters, Drawn]) -> Callable[Parameters, Drawn]:
    """Decorator of a plot: none of its texts is read as a formula, now or when it is drawn."""

    @wraps(function)
    def plain(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Drawn:
        with mpl.rc_context({"text.parse_math": False}):
            found = function(*args, **kwargs)
        without_formulas(found if isinstance(found, tuple) else (found,))
        return found

    return plain


def without_formulas(artists: Iterable[Artist]) -> None:
    """Have no text of these artists read as a formula."""
    for artist in artists:
        for text in artist.findobj(Text):
            assert isinstance(text, Text)
            text.set_parse_math(False)


def shown(text: object, *, most: int = _MOST_LETTERS) -> str:
    r"""A text as labels, ticks and legends show it: one line, of letters that the font has, not too long.

    A long one loses its middle: names of systems differ at their ends.

    >>> shown("one\ntwo\0"), shown(""), shown("a" * 30 + "b" * 30, most=9)
    ('one two□', '–', 'aaaaa…bbb')
    """
    found = "".join(map(_drawable, " ".join(str(text).split()))) or _NOTHING
    if len(found) > most:
        n_end = (most - 1) * 2 // 5
        found = f"{found[: most - 1 - n_end]}…{found[len(found) - n_end :]}"
    return _HAIR_SPACE + found if found.startswith("_") else found


def _drawable(letter: str) -> str:
    """The letter; a box where the font has no glyph, nothing for marks that join or turn others."""
    kind = unicodedata.category(letter)
    known = ord(letter) in _glyphs(tuple(mpl.rcParams["font.family"]))
    if kind == "Cf" or (kind == "Mn" and not known):
        return ""
    return letter if known and kind != "Cc" else _NO_GLYPH


@cache
def _glyphs(family: tuple[str, ...]) -> frozenset[int]:
    """Code points that the font of plots has."""
    return frozenset(get_font(findfont(FontProperties(family=list(family)))).get_charmap())
