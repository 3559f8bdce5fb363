"""`compare`, `plan` and `score --details` on made records: what they say and what they give to machines."""

import json

import pytest

from evaluation.cli.main import main
from evaluation.records.files import End, write
from tests.support.made_records import noisy_file


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Record files of two systems with nine speakers, one of whom a record does not name; a dataset's end."""
    folder = tmp_path_factory.mktemp("records")
    found = []
    findings = tuple(
        {"id": f"again/{n}", "reason": "duplicate", "excluded": False, "same_as": "u0"} for n in range(30)
    )
    for seed, name in ((1, "A"), (2, "B")):
        file = noisy_file(120, seed=seed, n_speakers=9, system=name)
        path = folder / f"{name}.jsonl"
        write(path, file.header, file.records, End(n_rows=130, findings=findings))
        found.append(path)
    return found


def run(capsys, *arguments):
    code = main([*map(str, arguments)])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


def test_a_comparison_for_machines_says_what_people_read(paths, capsys):
    content = json.loads(run(capsys, "compare", *paths, "--margin", "50", "--json"))
    assert content["scoring"]["normalizer"]
    assert content["scoring"]["method"] == "auto"
    assert content["left_out"] == {"only_a": 0, "only_b": 0}
    assert content["findings"]["A"][0]["reason"] == "duplicate"
    assert any("30 of 120 utterances repeat an earlier one" in text for text in content["warnings"])
    assert content["margin"]["not_worse"] is True
    assert {row["profile"] for row in content["profiles"]} == {"verbatim", "numbers", "numbers+latin"}
    assert content["mapsswe"]["objection"]
    assert content["differences"][0]["method"] == "jackknife t, 9 speakers"
    text = run(capsys, "compare", *paths, "--margin", "50")
    for sentence in content["sentences"]:
        assert sentence in text
    for warning in content["warnings"]:
        assert warning in text


def test_the_rules_take_the_options_of_the_command(paths, capsys):
    """Their intervals once ignored --blocks, --seed and --resamples, which the JSON stated all the same."""

    def widths(*options):
        content = json.loads(run(capsys, "score", paths[0], "--details", "--json", *options))
        [table] = content["rules"].values()
        [systems] = content["systems"]
        assert table[-3]["wer_high"] != table[0]["wer_high"]
        by_rule = {row["rule"]: (row["wer_low"], row["wer_high"]) for row in table}
        return by_rule["units"], (systems["wer_low"], systems["wer_high"])

    for options in (
        ("--blocks", "utterance"),
        ("--blocks", "speaker"),
        ("--intervals", "bootstrap", "--seed", "1"),
        ("--intervals", "bootstrap", "--seed", "2", "--resamples", "150"),
    ):
        of_rule, of_system = widths(*options)
        assert of_rule == pytest.approx(of_system)


def test_every_table_names_the_method(paths, capsys):
    text = run(capsys, "score", *paths, "--details")
    assert text.count("jackknife t, 9 speakers") >= 2
    assert "WER interval by" in text
    drawn = run(capsys, "score", *paths, "--intervals", "bootstrap", "--resamples", "100")
    assert "percentile bootstrap over 9 speakers, 100 resamples, seed 0" in drawn


def test_a_plan_of_two_systems_and_of_one(paths, capsys):
    both = json.loads(run(capsys, "plan", *paths, "--difference", "1", "--margin", "0.5", "--json"))
    assert [plan["goal"] for plan in both["plans"]] == ["difference", "not worse", "equivalent"]
    assert [plan["size"] for plan in both["plans"]] == [0.01, 0.005, 0.005]
    one = run(capsys, "plan", paths[0])
    assert "WER to plus or minus 0.10 points" in one
    with pytest.raises(SystemExit):
        main(["plan", str(paths[0]), "--margin", "0.3"])
    assert "give B.jsonl, too" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["0", "-1", "x", "nan", "inf", "100"])
def test_points_that_make_no_sense_are_refused(paths, capsys, wrong):
    with pytest.raises(SystemExit):
        main(["compare", *map(str, paths), f"--margin={wrong}"])
    assert "give points of WER above 0 and below 100, such as 0.3" in capsys.readouterr().err
