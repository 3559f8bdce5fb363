"""What a run shows of itself while it lasts."""

import io
import logging
import sys

import pytest

from evaluation.records.files import read, write
from evaluation.run.progress import is_watched
from evaluation.run.runner import run
from tests.support.runner_worker import Counting, Failing, texts_dataset


@pytest.fixture
def path(tmp_path):
    return tmp_path / "counting.jsonl"


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Sized:
    """A dataset with exactly as many utterances as it says."""

    name, revision, description, n_rows, findings = "d", "r", "d", 0, ()
    drawing, n_expected = {"sample": 10, "seed": 3}, 10

    def __iter__(self):
        return iter(texts_dataset())


def test_a_bar_shows_what_is_done_and_left(path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    run(Failing("3"), Sized(), path)
    shown = sys.stderr.getvalue()
    assert "counting: 100%" in shown
    assert "10/10" in shown
    assert "WER 6.9%, RTFx 4.0, 1 fail" in shown  # a fast rate takes room from the line's end
    assert read(path).header.dataset["drawing"] == {"sample": 10, "seed": 3}


def test_a_notebook_is_watched_and_a_file_is_not(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not is_watched()
    monkeypatch.setattr(
        sys, "stderr", type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    )
    assert is_watched()


def test_a_bar_begins_where_an_earlier_run_ended(path, monkeypatch):
    run(Counting(), Sized(), path, show_progress=False)
    file = read(path)
    write(path, file.header, file.records[:4])
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    run(Counting(), Sized(), path)
    assert "counting:  40%" in sys.stderr.getvalue()


def test_without_a_terminal_the_log_gets_lines(path, monkeypatch, capsys, caplog):
    monkeypatch.setattr("evaluation.run.progress._LOG_INTERVAL_S", -1.0)
    with caplog.at_level(logging.INFO, logger="evaluation"):
        run(Counting(), Sized(), path)
    assert capsys.readouterr().err == ""
    line = "counting: 2 of 10 utterances, WER 0.0%, RTFx 4.0, 0 failed, about 00:00 left"
    assert line in caplog.text


def test_a_bar_ends_full_where_more_were_expected(path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    run(Counting(), texts_dataset(), path)  # expects the one without a reference, too
    assert "10/10" in sys.stderr.getvalue()
