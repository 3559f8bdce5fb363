"""Tables as record files: what `records.load` gives can be scored, compared and reported as it is."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import evaluation
from evaluation.records.files import Record, RecordError, as_table, load, read, write
from evaluation.records.tables import record_file
from evaluation.scoring.compare import compare
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file


def same(a, b):
    """True for equal record files, their paths apart."""
    return replace(a, path=b.path) == b


@pytest.fixture
def file(tmp_path):
    made = noisy_file(30, n_speakers=4, machine={"cores": 2}, system_info={"kind": "engine"})
    failed = Record(
        id="u-failed", reference="раз два", error="нет файла", metadata={"city": "Казань", "text": "x"}
    )
    rows = (*(replace(each, metadata={"city": "Уфа", "model": "m1"}) for each in made.records), failed)
    end = replace(made.end, findings=({"id": "u9", "reason": "no audio", "excluded": True, "same_as": None},))
    path = tmp_path / "run.jsonl"
    write(path, made.header, rows, end)
    return read(path)


def test_a_loaded_table_is_its_record_file_again(file):
    table = load(file.path)
    assert record_file(table) == file
    assert record_file(file) is file
    assert record_file(file.path) == record_file(str(file.path)) == file
    assert record_file(score(file)) is file


def test_what_a_reader_does_to_a_table_is_scored(file):
    table = load(file.path)
    wrong = score(file).worst(1).index[0]
    table.loc[wrong, "hypothesis"] = table.loc[wrong, "reference"]
    table["length"] = np.arange(len(table))
    changed = record_file(table)
    by_id = {record.id: record for record in changed.records}
    assert by_id[wrong].hypothesis == by_id[wrong].reference
    assert by_id["u00004"].metadata == {"city": "Уфа", "model": "m1", "length": "4"}
    assert changed.header == file.header
    assert score(table).wer.rate == score(changed).wer.rate < score(file).wer.rate

    part = table[table["speaker"] == "s1"]
    assert len(score(part).utterances) == sum(record.speaker == "s1" for record in file.records)
    assert score(part).header == file.header


def perfect(table):
    other = table.assign(hypothesis=table["reference"])
    other.attrs["header"] = {**table.attrs["header"], "system": "perfect"}
    return other


def test_tables_scores_and_paths_are_compared(file):
    table = load(file.path)
    other = perfect(table)
    found = compare(table, other)
    assert (found.label_a, found.label_b) == ("система", "perfect")
    assert math.isclose(found.wer.difference, score(file).wer.rate)
    assert compare(score(table), score(other)).wer == found.wer
    assert evaluation.profiles(table).equals(evaluation.profiles(file))
    assert evaluation.rules(table).equals(evaluation.rules(file))


@pytest.mark.slow
def test_tables_and_scores_are_reported(file, tmp_path):
    table = load(file.path)
    evaluation.write_report([table, score(perfect(table))], str(tmp_path / "both"))
    page = (tmp_path / "both" / "report.html").read_text(encoding="utf-8")
    assert "perfect" in page
    assert "no audio" in page  # what the run left out is still said
    evaluation.write_report(table, tmp_path / "one")
    assert (tmp_path / "one" / "report.md").exists()


def test_any_table_of_references_and_hypotheses():
    table = pd.DataFrame(
        {
            "ref": ["раз два", "три", None, "  ", "пять"],
            "prediction": ["раз", "", "x", "y", None],
            "speaker_id": [1, 2, 1, 2, np.nan],
            "duration": [1.5, 2.0, 1, 1, None],
            "source": ["a", "b", "a", "b", None],
            "model": ["M"] * 5,
        }
    )
    file = record_file(table)
    assert [record.id for record in file.records] == ["000000", "000001", "000004"]
    assert [record.hypothesis for record in file.records] == ["раз", "", None]
    assert [record.speaker for record in file.records] == ["1", "2", None]
    assert [record.audio_s for record in file.records] == [1.5, 2.0, None]
    assert [dict(record.metadata) for record in file.records] == [{"source": "a"}, {"source": "b"}, {}]
    assert file.header.system == "M"
    assert [(each["id"], each["reason"]) for each in file.end.findings] == [
        ("000002", "no reference"),
        ("000003", "blank reference"),
    ]
    one = score(table)
    assert one.wer.rate == 3 / 4
    assert list(one.failures.index) == ["000004"]


@pytest.mark.parametrize(
    ("table", "ids"),
    [
        (pd.DataFrame({"reference": ["а", "б"], "hypothesis": ["а", "б"]}), ["000000", "000001"]),
        (pd.DataFrame({"reference": ["а", "б"], "hypothesis": ["а", "б"]}, index=["x", "y"]), ["x", "y"]),
        (pd.DataFrame({"reference": ["а", "б"], "hypothesis": ["а", "б"], "id": ["x", "y"]}), ["x", "y"]),
        (pd.DataFrame({"reference": list("абв"), "hypothesis": list("абв")})[1:], ["000001", "000002"]),
        (
            pd.DataFrame({"reference": list("абв"), "hypothesis": list("абв")}).iloc[[2, 0]],
            ["000002", "000000"],
        ),
    ],
)
def test_ids_stay_with_their_rows(table, ids):
    assert [record.id for record in record_file(table).records] == ids


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pd.DataFrame({"reference": ["а"], "words": ["а"]}), "no column 'hypothesis'.*it has words"),
        (pd.DataFrame({"a": [1]}), "no column 'reference'.*it has a"),
        (
            pd.DataFrame({"reference": ["а", "б"], "hypothesis": ["а", 5]}),
            "hypothesis of '000001' is 5 .int., no",
        ),
        (
            pd.DataFrame([["а", "б", "в"]], columns=["reference", "reference", "hypothesis"]),
            "two columns 'refer",
        ),
        (pd.DataFrame({"reference": [None], "hypothesis": ["а"]}), "no reference to score"),
        (pd.DataFrame({"reference": [], "hypothesis": []}), "no reference to score"),
        (
            pd.DataFrame({"reference": ["а", "а"], "hypothesis": ["а", "а"], "system": ["x", "y"]}),
            r"holds 2 systems; give the rows of one, such as table\[table\['system'\] == 'x'\]",
        ),
        ([("а", "б")], "type list holds no records"),
        (None, "type NoneType holds no records"),
        ("no-such-file.jsonl", "cannot be read"),
    ],
)
def test_what_cannot_be_scored_says_why(given, message):
    with pytest.raises(RecordError, match=message):
        score(given)


def test_two_systems_of_one_table_are_compared():
    both = pd.DataFrame(
        {
            "file": ["1.wav", "2.wav"] * 2,
            "engine": ["a", "a", "b", "b"],
            "reference": ["раз два", "три"] * 2,
            "hypothesis": ["раз два", "три", "раз", "три"],
        }
    )
    found = compare(both[both["engine"] == "a"], both[both["engine"] == "b"])
    assert (found.label_a, found.label_b) == ("a", "b")
    assert math.isclose(found.wer.difference, -1 / 3)
    in_turns = both.iloc[[0, 2, 1, 3]].reset_index(drop=True)  # rows of a are 0 and 2, of b 1 and 3
    again = compare(in_turns[in_turns["engine"] == "a"], in_turns[in_turns["engine"] == "b"])
    assert again.wer == found.wer


def test_ids_that_occur_twice_are_refused():
    table = pd.concat([as_table(file_of(("а", "б")))] * 2)
    with pytest.raises(ValueError, match="more than once"):
        score(table)


def test_files_without_records_or_end_stay_so():
    empty = file_of()
    assert same(record_file(as_table(empty)), empty)
    unfinished = file_of(("а", "б"), finished=False)
    assert record_file(as_table(unfinished)).end is None
    table = as_table(file_of(("а", "б")))
    del table.attrs["end"], table.attrs["path"]  # of an older version
    assert record_file(table).end.n_rows == 1
    table.attrs["header"] = {"dataset": {}}
    with pytest.raises(RecordError, match="hold no header"):
        record_file(table)
