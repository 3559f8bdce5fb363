"""The page about data: its examples are written to a folder, with made audio, and opened as it says.

A section's files are the blocks with a title, its audio is named in the line "Audio: ...", Python is run.
Then what `eval datasets` shows has to be the text block after each command.
"""

import re
import shlex

import pytest

from evaluation.cli.main import main
from tests.support.audio_files import by_soundfile, speechlike
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "data.md"
BLOCK = re.compile(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections():
    """Titles and texts of the sections that hold an example."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return [pytest.param(text, id=title) for title, text in pairs if "```sh" in text]


def made(text, folder):
    """Write what an example needs."""
    for line in re.findall(r"^Audio: (.+)$", text, re.MULTILINE):
        for name in re.findall(r"`(.+?)`", line):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(by_soundfile(speechlike(3.0), 16_000, "WAV"))
    for _, title, content in BLOCK.findall(text):
        if title:
            (folder / title).parent.mkdir(parents=True, exist_ok=True)
            (folder / title).write_text(content, encoding="utf-8")


@pytest.mark.parametrize("text", sections())
def test_an_example_is_read_as_the_page_says(text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made(text, tmp_path)
    shown = None
    for kind, title, content in BLOCK.findall(text):
        if kind == "python":
            exec(content, {})
        elif kind == "sh":
            command = shlex.split(content)
            assert command[:3] == ["python", "-m", "gigastt_lab.eval"]
            assert main(command[3:]) == 0
            out = capsys.readouterr().out.splitlines()
            shown = [line.split() for line in out[1:] if line.strip()]
        elif kind == "text" and not title and shown is not None:
            assert shown == [line.split() for line in content.splitlines()]
            shown = None
    assert shown is None, "a command whose output the page does not show"
