"""What holds for every notebook as it is committed; that they run is for `pytest --nbval`."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.paths import NOTEBOOKS

FOLDER = NOTEBOOKS
NAMES = (
    "01_quickstart", "02_wer_study", "03_int8_vs_fp32", "04_latency", "05_streaming", "06_error_analysis",
    "07_live_microphone",
)  # fmt: skip
LONGEST_CELL = 14  # lines of code that do something; what is longer belongs into the package
LARGEST = 20_000  # bytes


def cells(name, kind):
    content = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def test_there_are_no_others():
    assert tuple(sorted(path.stem for path in FOLDER.glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
class TestEach:
    def test_nothing_of_a_run_is_kept(self, name):
        content = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
        assert content["metadata"] == {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        for cell in cells(name, "code"):
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            # So `pytest --nbval` runs it, and compares nothing.
            assert "nbval-ignore-output" in cell["metadata"]["tags"]

    def test_the_first_code_is_the_parameters(self, name):
        first, *others = cells(name, "code")
        assert "parameters" in first["metadata"]["tags"]
        assert all("parameters" not in cell["metadata"]["tags"] for cell in others)
        lines = [line for line in source(first).splitlines() if not line.startswith("#")]
        assert all(re.match(r"[A-Z0-9_]+ = ", line) for line in lines)
        assert 'MODEL = "demo"  # or "gigaam-v3-e2e-rnnt"' in source(first)
        if name != "07_live_microphone":  # which hears what is said to it
            assert re.search(r'^DATASET = "demo"  # or "golos-crowd"', source(first), re.MULTILINE)

    def test_it_asks_a_question_and_says_what_the_answer_is_worth(self, name):
        first, *_, last = cells(name, "markdown")
        number = int(name[:2])
        assert re.match(rf"# {number}\. .+\?\n", source(first))
        assert source(last).startswith("## What this says, and what it does not\n")

    def test_it_is_thin(self, name):
        for cell in cells(name, "code"):
            lines = [line for line in source(cell).splitlines() if line.strip()]
            code = [line for line in lines if not re.match(r"from |import |%|#", line)]
            assert len(code) <= LONGEST_CELL, source(cell)
            assert not re.search(r"^\s*(def|class) ", source(cell), re.MULTILINE)
        assert (FOLDER / f"{name}.ipynb").stat().st_size < LARGEST

    def test_it_names_no_path_of_anybodys_machine(self, name):
        text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.:/])/(home|Users|root|work|tmp|usr)/|[A-Z]:\\\\|file://", text)
