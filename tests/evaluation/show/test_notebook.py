"""Records, reports and tables in a notebook: escaped, and whole even where little is known."""

import pytest

from evaluation.records.files import Record
from evaluation.report import differing_page, worst_page, write_report
from evaluation.report.writing import ReportFiles
from evaluation.scoring.compare import compare
from evaluation.scoring.scores import score
from evaluation.show.notebook import Page, page_frame, shown
from evaluation.show.tables import records_table
from tests.support.made_records import file_of, noisy_file

NASTY = "<script>alert(1)</script>"


def test_a_record_file_shows_its_beginning():
    content = noisy_file(30, system="первая")._repr_html_()
    assert "первая on пробный: 30 utterances, finished, the first of them:" in content
    assert content.count("<tr>") == 1 + 10
    assert "u00009" in content
    assert "u00010" not in content


def test_names_and_texts_of_records_are_escaped():
    record = Record(id=NASTY, reference=NASTY, hypothesis=None, error=NASTY)
    content = file_of(record, system=NASTY, dataset={"name": NASTY})._repr_html_()
    assert "<script" not in content
    assert content.count("&lt;script&gt;") == 5
    assert "failed: " in content


@pytest.mark.parametrize("records", [(), (("да", "да"),), (("…", ""),)])
def test_little_to_show(records):
    content = file_of(*records, finished=False)._repr_html_()
    assert "not finished" in content
    assert "nan" not in content.lower().replace("font-variant", "")


def test_long_texts_are_cut():
    table = records_table(score(file_of(("да " * 40, "да"))).utterances)
    assert table["Reference"].tolist() == ["да " * 12 + "…"]


def test_sentences_and_tables_in_one():
    content = shown("a < b", records_table(score(file_of(("да", "нет"))).utterances))._repr_html_()
    assert "<p>a &lt; b</p>" in content
    assert "<td>нет</td>" in content


def test_a_page_is_shown_in_a_frame_that_runs_nothing():
    content = Page('<p title="x">&amp;</p>')._repr_html_()
    assert content.startswith('<iframe sandbox srcdoc="&lt;p title=&quot;x&quot;&gt;&amp;amp;&lt;/p&gt;"')
    assert "too large" in page_frame("x" * 13_000_000, height_px=100)


@pytest.mark.slow
def test_a_report_shows_itself_and_says_where_it_is(tmp_path):
    paths = write_report([noisy_file(20, system=NASTY)], tmp_path, n_resamples=20)
    assert paths == (tmp_path / "report.html", tmp_path / "report.md")
    content = paths._repr_html_()
    assert "srcdoc=" in content
    assert "report.html" in content
    assert "<script" not in content
    assert "cannot be read" in ReportFiles(tmp_path / "gone.html", tmp_path / "gone.md")._repr_html_()


def test_pages_to_read():
    a, b = noisy_file(20, seed=1, system="A"), noisy_file(20, seed=2, system="B")
    heard = []
    page = worst_page({"A": score(a, n_resamples=20)}, audio=heard.append).html
    assert "The worst utterances" in page
    assert heard[0] in page
    assert "Where" not in page
    heard.clear()
    differing = differing_page(compare(a, b, n_resamples=20), audio=heard.append).html
    assert "Where A and B differ" in differing
    assert heard[0] in differing  # the worst ones were not shown here, so its audio is wanted
    assert "Worst utterances" not in differing
    assert "both made as many errors in every utterance" in differing_page(compare(a, a, n_resamples=20)).html
