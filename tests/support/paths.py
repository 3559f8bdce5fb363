"""Folders of the project, for tests that read its files or start its programs."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NOTEBOOKS = ROOT / "notebooks"
SUPPORT = ROOT / "tests" / "support"
