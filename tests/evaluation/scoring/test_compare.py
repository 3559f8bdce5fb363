"""Comparisons against cases by hand; what cannot be compared is refused, what is not known is a dash."""

import dataclasses

import pytest

from evaluation.records.files import Record
from evaluation.scoring import mapsswe
from evaluation.scoring.compare import adjusted, as_table, compare, sentences, summary, verdict
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.metrics import alignment
from evaluation.scoring.scores import ALL, PLAIN
from evaluation.show.display import DASH
from evaluation.statistics import intervals as bootstrap
from evaluation.statistics.holm import holm
from tests.support.made_records import file_of, noisy_file

A = file_of(("а б", "а б"), ("в г", "х г"), ("д е", "д"), ("ж", "ж"), system="A")
B = file_of(("а б", "а х"), ("в г", "х у"), ("д е", "д е"), ("ж", "ж"), system="B")


def without(file, *ids):
    return dataclasses.replace(file, records=tuple(one for one in file.records if one.id not in ids))


def test_counted_by_hand():
    found = compare(A, B)
    assert found.wer.rate_a == 2 / 7
    assert found.wer.rate_b == 3 / 7
    assert found.wer.difference == pytest.approx(-1 / 7)
    assert found.contingency.to_numpy().tolist() == [[1, 1], [1, 1]]
    assert found.differing.index.tolist() == ["u2", "u0", "u1"]  # u2 by its two characters
    assert found.differing["difference"].tolist() == [1, -1, -1]


def test_the_parts_are_those_of_the_bootstrap_and_of_mapsswe():
    a, b = noisy_file(150, seed=1, system="A"), noisy_file(150, seed=2, error_rate=0.1, system="B")
    found = compare(a, b, n_resamples=300, seed=3)
    tables = found.a.utterances, found.b.utterances
    assert found.wer == bootstrap.paired_difference(
        *(table["errors"].to_numpy() for table in tables), tables[0]["n_words"].to_numpy(),
        n_resamples=300, seed=3,
    )  # fmt: skip
    pairs = [
        [alignment(r.normalized_reference, r.normalized_hypothesis) for r in table.itertuples()]
        for table in tables
    ]
    assert found.mapsswe == mapsswe.mapsswe(*pairs)
    assert found.speed.n_timed == 150


def test_the_order_of_the_other_file_plays_no_part():
    shuffled = dataclasses.replace(B, records=B.records[::-1])
    assert compare(A, shuffled).wer == compare(A, B).wer
    assert compare(A, shuffled).differing.equals(compare(A, B).differing)


def test_other_utterances_are_refused_and_compared_on_request():
    a, b = without(A, "u0"), without(B, "u1", "u2")
    with pytest.raises(ScoreError, match=r"B.jsonl lacks 2 of the 3 in A.jsonl, which lacks 1 of its 2"):
        compare(a, b)
    found = compare(a, b, common=True)
    assert (found.n_only_a, found.n_only_b) == (2, 1)
    assert found.a.utterances.index.tolist() == ["u3"]
    assert "Left out: 2 utterances that only A has, and 1 that only B has." in found.to_text()


def test_other_references_are_refused_whatever_is_asked():
    other = file_of(("а б", "а б"), ("в Г", "х г"), ("д е", "д"), ("ж", "ж"), system="B")
    for common in (False, True):
        with pytest.raises(ScoreError, match="different references for 1 utterances, 'u1' first"):
            compare(A, other, common=common)


def difference(low, high, value):
    found = compare(A, B).wer
    return dataclasses.replace(
        found, difference=value / 100, low=low / 100, high=high / 100, n_utterances=100, n_differing=50
    )


@pytest.mark.parametrize(
    ("low", "high", "value", "words"),
    [
        (-0.75, -0.1, -0.42, "A is better by 0.42 points [0.10, 0.75]"),
        (0.1, 0.75, 0.42, "B is better by 0.42 points [0.10, 0.75]"),
        (-0.3, 0.21, -0.05, "no difference was found: A minus B is -0.05 [-0.30, +0.21] points"),
        (0.0, 0.0, 0.0, "no difference was found: A minus B is 0.00 [0.00, 0.00] points"),
        (
            float("nan"),
            float("nan"),
            1.0,
            "no verdict: fewer than 3 utterances with a word cannot give an interval "
            "(A minus B: +1.00 points)",
        ),
        (float("nan"), float("nan"), float("nan"), "no rates to compare: the references have no words"),
    ],
)
def test_the_verdict_says_no_more_than_the_interval(low, high, value, words):
    assert verdict(difference(low, high, value), "A", "B") == words


