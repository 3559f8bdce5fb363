"""`score --beyond`, `--keywords` and `--by`, for people and for machines."""

import contextlib
import io
import json
from dataclasses import replace

import pytest

from evaluation.cli import main as cli
from evaluation.records.files import Header, write
from tests.support.made_records import noisy_file

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "a.jsonl"
    rows = [
        replace(one, reference=f"{one.reference.capitalize()}.", metadata={"place": ("дом", "улица")[i % 2]})
        for i, one in enumerate(noisy_file(30).records)
    ]
    write(path, Header(system="a", dataset={"name": "n"}), rows)
    return path


def score(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(["score", *map(str, arguments), "--resamples", "100"])
    return int(code), out.getvalue(), err.getvalue()


def test_nothing_more_is_told_unasked(records):
    _, out, _ = score(records)
    assert "Punctuation" not in out
    assert not {"beyond", "keywords", "by"} & json.loads(score(records, "--json")[1]).keys()


def test_sections_for_people(records, tmp_path):
    (tmp_path / "terms.txt").write_text("свет\nна кухне\n", encoding="utf-8")
    code, out, _ = score(
        records, "--beyond", "--keywords", tmp_path / "terms.txt", "--by", "place", "--by", "place"
    )
    assert code == 0
    titles = [
        "Punctuation and capitals",
        "Numbers, names and terms",
        "Words left out in a row, and loops",
        "Groups",
    ]
    for title in (*titles, "Confidence"):
        assert f"\n{title}\n" in out
    assert out.count("Word error rate by place") == 1
    assert "ECE, %" in out
    assert "на кухне" in out


def test_content_for_machines(records, tmp_path):
    (tmp_path / "terms.txt").write_text("свет\n", encoding="utf-8")
    _, out, _ = score(records, "--json", "--beyond", "--keywords", tmp_path / "terms.txt", "--by", "place")
    content = json.loads(out)
    measures = content["beyond"]["a"]
    assert {
        "punctuation",
        "case",
        "numbers",
        "deletions",
        "loops",
        "hallucination",
        "confidence",
    } <= measures.keys()
    assert measures["punctuation"][-1]["mark"] == "all"
    assert [row["term"] for row in content["keywords"]["a"]] == ["свет", "all"]
    assert [row["place"] for row in content["by"]["place"]["a"]][:2] == ["дом", "улица"]


def test_keywords_alone_are_looked_for_alone(records, tmp_path):
    (tmp_path / "terms.txt").write_text("свет\n", encoding="utf-8")
    out = score(records, "--keywords", tmp_path / "terms.txt")[1]
    assert "Terms of the list" in out
    assert "Punctuation" not in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--by", "city"), "no column 'city' to group by; it has place"),
        (("--keywords", "gone.txt"), "gone.txt cannot be read as a list of terms"),
    ],
)
def test_what_is_refused_is_said_before_anything_is_printed(records, arguments, told):
    code, out, err = score(records, *arguments)
    assert code == 1
    assert told in err
    assert not out
