"""Tables in terminals of any width: nothing is lost, and no line is longer than the terminal."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.show.display import render_text
from evaluation.show.folding import Column, lines_of, terminal_width

SUMMARY = pd.DataFrame(
    {
        "System": ["demo-fp32", "мой движок"],
        "WER, %": ["16.67 [8.83, 31.44]", "20.83 [6.36, 68.25]"],
        "CER, %": ["4.28 [1.56, 11.73]", "12.75 [1.51, 107.35]"],
        "SER, %": ["37.50 [22.70, 55.07]", "50.00 [14.19, 85.81]"],
        "Words": ["132", "24"],
        "WER interval by": ["jackknife t, 9 speakers", "jackknife t, 8 utterances"],
    }
)


def test_further_columns_come_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert render_text(SUMMARY).splitlines() == [
        "System                   WER, %                CER, %                SER, %",
        "demo-fp32   16.67 [8.83, 31.44]    4.28 [1.56, 11.73]  37.50 [22.70, 55.07]",
        "мой движок  20.83 [6.36, 68.25]  12.75 [1.51, 107.35]  50.00 [14.19, 85.81]",
        "",
        "System      Words  WER interval by",
        "demo-fp32     132  jackknife t, 9 speakers",
        "мой движок     24  jackknife t, 8 utterances",
    ]


def test_a_file_and_a_wide_terminal_have_one_line_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal_width() is None  # pytest takes stdout
    assert len(render_text(SUMMARY).splitlines()) == 3
    monkeypatch.setenv("COLUMNS", "200")
    assert len(render_text(SUMMARY).splitlines()) == 3


def test_a_cell_that_is_wider_than_the_terminal_takes_several_lines() -> None:
    columns = [Column(["Rule", "one"], False), Column(["What it does", "word " * 30], False)]
    lines = lines_of(columns, 40)
    assert max(map(len, lines)) <= 40
    assert lines[1].startswith("one   word word")
    assert " ".join(lines).count("word") == 30
    assert lines_of([], 40) == []


cells = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=60)


@given(st.data(), st.integers(40, 120))
def test_no_line_is_too_long_and_no_character_is_lost(data: st.DataObject, width: int) -> None:
    n_rows = data.draw(st.integers(1, 3))
    texts = data.draw(st.lists(st.lists(cells, min_size=n_rows, max_size=n_rows), min_size=1, max_size=6))
    lines = lines_of([Column(column, right=False) for column in texts], width)
    assert max(map(len, lines)) <= width
    found, expected = "".join(lines), "".join(text for column in texts for text in column)
    for character in set(expected):
        assert found.count(character) >= expected.count(character)
