"""docs/beyond-wer.md runs as it stands."""

import doctest
import re

from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "beyond-wer.md"


def test_the_page_runs():
    parts = re.findall(r"^```pycon\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    session = doctest.DocTestParser().get_doctest("\n".join(parts), {}, PAGE.name, str(PAGE), 0)
    told = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(session, out=told.append)
    assert result.failed == 0, "".join(told)
    assert result.attempted >= 8
