"""Reports of systems, sets and texts that are named to break them: formulas, tags, tables, controls."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from evaluation.records.files import Record
from evaluation.report import write_report
from evaluation.show.display import markdown, render_html, render_markdown, render_text
from evaluation.show.notebook import shown
from tests.support.made_records import file_of

EVIL = "</title><script>alert(1)</script>|`a`&amp; \"quoted' [x](javascript:y) ![z](w)"
NAMES = [r"$\frac{1}$", EVIL, "_under_", "- 1. list", "\x1b[31mred\0", "two\nlines", "\u202eturned"]
VOID = {"meta", "br", "wbr", "hr", "img", "input", "use", "path", "rect"}


class Page(HTMLParser):
    """Tags that are open, tags that were seen, and the text."""

    def __init__(self, content):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.text = [], set(), ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def cells(line):
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))


@pytest.mark.parametrize(
    "name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])]
)
def test_a_report_of_anything(tmp_path, name):
    records = [
        Record(
            id=f"{name}{i}",
            reference=f"да {name} {i}",
            hypothesis=f"{name} нет",
            audio_s=1.0,
            work_s=0.1 + i / 9,
        )
        for i in range(4)
    ]
    failed = Record(id="f", reference="раз", error=f"ValueError: {name}")
    a = file_of(*records, failed, system=name, dataset={"name": name, "description": name}, command=name)
    b = file_of(
        *(replace(one, hypothesis="да") for one in records),
        failed,
        system=name + "2",
        dataset=a.header.dataset,
    )
    paths = write_report([a, b], tmp_path, n_resamples=100)
    page = Page(content := paths.page.read_text("utf-8"))
    assert page.open == []
    assert "script" not in page.seen
    assert not re.search(r"[\x00-\x08\x0e-\x1f\x7f]", content)
    flat = " ".join(page.text.split())
    assert " ".join(re.sub(r"[\x00-\x08\x0e-\x1f]", "\ufffd", name).split()) in flat
    text = paths.text.read_text("utf-8")
    text = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)  # what is fenced stands as it is
    assert "<script" not in text.replace(r"\<script", "")
    assert not re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text)
    for block in text.split("\n\n"):
        if block.startswith("| "):
            assert len({cells(line) for line in block.splitlines()}) == 1, block


def test_names_in_tables():
    table = pd.DataFrame({"System": NAMES, "WER, %": ["1.00"] * len(NAMES)})
    assert len(render_text(table).splitlines()) == len(NAMES) + 1
    assert "\x1b" not in render_text(table)
    assert all(cells(line) == 3 for line in render_markdown(table).splitlines())
    page = Page(render_html(table) + shown(EVIL, table)._repr_html_())
    assert page.open == []
    assert "script" not in page.seen
    assert EVIL in page.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("- a", r"\- a"), ("+ a", r"\+ a"), ("12. a", r"12\. a"), ("1) a", r"1\) a"),
     ("-0.50", "-0.50"), ("1.5", "1.5"), ("# a", r"\# a"), ("a|b", r"a\|b"), ("\0", "\ufffd")],
)  # fmt: skip
def test_markdown_of_what_would_begin_a_list(text, expected):
    assert markdown(text) == expected
