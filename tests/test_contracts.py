"""import-linter's contracts hold, and break where an import points the wrong way."""

import shutil
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

pytest.importorskip("importlinter")

# A file, an import that is wrong there, and words of the contract that forbids it.
WRONG = [
    ("gigastt_lab/audio/samples.py", "from gigastt_lab.engine import Engine", "Rooms of gigastt_lab"),
    ("evaluation/show/display.py", "from evaluation.scoring import scores", "Rooms of evaluation"),
    ("gigastt_lab/formats.py", "import evaluation.records", "does without the evaluation"),
    ("gigastt_lab/engine.py", "def late():\n    import fastapi", "FastAPI"),
    ("evaluation/report/html.py", "import matplotlib", "matplotlib"),
    ("evaluation/run/runner.py", "import datasets", "datasets: where"),
    ("gigastt_lab/graphs/editor.py", "import torch", "torch"),
    ("gigastt_lab/streaming/session.py", "import anywidget", "Widgets' packages"),
]


def lint(folder):
    """Lines of import-linter's verdict: contract to whether it is kept."""
    code = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--no-logo"],
        cwd=folder, env={"PYTHONPATH": str(folder), "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line.split(" (")[0] for line in ran.stdout.splitlines()]
    verdicts = {
        line.rpartition(" ")[0]: line.endswith("KEPT") for line in lines if line.endswith(("KEPT", "BROKEN"))
    }
    assert verdicts, ran.stdout + ran.stderr
    return verdicts


def test_contracts_hold_and_are_broken_by_wrong_imports(tmp_path):
    assert all(lint(ROOT).values())
    for package in ("gigastt_lab", "evaluation"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("demo", "__pycache__")
        )
    (tmp_path / "gigastt_lab" / "demo").mkdir()
    shutil.copy(ROOT / "gigastt_lab" / "demo" / "__init__.py", tmp_path / "gigastt_lab" / "demo")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line, _ in WRONG:
        with (tmp_path / file).open("a", encoding="utf-8") as source:
            source.write(f"\n{line}\n")
    verdicts = lint(tmp_path)
    for _, line, contract in WRONG:
        assert [kept for name, kept in verdicts.items() if contract in name] == [False], line
