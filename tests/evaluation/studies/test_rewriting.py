"""The table of what each step of rewriting brings, on the demo model."""

import pytest

from evaluation.studies import rewriting
from gigastt_lab.graphs.encoder.rewrite import STEPS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("precision", "largest"), [("fp32", 1e-5), ("int8", 0.1)])
def test_the_table(precision, largest, capsys):
    assert rewriting.main(["--precision", precision, "--repetitions", "1", "--threads", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    header, _, first, *steps = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line
    ]
    assert header[:3] == ["step, on top of those above", "places", "difference"]
    assert first[0] == "as it is"
    assert float(first[2]) == 0.0
    names = [row[0] for row in steps]
    assert names == [step.__name__ for step in STEPS if step.__name__ in names]
    assert {"unmask", "rotary", "attention"} <= set(names)
    assert all(float(row[2]) <= largest for row in steps)
    assert all(float(cell) > 0 for row in (first, *steps) for cell in row[3:])
