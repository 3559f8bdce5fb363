"""Systems of one command take turns, and only then their speeds are compared."""

import json

import pytest

from evaluation.cli import main as cli
from evaluation.records.files import read_all

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("logging_as_it_was")]
RUN = [
    "run",
    "--model",
    "demo",
    "--dataset",
    "demo",
    "--limit",
    "8",
    "--batch-size",
    "1",
    "--precision",
    "fp32,int8",
]


def test_in_turns_by_default_and_one_after_another_where_asked_for(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "evaluation.records.machine_load._OVERLOAD_SHARE", 99
    )  # whatever else this machine does
    said = {}
    for name, more in (("turns", []), ("apart", ["--one-after-another"])):
        folder = tmp_path / name
        assert cli.main([*RUN, "--out", str(folder), *more]) == 0
        capsys.readouterr()
        files = read_all([folder])
        assert {record.round is None for file in files for record in file.records} == {bool(more)}
        assert all(file.end.load.n_utterances == 8 for file in files)
        assert cli.main(["compare", *(str(file.path) for file in files)]) == 0
        said[name] = capsys.readouterr().out
    assert "timed in turns (8 rounds, one at a time, " in said["turns"]
    assert "Speed: no statement; " in said["apart"]
    assert "times as fast" not in said["apart"]


def test_a_speed_table_says_how_it_was_timed(tmp_path, capsys):
    assert cli.main([*RUN, "--out", str(tmp_path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["systems"]
    assert all(row["how_timed"].startswith("in turns (8 rounds), one at a time, ") for row in rows)
    assert cli.main(["score", str(tmp_path)]) == 0
    assert "in turns (8 rounds), one at a time" in capsys.readouterr().out
    assert cli.main(["report", str(tmp_path), "--out", str(tmp_path / "report")]) == 0
    assert "in turns (8 rounds), one at a time" in (tmp_path / "report" / "report.html").read_text("utf-8")
