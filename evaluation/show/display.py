"""Numbers and tables as people read them: rounded here and nowhere else, a dash for what is not known."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping

import pandas as pd

from evaluation.show.folding import Column, lines_of, terminal_width

DASH = "–"

_MOST_SHARE = 10.0  # 1,000 %: of an interval's end beyond it no digit tells anything
_WITH_ENDS = re.compile(r"^(\S+) (\[.*\])$")
_SMALL_ENDS = r'\1 <span class="ends">\2</span>'

_NUMBER = re.compile(r"[-+]?\d[\d,.]*( .*)?")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~$])")
_LIST_MARK = re.compile(r"^([-+]|\d+[.)])(?=\s|$)")
# Of C0, C1 and delete, none but white space is text: a terminal would obey them, and no page may hold them.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_REPLACEMENT = "\ufffd"


def decimal(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """A number with so many decimals, its thousands parted; a dash for NaN and None.

    >>> decimal(1234.5, 1), decimal(float("nan")), decimal(0.5, sign=True), decimal(-0.001)
    ('1,234.5', '–', '+0.50', '0.00')
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    value = round(value, digits) + 0.0  # no minus before a zero
    return f"{value:{'+' if sign and value else ''},.{digits}f}"


def count(value: float) -> str:
    """A whole number, its thousands parted.

    >>> count(10000)
    '10,000'
    """
    return f"{int(value):,}"


def counted(value: int, noun: str) -> str:
    """A count and what was counted.

    >>> counted(1, "utterance"), counted(1011, "word")
    ('1 utterance', '1,011 words')
    """
    return f"{count(value)} {noun}{'' if value == 1 else 's'}"


def estimate(
    value: float, low: float, high: float, *, scale: float = 100, digits: int = 2, sign: bool = False
) -> str:
    """A value and its interval, by default a share in percent, whose ends are cut at 1,000 %.

    >>> estimate(0.086, 0.0751, 0.0966), estimate(0.5, math.nan, math.nan), estimate(math.nan, 0, 0)
    ('8.60 [7.51, 9.66]', '50.00 [–]', '–')
    >>> estimate(0.197, 0.0003, 112.0954), estimate(60, 40, 90), estimate(2, -30, 34, scale=1, digits=0)
    ('19.70 [0.03, > 1,000]', '6,000.00 [4,000.00, 9,000.00]', '2 [-30, 34]')
    """
    if math.isnan(value):
        return DASH
    ends = DASH
    if not math.isnan(low):
        told = (_end(end, value, scale, digits, sign=sign) for end in (low, high))
        ends = ", ".join(told)
    return f"{decimal(value * scale, digits, sign=sign)} [{ends}]"


def percent_end(end: float, value: float) -> str:
    """End of an interval of a share, in percent; beyond 1,000 % no more than that it is.

    Args:
        end: End of the interval.
        value: Value that the interval is of; where it is beyond 1,000 % itself, the end is shown as it is.

    >>> percent_end(0.0966, 0.086), percent_end(112.0954, 0.197), percent_end(-20, 0.1), percent_end(90, 60)
    ('9.66', '> 1,000', '< -1,000', '9,000.00')
    """
    return _end(end, value, 100, 2, sign=False)


def _end(end: float, value: float, scale: float, digits: int, *, sign: bool) -> str:
    if scale == 100 and abs(end) > _MOST_SHARE >= abs(value):
        return f"{'>' if end > 0 else '<'} {decimal(math.copysign(_MOST_SHARE, end) * scale, 0, sign=sign)}"
    return decimal(end * scale, digits, sign=sign)


def percent(share: float, digits: int = 2) -> str:
    """A share in percent, without the sign.

    >>> percent(0.086), percent(math.nan)
    ('8.60', '–')
    """
    return decimal(share * 100, digits)


def seconds(value: float | None) -> str:
    """Seconds in the unit that suits them, to three digits or so.

    >>> seconds(0.0123), seconds(0.5), seconds(12.34), seconds(4000), seconds(math.nan)
    ('12.3 ms', '500 ms', '12.3 s', '1.11 h', '–')
    """
    if value is None or math.isnan(value):
        return DASH
    amount, unit = (value * 1000, "ms") if value < 1 else (value, "s") if value < 600 else (value / 3600, "h")
    return f"{decimal(amount, max(0, 3 - len(str(int(amount)))))} {unit}"


