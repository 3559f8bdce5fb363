"""Parts of the page that have to keep up with the server: its errors, its formats, what it says of files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from gigastt_lab.server import errors, page
from gigastt_lab.server.errors import Kind
from gigastt_lab.server.status import _FORMATS
from gigastt_lab.types import AudioWarningKind

WEB = Path(page.__file__).parent / "web"
SHARED = Path(page.__file__).parents[1] / "web"

# Of routes, or of requests, that the page never makes.
ELSEWHERE = {
    "not_found", "model_not_found", "metrics_disabled", "method_not_allowed", "upgrade_required",
    "head_too_large", "configure_too_late", "invalid_sample_rate", "unsupported_protocol_version",
    "queue_full", "storage_full",
}  # fmt: skip
# Usual extensions of formats that are called otherwise.
ENDS_IN = {"wavpack": "wv"}


def test_every_error_that_the_page_may_meet_has_words():
    codes = {kind.code for kind in vars(errors).values() if isinstance(kind, Kind)}
    met = {code for code in codes - ELSEWHERE if not code.startswith("job")}
    known = set(re.findall(r'^ {4}(\w+): "', (WEB / "messages.js").read_text(encoding="utf-8"), re.M))
    assert {"connections_saturated", "uploads_saturated", "unauthorized"} <= met
    assert met <= known


def test_the_dialogue_offers_every_format_that_is_read():
    script = (SHARED / "audio_files.js").read_text(encoding="utf-8")
    offered = set(re.findall(r'"(\w+)"', script[script.index("[") : script.index("];")]))
    assert {ENDS_IN.get(name, name) for name in _FORMATS} <= offered
    assert {"mkv", "mov", "3gp", "opus", "amr", "avi", "wma"} <= offered


def test_every_warning_of_a_file_has_words():
    script = (SHARED / "losses.js").read_text(encoding="utf-8")
    kinds = script[script.index("const KINDS") : script.index("  };")]
    assert set(re.findall(r"^ {4}(\w+): \[", kinds, re.M)) == set(get_args(AudioWarningKind))


def test_the_page_holds_all_its_parts():
    assert "/* shared:" not in page.html()
    assert "/* part:" not in page.html()
    for name in ("losses.js", "audio_files.js"):
        assert (SHARED / name).read_text(encoding="utf-8").strip() in page.html()
