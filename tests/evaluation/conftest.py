"""Tests run where what they need of the evaluation's extra is installed; elsewhere the header says so."""

from importlib.util import find_spec

NEEDS = {
    "jiwer": ["scoring/test_metrics.py", "scoring/test_mapsswe.py"],
    "datasets": [
        "datasets/test_named.py",
        "datasets/test_hub.py",
        "datasets/test_local_parquet.py",
        "datasets/test_audio_folders.py",
        "datasets/test_data_page.py",
    ],
    "websockets": ["stream_study/test_websocket.py", "stream_study/test_cli.py"],
    "fastapi": ["server_study/test_benchmark.py", "server_study/test_soak.py"],
}
MISSING = [name for name in NEEDS if find_spec(name) is None]

collect_ignore = [file for name in MISSING for file in NEEDS[name]]


def pytest_report_header() -> str | None:
    return f"tests/evaluation, in part skipped, not installed: {', '.join(MISSING)}" if MISSING else None