def test_several_comparisons_are_adjusted_for_one_another():
    base = noisy_file(60, seed=1, system="base")
    others = [noisy_file(60, seed=seed, error_rate=0.05 * seed, system=f"s{seed}") for seed in (2, 3, 4)]
    alone = [compare(other, base) for other in others]
    found = adjusted(alone)
    assert [one.p_adjusted for one in found] == holm([one.wer.p_value for one in alone])
    assert {one.n_comparisons for one in found} == {3}
    assert "among 3 comparisons, by Holm" in found[0].verdict()
    assert adjusted(alone[:1])[0].p_adjusted is None


WRITTEN = (("включи канал двадцать пять", "включи канал 25"), ("найди ютуб", "найди YouTube"))
SAID = (("включи канал двадцать пять", "включи канал двадцать пять"), ("найди ютуб", "найди ютуб"))


def test_a_verdict_about_writing_is_called_one():
    plain = (("да", "да"), ("нет спасибо", "нет спасиба"))
    a, b = (file_of(*(texts + plain) * 20, system=name) for texts, name in ((WRITTEN, "A"), (SAID, "B")))
    found = compare(a, b)
    assert found.outcome == "B"
    rows = {(row.profile, row.utterances): row.outcome for row in found.by_profile.itertuples()}
    assert rows["numbers", ALL] == "B"
    assert rows["numbers+latin", ALL] == "none"
    assert rows["numbers", PLAIN] == "none"
    [warning] = [text for text in sentences(found) if text.startswith("Warning")]
    assert "under numbers+latin no difference is found" in warning
    assert "on the 40 utterances with neither digits nor Latin no difference is found" in warning
    forgiving = compare(a, b, profile="numbers+latin")
    assert not any(text.startswith("Warning") for text in sentences(forgiving))


def test_the_test_of_few_segments_has_no_p_value():
    found = sentences(compare(A, B))
    assert any("no p-value; it needs 50 segments or more" in text for text in found)
    assert compare(A, B).mapsswe.objection(None) == "it needs 50 segments or more"


def test_the_test_of_shared_speakers_is_no_evidence():
    a, b = (noisy_file(200, seed=seed, n_speakers=9, system=str(seed)) for seed in (1, 2))
    assert any("these come from 9 speakers" in text for text in sentences(compare(a, b)))


def test_a_margin_is_answered_where_it_is_asked():
    a, b = (noisy_file(60, seed=seed, system=str(seed)) for seed in (1, 2))
    assert compare(a, b).margin is None
    found = compare(a, b, margin=0.5)
    assert found.margin.not_worse
    assert any(text.startswith("Margin of 50 points: ") for text in sentences(found))


def test_a_terminal_sees_names_rates_verdict_and_texts():
    text = compare(A, B).to_text(n_differing=2)
    lines = text.splitlines()
    assert lines[0].startswith("System")
    ends = [line.index("]") for line in lines[1:3]]
    assert ends[0] == ends[1]  # columns are aligned
    assert "no verdict: 4 utterances cannot tell two systems apart" in text
    assert "u2 (1 : 0 errors)" in text
    assert "u1" not in text
    assert "nan" not in text
    assert "significant" not in text


@pytest.mark.parametrize(
    "records",
    [
        (),
        (("да", "нет"),),
        (("…", ""),),
        (Record(id="1", reference="да", hypothesis=None), Record(id="2", reference="да", hypothesis=None)),
    ],
    ids=["none", "one", "no words", "all failed"],
)
def test_what_is_not_known_is_a_dash(records):
    found = compare(file_of(*records, system="A"), file_of(*records, system="B"))
    for text in (found.to_text(), found._repr_html_()):
        assert "nan" not in text.lower()
        assert DASH in text


def test_names_are_escaped_in_a_notebook():
    shown = compare(A, file_of(*B.records, system="<script>alert(1)</script>"))._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_tables_of_systems_and_of_differences():
    table = summary([A, B], n_resamples=50)
    assert table.index.tolist() == ["A", "B"]
    assert table["wer"].tolist() == [2 / 7, 3 / 7]
    assert table["n_failed"].tolist() == [0, 0]
    differences = as_table(compare(A, B))
    assert differences.index.tolist() == ["wer", "cer"]
    assert differences.loc["wer", ["a", "b"]].tolist() == ["A", "B"]
