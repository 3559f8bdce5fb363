"""Effects of the normaliser, on pairs whose answer is counted by hand."""

import json

import pytest

from evaluation.records.files import RecordError
from evaluation.studies import normalizer
from evaluation.studies.normalizer import Pair, by_rule, main, merged_words, over_merges, rates, read_pairs

PAIRS = [
    Pair("тридцать восемь десятый сезон", "38, 10-й сезон", "A"),
    Pair("включи радио пираты", "Включи Радиопираты.", "A"),
    Pair("ноль пять литра труппы", "0,5 литра трупы", "A"),
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "pairs.jsonl"
    rows = [{"reference": p.reference, "hypothesis": p.hypothesis, "engine": p.system} for p in PAIRS]
    rows.append({"reference": " ", "hypothesis": "да", "engine": "A"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_pairs_with_a_reference_are_read(file):
    assert read_pairs(file) == PAIRS


def test_rates_by_version_profile_and_joined_words():
    [everything, written] = rates(PAIRS).to_dict("records")
    # Version 2: 4 + 3 + 4 words. Version 1: 5 + 3 + 4, as 38 and 10 run together.
    assert (everything["pairs"], written["pairs"]) == ("all (3)", "digits or Latin (2)")
    assert everything["numbers 2"] == "27.27"  # two of the joined word, one of трупы
    assert everything["numbers 2, joined"] == "9.09"
    assert everything["numbers+latin 2, joined"] == "9.09"
    assert everything["numbers+latin 1, joined"] == "8.33"  # трупы is forgiven, "целая" is not
    assert written["numbers 2, joined"] == written["numbers 2"] == "12.50"


def test_errors_after_each_rule():
    table = by_rule(PAIRS, "2")
    assert table.loc["as written", "A"] >= table.loc["punctuation", "A"] > table.loc["spelling", "A"] == 3
    assert table.loc["fractions", "A, texts changed"] == 0
    assert table.loc["signs", "A, texts changed"] == 2


def test_over_merges_are_counted():
    assert merged_words(PAIRS, "1") == [("труппы", "трупы")]
    assert merged_words(PAIRS, "2") == []
    table = over_merges(PAIRS)
    assert table["errors at most"].to_dict() == {"1": "4", "2": "1"}
    assert table["references that run together"].to_dict() == {"1": "1", "2": "0"}


def test_the_command_prints_markdown(file, capsys):
    assert main([str(file)]) == 0
    assert "| numbers 2, joined |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no pair with a reference"),
        ("[1]\n", "line 1 is no object"),
        ('{"reference": "да"}\n', "line 1 is no"),
    ],
)
def test_what_is_no_file_of_pairs_is_said(tmp_path, capsys, content, message):
    path = tmp_path / "pairs.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RecordError, match=message):
        read_pairs(path)
    assert normalizer.main([str(path)]) == 1
    assert message in capsys.readouterr().err


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(RecordError, match="cannot be read"):
        read_pairs(tmp_path / "nothing.jsonl")
