"""Utterances that were not heard whole: in the remarks of scores and comparisons, and in the report."""

from dataclasses import replace

import pytest

from evaluation.records.files import Record
from evaluation.records.warned import Warned
from evaluation.report.account import warnings
from evaluation.report.losses import losses_parts
from evaluation.report.report import write_report
from evaluation.report.sections import Material
from evaluation.scoring.compare import compare
from evaluation.scoring.remarks import remarks
from evaluation.scoring.scores import score
from tests.support.made_records import file_of

CUT = Warned("cut", "the file was cut", 1.25, 3.5)
HOLE = Warned("hole", "nothing was recorded", 0.5, 0.75)
TURNED = Warned("phase", "channels were turned", 0.0, 2.0)
CHOSEN = Warned("track", "two tracks", None, None)


def records(*told):
    """Utterances of two words each, 24 at least; the first have these warnings."""
    more = [()] * (24 - len(told))
    return [
        Record(id=f"u{n}", reference="раз два", hypothesis="раз два", warnings=each)
        for n, each in enumerate([*told, *more])
    ]


LOSSY = file_of(*records((CUT,), (), (HOLE, CUT), (TURNED,), (CHOSEN,), (TURNED,)), system="A")
SENTENCE = (
    "2 of 24 utterances were not heard whole: 2 cut (u0, u2); 1 with a hole (u2); their references hold 4 of "
    "48 words, and what the audio lacks of them counts as errors, for every system that heard it."
)


def test_a_score_says_so_and_keeps_them():
    one = score(LOSSY)
    assert SENTENCE in remarks(one)
    assert len(one.utterances) == 24
    assert remarks(score(file_of(*records(), system="A"))) == remarks(one)[:1]


def test_words_are_counted_as_they_are_scored():
    file = file_of(replace(LOSSY.records[0], reference="75 % да"), *LOSSY.records[1:])
    [told] = [text for text in remarks(score(file)) if "heard whole" in text]
    n_words = int(score(file).utterances["n_words"].iloc[0])
    assert n_words == 4
    assert f"hold {n_words + 2} of {46 + n_words} words" in told


def test_a_failed_utterance_is_a_failure_and_no_loss():
    failed = replace(LOSSY.records[0], hypothesis=None, error="нет")
    assert "1 of 24 utterances was not heard whole: 1 cut (u2); 1 with a hole (u2)" in repr(
        score(file_of(failed, *LOSSY.records[1:]))
    )


def test_all_systems_are_warned_of_once_and_one_by_its_name():
    same = replace(LOSSY, header=replace(LOSSY.header, system="B"))
    silent = file_of(*records(), system="C")
    one, two, three = map(score, (LOSSY, same, silent))
    assert [text for text in warnings({"A": one, "B": two}) if "heard whole" in text] == [SENTENCE]
    assert [text for text in warnings({"A": one, "C": three}) if "heard whole" in text] == [f"A: {SENTENCE}"]
    assert repr(compare(LOSSY, same)).count(SENTENCE) == 1
    assert f"A: {SENTENCE}" in repr(compare(LOSSY, silent))
    assert SENTENCE in compare(LOSSY, same)._repr_html_()
    assert "heard whole" not in repr(compare(silent, silent))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    other = file_of(*records((CUT,)), system="B")
    folder = tmp_path_factory.mktemp("report")
    write_report([LOSSY, other], folder)
    return [(folder / f"report.{suffix}").read_text(encoding="utf-8") for suffix in ("md", "html")]


def test_the_report_has_a_banner_and_a_table_with_the_times(written):
    markdown, page = written
    assert f"> **Warning:** A: {SENTENCE}" in markdown
    assert "Not heard whole: 2 utterances" in markdown
    for row in (
        "| u0 | cut | 1.25 | 3.50 | 2 | all systems |",
        "| u2 | with a hole | 0.50 | 0.75 | 2 | A |",
        "| u2 | cut | 1.25 | 3.50 | 2 | A |",
    ):
        assert row in markdown
    assert "Not heard whole: 2 utterances" in page


def test_choices_in_reading_are_told_apart_from_losses(written):
    markdown, _ = written
    assert (
        "Heard whole, by a choice: in 1 utterance of several audio tracks the usual one was read; in 2 "
        "utterances channels in opposite phase were turned." in markdown
    )


def parts_of(file):
    one = score(file)
    return losses_parts(Material(scores={"A": one}, options=one.options))


def test_of_many_places_the_first_are_shown_and_all_are_counted():
    many = tuple(Warned("damaged", "noise", n / 4, n / 4 + 0.125) for n in range(60))
    [table] = parts_of(file_of(*records(many), system="A"))
    assert table.caption == "Not heard whole: 1 utterance; the first 50 of 60 places"
    assert len(table.content) == 50


def test_a_report_without_losses_does_not_speak_of_them():
    assert parts_of(file_of(*records(), system="A")) == []
    [paragraph] = parts_of(file_of(*records((CHOSEN,)), system="A"))
    assert paragraph.text.startswith("Heard whole, by a choice: in 1 utterance of several audio tracks")
