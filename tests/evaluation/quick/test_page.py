"""docs/python.md runs as it stands."""

import doctest
import re

import pytest

from tests.support.paths import ROOT

pytest.importorskip("datasets")

PAGE = ROOT / "docs" / "python.md"
SLOW = "write_report"  # draws with matplotlib


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def blocks():
    return re.findall(r"^```pycon\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def run(parts):
    """Run examples as one session; fails with what doctest says."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    session = doctest.DocTestParser().get_doctest("\n".join(parts), {}, PAGE.name, str(PAGE), 0)
    told = []
    result = doctest.DocTestRunner(optionflags=options).run(session, out=told.append)
    assert result.failed == 0, "".join(told)
    return result.attempted


@pytest.mark.slow
def test_the_page_runs():
    assert run([each for each in blocks() if SLOW not in each]) >= 15


@pytest.mark.slow
def test_the_whole_page_runs():
    assert run(blocks()) >= 18
