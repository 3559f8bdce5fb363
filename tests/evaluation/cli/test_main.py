"""`python -m gigastt_lab.eval` as its users call it: other processes, real files, exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from evaluation.cli import main as cli
from evaluation.records.files import read
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from tests.support.dataset_hub import DatasetHub, Repository
from tests.support.golos_like import CROWD, CROWD_SHA, golos_schema, parquet

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


def evaluate(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command, run in this process, which has loaded already what it needs."""
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.chdir(folder), redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            code = cli.main([*map(str, arguments)])
        except SystemExit as exit_:
            code = exit_.code
    texts = (stream.buffer.getvalue().decode() for stream in (stdout, stderr))
    return subprocess.CompletedProcess(["evaluate"], int(code or 0), *texts)


def evaluate_apart(
    folder: Path, *arguments: object, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The same as its users call it."""
    return subprocess.run(
        [sys.executable, "-m", "gigastt_lab.eval", *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def study(folder: Path) -> subprocess.CompletedProcess[str]:
    return evaluate_apart(folder)


@pytest.fixture(scope="module")
def records(folder: Path, study: subprocess.CompletedProcess[str]) -> tuple[Path, Path]:
    assert study.returncode == 0, study.stderr
    fp32, int8 = sorted((folder / "runs" / "demo_gigaam-demo").glob("*.jsonl"))
    return fp32, int8


@pytest.mark.slow
def test_without_arguments_it_is_the_whole_study_of_the_demo(folder, study, records) -> None:
    interval = r"\d+\.\d\d \[\d+\.\d\d, \d+\.\d\d\]"
    for precision in ("fp32", "int8"):
        assert re.search(rf"^\S*{precision}\S* +{interval} +{interval}", study.stdout, re.MULTILINE)
    assert re.search(r"int8\S* minus \S*fp32\S* is [+-]?\d+\.\d\d \[.+\] points", study.stdout)
    assert "RTFx" in study.stdout
    assert "p95" in study.stdout
    for path in records:
        file = read(path)
        assert len(file.records) == 24
        assert file.end is not None
        assert file.header.system_info["batch_size"] == 1
    page = (folder / "runs" / "demo_gigaam-demo" / "report.html").read_text("utf-8")
    assert page.count("<audio") > 0


@pytest.mark.slow
def test_the_same_command_again_redoes_nothing(folder, records) -> None:
    before = [path.read_bytes() for path in records]
    again = evaluate(folder)
    assert again.returncode == 0
    assert again.stderr.count("nothing to do") == 2
    assert [path.read_bytes() for path in records] == before


@pytest.mark.slow
def test_fresh_begins_anew(folder, records) -> None:
    before = read(records[0])
    again = evaluate(folder, "run", "--model", "demo", "--dataset", "demo", "--batch-size", 1,
        "--precision", "fp32", "--fresh", "--json")  # fmt: skip
    assert again.returncode == 0, again.stderr
    after = read(records[0])
    assert after.header.started != before.header.started
    assert [each.hypothesis for each in after.records] == [each.hypothesis for each in before.records]


@pytest.mark.slow
def test_scores_for_machines(folder, records) -> None:
    done = evaluate(folder, "score", *records, "--details", "--json", "--resamples", 200)
    content = json.loads(done.stdout)
    assert [row["n_utterances"] for row in content["systems"]] == [24, 24]
    assert all(0 < row["wer_low"] < row["wer"] < row["wer_high"] for row in content["systems"])
    for table in content["profiles"].values():
        assert {row["profile"] for row in table} == {"verbatim", "numbers", "numbers+latin"}
    for table in content["rules"].values():
        assert [row["rule"] for row in table][:2] == ["as written", "abbreviations"]


@pytest.mark.slow
def test_tables_for_people(folder, records) -> None:
    scored = evaluate(folder, "score", *records, "--details", "--profile", "verbatim")
    assert "Profile verbatim" in scored.stdout
    assert "neither digits nor Latin" in scored.stdout
    compared = evaluate(folder, "compare", *records)
    assert "MAPSSWE" in compared.stdout
    reported = evaluate(folder, "report", *records, "--out", "elsewhere")
    assert reported.returncode == 0, reported.stderr
    assert (folder / "elsewhere" / "report.md").is_file()


@pytest.mark.slow
def test_comparing_other_utterances_is_refused(folder, records, tmp_path) -> None:
    lines = records[1].read_bytes().splitlines(keepends=True)
    shorter = tmp_path / "shorter.jsonl"
    shorter.write_bytes(b"".join(lines[:5]))
    refused = evaluate(folder, "compare", records[0], shorter)
    assert refused.returncode == 1
    assert "not the same utterances" in refused.stderr
    common = evaluate(folder, "compare", records[0], shorter, "--common", "--json")
    assert json.loads(common.stdout)["differences"][0]["n_utterances"] == 4


def test_outputs_of_another_engine_are_scored_alike(folder, tmp_path) -> None:
    rows = [
        {"reference": "включи свет", "hypothesis": "Включи свет."},
        {"reference": "два", "hypothesis": "3"},
    ]
    other = tmp_path / "other.jsonl"
    other.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    done = evaluate(tmp_path, "import", other, "--json")
    (path,) = json.loads(done.stdout)["files"]
    scored = evaluate(tmp_path, "score", path, "--json")
    assert json.loads(scored.stdout)["systems"][0]["wer"] == pytest.approx(1 / 3)


@pytest.mark.slow
def test_golos_by_name_from_the_hub(tmp_path: Path) -> None:
    """Golos's own schema with the packaged clips in it; nothing of the command line is different."""
    rows = [
        {"audio": {"bytes": path.read_bytes(), "path": path.name}, "transcription": text}
        for path, text in zip(sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac")), ["раз", None, "три"], strict=False)
    ]
    files = {"data/test-00000-of-00001.parquet": parquet(rows, golos_schema(), 2)}
    kept = {k: v for k, v in os.environ.items() if not re.match(r"(HF_|.*_proxy$)", k, re.IGNORECASE)}
    with DatasetHub({CROWD: Repository(CROWD_SHA, files)}) as hub:
        environment = {**kept, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf")}
        done = evaluate_apart(
            tmp_path, "run", "--model", "demo", "--dataset", "golos-crowd", "--precision", "int8",
            "--out", tmp_path / "out", environment=environment,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "out").glob("*.jsonl")
    file = read(path)
    assert [record.id for record in file.records] == ["golos-crowd/test/000000", "golos-crowd/test/000002"]
    assert file.header.dataset["revision"] == CROWD_SHA
    assert file.end is not None
    assert file.end.findings[0]["reason"] == "no reference"
    assert all(record.hypothesis for record in file.records)


@pytest.mark.slow
def test_a_system_that_fails_does_not_take_the_others_along(tmp_path: Path) -> None:
    """The second system's file belongs to another run: the first one is scored all the same."""
    out = tmp_path / "out"
    arguments = ("--model", "demo", "--dataset", "demo", "--limit", 3, "--out", out)
    assert evaluate(tmp_path, "run", *arguments, "--precision", "int8").returncode == 0
    (foreign,) = out.glob("*.jsonl")
    lines = foreign.read_text("utf-8").splitlines(keepends=True)
    foreign.write_text(
        "".join([lines[0].replace('"provider": "cpu"', '"provider": "cuda"'), *lines[1:2]]), "utf-8"
    )
    done = evaluate(tmp_path, *arguments, "--json")
    assert done.returncode == 1
    assert "belongs to" in done.stderr or "differs" in done.stderr or "another" in done.stderr
    (row,) = json.loads(done.stdout)["systems"]
    assert re.fullmatch(r"gigaam-demo_fp32_cpu_t\d+_b8", row["system"])  # on any number of cores


def test_what_was_left_out_is_told(tmp_path: Path) -> None:
    rows = ["reference,hypothesis", "раз,раз", ",два", "три,три"]
    (tmp_path / "other.csv").write_text("\n".join(rows) + "\n", "utf-8")
    done = evaluate(tmp_path, "import", "other.csv")
    scored = evaluate(tmp_path, "score", Path(done.stdout.strip()).parent)  # a folder of records
    assert re.search(r"left out 1 \((no|blank) reference\)", scored.stdout)


@pytest.mark.slow
def test_numbers_for_machines_are_json_whatever_they_are(tmp_path: Path) -> None:
    """Without times there are no ratios, and a lone surrogate is no text that UTF-8 knows."""
    for name, hypothesis in (("a", "раз"), ("b", "раз \ud800")):
        row = json.dumps({"reference": "раз", "hypothesis": hypothesis})
        (tmp_path / f"{name}.jsonl").write_text(row + "\n", "utf-8")
        done = evaluate(
            tmp_path, "import", f"{name}.jsonl", "--dataset", "same", "--out", "out", "--system", name
        )
        assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "out").glob("*.jsonl"))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    compared = evaluate(tmp_path, "compare", *files, "--json")
    assert compared.returncode == 0, compared.stderr
    assert json.loads(compared.stdout, parse_constant=refuse)["speed"]["ratio"] is None
    reported = evaluate(tmp_path, "report", *files)
    assert reported.returncode == 0, reported.stderr


@pytest.mark.slow
def test_nothing_in_common_is_an_error(tmp_path: Path, records) -> None:
    (tmp_path / "other.csv").write_text("reference,hypothesis\nраз,раз\n", "utf-8")
    (other,) = json.loads(evaluate(tmp_path, "import", "other.csv", "--json").stdout)["files"]
    compared = evaluate(tmp_path, "compare", records[0], tmp_path / other, "--common")
    assert compared.returncode == 1
    assert "no utterance in common" in compared.stderr


def test_what_there_is(folder) -> None:
    assert "golos-farfield" in evaluate(folder, "datasets").stdout
    shown = evaluate(folder, "datasets", "--dataset", "demo", "--json")
    assert len(json.loads(shown.stdout)["utterances"]) == 5
    systems = json.loads(evaluate(folder, "systems", "--json").stdout)
    assert systems["models"]["gigaam-demo"] == ["fp32", "int8"]
    assert "cpu" in systems["providers"]


@pytest.mark.usefixtures("logging_as_it_was")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--model", "demo"], 2, "--dataset"),
        (["--precision", "int4", "--dataset", "demo"], 2, "'int4'"),
        (["--batch-size", "0", "--dataset", "demo"], 2, "1 or more"),
        (["--limit", "0", "--dataset", "demo", "--model", "demo"], 2, "1 or more"),
        (["--resamples", "1", "--dataset", "demo", "--model", "demo"], 2, "100 or more"),
        (["--seed", "-1", "--dataset", "demo", "--model", "demo"], 2, "0 or more"),
        (["--revision", "x", "--dataset", "demo", "--model", "demo"], 2, "local set"),
        (["--model", "whisper", "--dataset", "demo"], 3, "'whisper' is not known"),
        (["--model", "demo", "--dataset", "nowhere.jsonl"], 1, "no dataset 'nowhere.jsonl'"),
        (["--model", "demo", "--dataset", "demo", "--provider", "tensorrt"], 3, "tensorrt"),
        (["--model", "demo", "--dataset", "demo", "--peer", "kaldi"], 2, "--peer kaldi"),
        (["--model", "demo", "--dataset", "demo", "--peer", "http://[::1]:1"], 1, "nobody answers"),
        (["--model", "demo", "--dataset", "demo", "--peer", "http://h,route=smoke"], 2, "smoke"),
        (["--model", "demo", "--dataset", "demo", "--peers-only"], 2, "leaves no system"),
        (["score", "nowhere.jsonl"], 1, "cannot be read"),
        (["compare", "a.jsonl"], 2, "required"),
    ],
)
def test_mistakes_have_a_message_and_a_code(
    arguments, code, message, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.chdir(tmp_path):
        try:
            found = cli.main(arguments)
        except SystemExit as stop:  # argparse
            found = stop.code
    captured = capsys.readouterr()
    assert found == code
    assert message in captured.err
    assert captured.out == ""
    assert sorted(tmp_path.rglob("*.jsonl")) == []
