"""Tests of the training code run where its whole extra is installed; elsewhere the header says so."""

from importlib.util import find_spec

EXTRA = ("torch", "numba", "sentencepiece", "pymorphy3", "wordfreq", "num2words", "scipy", "jiwer")
MISSING = [name for name in EXTRA if find_spec(name) is None]

collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_report_header() -> str | None:
    return f"tests/training skipped, not installed: {', '.join(MISSING)}" if MISSING else None
