"""Cells of tables in memory as single values; what pandas writes as NaN, NaT or NA is None here."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd


def is_missing(cell: object) -> bool:
    """True for None, and for what pandas has in its place: NaN, NaT and NA."""
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell))


def plain(cell: object) -> Any:
    """A cell as Python's own single value; None for what is missing, and for lists, arrays and content.

    >>> plain(float("nan")), plain(np.int64(3)), plain("да"), plain([1, 2])
    (None, 3, 'да', None)
    """
    if isinstance(cell, np.generic):
        cell = cell.item()
    if is_missing(cell):
        return None
    if isinstance(cell, str):
        return str(cell)  # of numpy's own kind of string, Python's
    is_single = isinstance(cell, bool | int | float) or hasattr(cell, "isoformat")
    return cell if is_single else None


def name_in(cell: object) -> str | None:
    """Name or number of a speaker, session and the like as text; None of what is missing or empty.

    A whole number is written as one: pandas makes 7.0 of 7 in a column where another cell is missing.

    >>> name_in(7.0), name_in("anna"), name_in(float("nan")), name_in("")
    ('7', 'anna', None, None)
    """
    value = plain(cell)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value in (None, "") else str(value)


def key_of(label: object) -> str:
    """Part of an id from a label of a table's index, or from the number of a row; "" of what is missing.

    >>> key_of(7), key_of("u7"), key_of(("call", 7)), key_of(None)
    ('000007', 'u7', 'call/000007', '')
    """
    if isinstance(label, tuple):  # of an index with several levels
        return "/".join(map(key_of, label))
    cell = plain(label)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:06d}"
    return "" if cell is None else str(cell)
