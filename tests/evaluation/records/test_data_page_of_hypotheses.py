"""The page about data, where it imports: its commands print what it says, of the files that it shows."""

import re
import shlex

from evaluation.cli.main import main
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
FILE = re.compile(r"^```\w+ title=\"(.+?)\"\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n\$ (.+?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def section(title):
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_hypotheses_and_word_times(tmp_path, monkeypatch, capsys, logging_as_it_was):
    monkeypatch.chdir(tmp_path)
    commands = []
    for text in map(section, ("Hypotheses of another system", "Word times against true ones")):
        for title, content in FILE.findall(text):
            (tmp_path / title).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / title).write_text(content, encoding="utf-8")
        commands += CONSOLE.findall(text)
    assert [shlex.split(command)[3] for command, _ in commands] == ["import", "times"]
    for command, expected in commands:
        assert main(shlex.split(command)[3:]) == 0
        shown = capsys.readouterr().out.split("\n\n")[0]  # the table, without its method
        assert [line.split() for line in shown.splitlines()] == [
            line.split() for line in expected.splitlines()
        ]