def table_of(rows: Iterable[Mapping[str, str]]) -> pd.DataFrame:
    """Table of strings from its rows, each by column, to be rendered below."""
    return pd.DataFrame(list(rows), dtype=object)


def failure_of(error: object) -> str:
    """Reason why an utterance failed, from a table's `error`; missing where nobody recorded it."""
    return error if isinstance(error, str) and error else "no reason recorded"


def render_text(table: pd.DataFrame) -> str:
    """A table of strings for a terminal: columns aligned, numbers to the right.

    In a terminal that is too narrow, further columns come below, each block led by the first column.

    >>> print(render_text(pd.DataFrame({"System": ["fp32", "int8"], "WER, %": ["8.39", "10.43"]})))
    System  WER, %
    fp32      8.39
    int8     10.43
    """
    columns = [
        Column([" ".join(harmless(text).split()) for text in (name, *cells)], right)
        for name, cells, right in _columns(table)
    ]
    return "\n".join(lines_of(columns, terminal_width()))


def render_markdown(table: pd.DataFrame) -> str:
    r"""A table of strings in Markdown, its texts escaped.

    >>> print(render_markdown(pd.DataFrame({"Rule": ["a|b"], "WER, %": ["8.39"]})))
    | Rule | WER, % |
    | --- | ---: |
    | a\|b | 8.39 |
    """
    columns = [
        [markdown(name), "---:" if right else "---", *map(markdown, cells)]
        for name, cells, right in _columns(table)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in zip(*columns, strict=True))


def render_html(table: pd.DataFrame, *, small_ends: bool = False) -> str:
    """A table of strings in HTML, its texts escaped; the first column heads the rows.

    Args:
        table: Table of strings.
        small_ends: True to mark the intervals of cells (class `ends`), for a page that sets them smaller.
    """
    rights = [right for _, _, right in _columns(table)]
    head = "".join(
        f'<th scope="col"{_side(right)}>{_breakable(str(name))}</th>'
        for name, right in zip(table.columns, rights, strict=True)
    )
    body = []
    for row in table.itertuples(index=False):
        cells = [as_html(cell) for cell in row]
        cells = [_WITH_ENDS.sub(_SMALL_ENDS, cell) for cell in cells] if small_ends else cells
        first = f'<th scope="row">{_breakable(str(row[0]))}</th>' if cells else ""
        rest = (f"<td{_side(right)}>{cell}</td>" for cell, right in zip(cells[1:], rights[1:], strict=True))
        body.append(f"<tr>{first}{''.join(rest)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def markdown(text: str) -> str:
    r"""A text as Markdown shows it as it is, in one line.

    >>> markdown("5 * 3 <b>"), markdown("- 1. a"), markdown("-1.5")
    ('5 \\* 3 \\<b\\>', '\\- 1. a', '-1.5')
    """
    escaped = _MARKDOWN.sub(r"\\\1", " ".join(harmless(str(text)).split())).replace("&", "&amp;")
    return _LIST_MARK.sub(lambda mark: f"{mark[1][:-1]}\\{mark[1][-1]}", escaped)


def as_html(text: object) -> str:
    """A text as HTML shows it as it is, in attributes too."""
    return html.escape(harmless(str(text)))


def harmless(text: str) -> str:
    r"""The text with U+FFFD for control characters, which would steer a terminal or break a page.

    >>> harmless("a\x1b[31mb\0"), harmless("a\tb\n")
    ('a\ufffd[31mb\ufffd', 'a\tb\n')
    """
    return _CONTROL.sub(_REPLACEMENT, text)


def _columns(table: pd.DataFrame) -> list[tuple[str, list[str], bool]]:
    """Name, cells, and whether they are numbers, which stand to the right."""
    columns = []
    for index, name in enumerate(table.columns):
        cells = [str(cell) for cell in table.iloc[:, index]]
        right = index > 0 and all(cell == DASH or _NUMBER.fullmatch(cell) for cell in cells)
        columns.append((str(name), cells, right))
    return columns


def _breakable(text: str) -> str:
    """Escaped; long names of systems and utterances may be broken where their parts end."""
    return re.sub("([_/])", r"\1<wbr>", as_html(text))


def _side(right: bool) -> str:
    return ' class="number"' if right else ""
