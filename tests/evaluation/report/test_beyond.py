"""Sections on what a WER does not say: there where there is something to say, and in words where not."""

from dataclasses import replace

import pytest

from evaluation.beyond.keywords import terms_of
from evaluation.records.files import Record
from evaluation.report.beyond import (
    beyond_sections,
    confidence_section,
    runs_section,
    silence_section,
    terms_section,
    writing_section,
)
from evaluation.report.groups import group_columns, groups_section
from evaluation.report.parts import Paragraph, Plot, Row, Table
from evaluation.report.report import write_report
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file


def of(*records, **options):
    return {"A": score(file_of(*records), n_resamples=100, **options)}


def tables(section):
    return [part.content for part in section.parts if isinstance(part, Table)]


def test_punctuation_has_a_table_a_plot_and_its_rule():
    section = writing_section(of(*[("Да, нет.", "Да нет.")] * 20))
    marks, case = tables(section)
    assert marks["Mark"].tolist() == ["period", "comma", "all"]
    assert marks["F1, %"].tolist()[0].startswith("100.00 [")
    assert case["Case errors, %"].tolist()[0].startswith("0.00 [0.00, ")
    [row] = [part for part in section.parts if isinstance(part, Row)]
    assert isinstance(row.parts[0], Plot)


def test_references_without_punctuation_are_said_to_have_none_and_given_no_table():
    section = writing_section(of(("да нет", "Да, нет.")))
    assert section.parts == (
        Paragraph(
            "The references have no punctuation: 0 of 1 have a mark. "
            "The references have no capitals: 0 of 1 have one."
        ),
    )


def test_terms_are_looked_for_where_they_are_given():
    scores = of(("канал пять", "канал шесть"))
    numbers, terms = tables(terms_section(scores, terms_of(["канал"])))
    assert numbers["Subst."].tolist() == ["1"]
    assert terms["Term"].tolist() == ["канал", "all"]
    assert terms_section(of(("да", "да"))) is None


def test_runs_and_loops_are_listed_by_utterance():
    section = runs_section(of(("раз два три четыре", "четыре"), ("ну", "ну и ну и ну и ну и")))
    shares, runs, looping, loops = tables(section)
    assert runs["Text"].tolist() == ["раз два три"]
    assert (runs["Utterance"].tolist(), loops["Utterance"].tolist()) == (["u0"], ["u1"])
    assert loops[["Phrase", "Times"]].iloc[0].tolist() == ["ну и", "4"]
    assert shares["Words"].tolist()[0] == looping["Loops"].tolist()[0].replace("1", "3") == "3"
    assert runs_section(of(("да", "да"))) is None


def test_silence_is_split_by_what_the_set_says():
    clips = [
        Record(
            id=str(i), reference="…", hypothesis="да" * (i % 2), audio_s=6.0, metadata={"kind": "ab"[i % 2]}
        )
        for i in range(10)
    ]
    pooled, split = tables(silence_section(of(*clips)))
    assert pooled["Words per minute"].tolist()[0].startswith("5.00 [")
    assert split["kind"].tolist() == ["a", "b", "all"]
    assert silence_section(of(("да", "да"))) is None


def test_groups_are_columns_of_two_to_twenty_values():
    records = [
        replace(
            one, metadata={"two": str(i % 2), "one": "x", "many": str(i)} | ({"some": "y"} if i % 3 else {})
        )
        for i, one in enumerate(noisy_file(42).records)
    ]
    scores = of(*records)
    assert group_columns(scores) == ["two", "some"]
    two, some = tables(groups_section(scores, drawn=False))
    assert two["two"].tolist() == ["0", "1", "all, micro", "mean of groups, macro"]
    assert some["some"].tolist()[:2] == ["y", "(none)"]
    assert groups_section(of(("да", "да"))) is None
    with pytest.raises(ScoreError, match="it has two, one, many, some"):
        groups_section(scores, ["three"])


def test_a_column_that_one_of_two_files_has_is_shown_for_that_one():
    with_one = [replace(one, metadata={"a": str(i % 2)}) for i, one in enumerate(noisy_file(20).records)]
    scores = {"A": score(file_of(*with_one)), "B": score(noisy_file(20))}
    [table] = tables(groups_section(scores, ["a"], drawn=False))
    assert [name for name in table if name.startswith("WER")] == ["WER of A, %"]


def test_confidence_in_numbers():
    [table] = tables(confidence_section(of(*noisy_file(60).records)))
    assert [*table] == [
        "System",
        "Words",
        "ECE, %",
        "ECE by chance, %",
        "overconfidence, points",
        "NCE",
        "AUC",
    ]
    assert confidence_section(of(("да", "да"))) is None


@pytest.mark.slow
def test_the_report_holds_them(tmp_path):
    records = [
        replace(one, reference=f"{one.reference.capitalize()}.", metadata={"room": str(i % 3)})
        for i, one in enumerate(noisy_file(40).records)
    ]
    silent = Record(id="s", reference="…", hypothesis="канал", audio_s=2.0)
    path = write_report([file_of(*records, silent)], tmp_path, n_resamples=100, terms=terms_of(["канал"]))[1]
    page = path.read_text("utf-8")
    titles = [
        "Punctuation and capitals",
        "Numbers, names and terms",
        "Words left out in a row, and loops",
        "Groups",
    ]
    for title in (*titles, "Without speech"):
        assert f"## {title}" in page
    assert "Confidence of words as numbers" in page
    assert "nan" not in page.lower().replace("finan", "")


@pytest.mark.parametrize(
    "records",
    [
        (),
        (("да", None),),
        (("…", ""),),
        (("Да.", "Да."),),
        (Record(id="1", reference="Да.", hypothesis=None), Record(id="2", reference="", hypothesis=None)),
    ],
)
def test_sets_of_next_to_nothing_have_no_sections_or_dashes(records):
    rows = [
        Record(id="0", reference=one[0], hypothesis=one[1]) if isinstance(one, tuple) else one
        for one in records
    ]
    for section in beyond_sections(of(*rows), terms_of(["да"])):
        for table in tables(section):
            assert not table.isin(["nan", "NaN", "None"]).to_numpy().any()


def test_every_section_says_how_its_intervals_are_made():
    scores = {"A": score(noisy_file(60, n_speakers=9))}
    sections = [*beyond_sections(scores), confidence_section(scores), groups_section(scores)]
    with_numbers = [one for one in sections if any(not isinstance(part, Paragraph) for part in one.parts)]
    assert len(with_numbers) == len(sections) - 1  # these references have neither marks nor capitals
    for section in with_numbers:
        assert section.parts[-1].text.startswith("Intervals over 9 speakers: the jackknife")
