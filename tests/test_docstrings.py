"""First lines of docstrings name the thing by the field's noun, so that whoever greps for it finds it."""

import ast

import pytest

from tests.support.paths import ROOT

RIDDLES = {"What", "How", "Whether", "Where", "Which", "Who", "When", "Why"}
# Users read these: in OpenAPI descriptions, and in the help of commands.
SHOWN = {"gigastt_lab/server/schemas.py", "gigastt_lab/server/status.py", "evaluation/cli/systems.py",
         "evaluation/studies/rewriting.py"}  # fmt: skip
FILES = [path for package in ("gigastt_lab", "evaluation") for path in sorted((ROOT / package).rglob("*.py"))]
ROOMS = [
    path
    for path in FILES
    if path.name == "__init__.py" and path.parent.parent.name in {"gigastt_lab", "evaluation"}
]


def docstrings(path):
    """(line, first line) of every docstring of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text.split("\n")[0]


def test_no_first_line_is_a_riddle():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {first}"
        for path in FILES
        if path.relative_to(ROOT).as_posix() not in SHOWN
        for line, first in docstrings(path)
        if first.split()[0].rstrip(",:") in RIDDLES
    ]
    assert found == []


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: f"{path.parent.parent.name}.{path.parent.name}")
def test_a_room_says_what_lives_there(path):
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    for said in ("Lives here: ", "May import: ", "Public: "):
        assert f"\n{said}" in text
