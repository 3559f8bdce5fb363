"""Pages and docstrings name files and modules that exist."""

import importlib.util
import re

import pytest

from tests.support.paths import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
SOURCES = [
    path for package in ("gigastt_lab", "evaluation", "tests") for path in (ROOT / package).rglob("*.py")
]
# Paths from the root, and dotted names, wherever they stand.
FILE = re.compile(
    r"\b(?:gigastt_lab|evaluation|tests|scripts|docs|notebooks)/[\w/.-]*\w\.(?:py|md|ipynb|js|css|json)\b"
)
NAME = re.compile(r"\b(?:gigastt_lab|evaluation)(?:\.[a-z_][a-z_0-9]*)+")
# Import paths of before, an entry point's group and pages of other projects.
OTHERS = {"evaluation.scores", "evaluation.quantization", "gigastt_lab.systems", "gigastt_lab.rounding"}
OTHERS |= {"docs/rnnt-quantization.md", "docs/longform-stitching.md"}


def is_there(name):
    """True for a module, or an attribute of one, at whatever depth."""
    package, *rest = name.split(".")
    face = importlib.import_module(package)
    if rest[0] in face.__all__:  # a public name, some of which were modules once
        found = getattr(face, rest[0])
        return not rest[1:] or hasattr(found, rest[1])
    module = name
    while module:
        try:
            if importlib.util.find_spec(module) is not None:
                rest = name.removeprefix(module).strip(".")
                return not rest or hasattr(importlib.import_module(module), rest.split(".")[0])
        except ModuleNotFoundError:
            pass
        module = module.rpartition(".")[0]
    return False


def missing_files(text):
    """Paths in a text to which there is no file."""
    return {found for found in FILE.findall(text) if not (ROOT / found).is_file()} - OTHERS


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_names_what_exists(page):
    text = page.read_text(encoding="utf-8")
    to_make = missing_files(text) if page.name == "CONTRIBUTING.md" else set()  # it says which
    names = {found for found in NAME.findall(text) if not found.endswith(".md")} - OTHERS
    names = {found for found in names if not is_there(found)}
    made = {file.removesuffix(".py").replace("/", ".") for file in to_make}
    assert (missing_files(text) - to_make, names - made) == (set(), set())


def test_docstrings_and_comments_name_files_that_exist():
    missing = {
        f"{path.relative_to(ROOT)}: {found}"
        for path in SOURCES
        if path.name not in {"test_docs.py", "test_contracts.py"}
        for found in missing_files(path.read_text(encoding="utf-8"))
    }
    assert missing == set()
