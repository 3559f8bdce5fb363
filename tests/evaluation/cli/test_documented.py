"""Commands of the evaluation that the pages show are commands that it takes."""

import re
import shlex

import pytest

from evaluation.cli import main as command_line
from tests.support.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CALL = "python -m gigastt_lab.eval"


def commands():
    """Arguments of every command in a block of code, with the page that has it."""
    found = {}
    for page in PAGES:
        for block in re.findall(
            r"^```.*?\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        ):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.split(r"&&|\|", line):
                    if CALL in part:
                        text = part.partition(CALL)[2].rstrip("`'\" ")
                        found[" ".join(shlex.split(text, comments=True))] = page.name
    return found


@pytest.mark.parametrize("arguments", sorted(commands()))
def test_a_command_of_the_pages_is_one(arguments, monkeypatch):
    monkeypatch.setattr(command_line, "start_logging", lambda levels: None)
    monkeypatch.setattr(command_line, "run_command", lambda run, options: options)
    options = command_line.main(shlex.split(arguments))
    needs_a_set = arguments.split(" ")[0] not in {"datasets", "import", "speed"}
    assert getattr(options, "dataset", "") is not None or not needs_a_set


def test_there_are_many():
    assert len(commands()) > 30
