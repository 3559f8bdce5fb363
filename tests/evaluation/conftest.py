"""Tests run where what they need of the evaluation's extra is installed; elsewhere the header says so."""

from importlib.util import find_spec

NEEDS = {
    "jiwer": ["test_metrics.py", "test_mapsswe.py"],
    "datasets": ["test_datasets.py", "test_datasets_hub.py"],
    "websockets": ["test_streaming_websocket.py", "test_streaming_cli.py"],
    "fastapi": ["test_serving.py", "test_serving_soak.py"],
}
MISSING = [name for name in NEEDS if find_spec(name) is None]

collect_ignore = [file for name in MISSING for file in NEEDS[name]]


def pytest_report_header() -> str | None:
    return f"tests/evaluation, in part skipped, not installed: {', '.join(MISSING)}" if MISSING else None
