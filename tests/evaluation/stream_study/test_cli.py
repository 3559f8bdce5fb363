"""The command `stream` from the command line to the page, on packaged clips and a stand-in server."""

import json

import pytest

from evaluation.cli import main as cli
from evaluation.records.files import read
from tests.support.gigastt_stand_in import well

pytestmark = pytest.mark.slow

DEMO = ("stream", "--model", "demo", "--dataset", "demo", "--limit", "3", "--resamples", "100")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where two presets and the file path have been run."""
    folder = tmp_path_factory.mktemp("streams")
    arguments = ("--preset", "balanced,low-latency", "--precision", "fp32", "--threads", "1")
    assert cli.main([*DEMO, *arguments, "--out", str(folder)]) == 0
    return folder


def test_presets_are_streamed_and_compared_with_the_file_path(folder, capsys):
    assert cli.main(["stream", "--records", str(folder), "--resamples", "100", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [one["label"] for one in content["streams"]] == ["balanced", "low-latency"]
    for one in content["streams"]:
        assert one["file_path"] == "gigaam-demo_fp32_cpu_t1_b1"
        # Not exactly 0: a final hears some of the noise after the clip, which a file has not.
        assert abs(one["wer_minus_file_path"]["difference"]) < 0.2
        assert one["wer"]["rate"] < 0.2
        assert one["endings"] == {"silence": 3}
        assert one["latencies"]["partial_lag"]["n"] >= 3
        assert one["latencies"]["end_to_final"]["p50"] > one["latencies"]["decision_to_final"]["p50"] > 0
        assert one["info"]["clock"] == "simulated"
        assert one["work_per_s"] > 0
    streamed = read(folder / "gigaam-demo_fp32_cpu_t1_stream_balanced.jsonl")
    assert streamed.header.system_info["stream_options"]["chunk_ms"] == 480
    assert all(record.stream.events for record in streamed.records)
    assert (folder / "streaming.html").is_file()


def test_tables_for_people(folder, capsys):
    assert cli.main(["stream", "--records", str(folder), "--resamples", "100"]) == 0
    shown = capsys.readouterr().out
    for told in (
        "WER of finals",
        "minus file path",
        "UPWR",
        "Decision to final",
        "Simulated clock",
        "balanced",
    ):
        assert told in shown


def test_the_other_commands_take_its_records(folder, capsys):
    assert cli.main(["score", str(folder), "--resamples", "100"]) == 0
    assert "stream_low-latency" in capsys.readouterr().out


def test_a_server_is_streamed_to(start, tmp_path, capsys, monkeypatch):
    server = start(well)
    monkeypatch.setitem(cli.stream.CLOCKS, "real", cli.stream.CLOCKS["simulated"])  # no waiting in tests
    arguments = ("--dataset", "demo", "--limit", "2", "--no-file-path", "--json", "--resamples", "100")
    assert cli.main(["stream", "--url", server.url, *arguments, "--out", str(tmp_path)]) == 0
    [one] = json.loads(capsys.readouterr().out)["streams"]
    assert (one["info"]["clock"], one["n_streams"], one["n_failed"]) == ("real", 2, 0)
    assert one["wer_minus_file_path"] is None
    assert len(server.sent) == 3  # the first warmed it up


def test_a_server_that_is_not_there_ends_the_command(tmp_path, capsys):
    arguments = ("--dataset", "demo", "--no-file-path", "--out", str(tmp_path))
    assert cli.main(["stream", "--url", "ws://127.0.0.1:9/v1/ws", *arguments]) == 1
    assert "start the server first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--preset", "fast"), "low-latency, balanced, accurate"),
        (("--option", "chunk_ms"), "give NAME=VALUE"),
        (("--option", "chunk_ms=50"), "multiple of 40"),
        (("--streams", "2", "--clock", "simulated"), "need --clock real"),
        (("--url", "http://h"), "give ws://host:port/path"),
        (("--chunk-ms", "9"), "10 or more"),
    ],
)
def test_what_cannot_be_asked_for(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([*DEMO, *arguments])
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def test_records_without_streams_are_refused(folder, capsys):
    assert cli.main(["stream", "--records", str(folder / "gigaam-demo_fp32_cpu_t1_b1.jsonl")]) == 1
    assert "make some with the command stream" in capsys.readouterr().err
