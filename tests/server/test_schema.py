"""What the server says of itself, against what it does: OpenAPI, by schemathesis, and AsyncAPI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import DOCS, SUPPORT
from tests.support.recordings import RATE
from tests.support.server_process import eventually, serving
from tests.support.websocket_client import rest_of, said, tell

HOOKS = SUPPORT / "schemathesis_hooks.py"


def essence(page):
    """What a description says, without how this version of the framework puts it."""
    shapes = {
        name: (sorted(shape.get("properties", {})), sorted(shape.get("required", [])))
        for name, shape in page["components"]["schemas"].items()
    }
    routes = {
        (path, method): (
            [(each["name"], each["schema"].get("enum")) for each in operation.get("parameters", [])],
            {status: sorted(each.get("content", {})) for status, each in operation["responses"].items()},
            operation.get("requestBody"),
            operation["description"],
        )
        for path, methods in page["paths"].items()
        for method, operation in methods.items()
    }
    return routes, {name: shapes[name] for name in shapes if name.endswith("Shape")}


def test_the_openapi_page_is_what_the_server_serves(server):
    page = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    assert essence(page) == essence(server.get("/openapi.json").json), "server.documentation makes it anew"
    assert len(essence(page)[0]) == 14


@pytest.mark.slow
def test_schemathesis_finds_no_failure(tmp_path):
    pytest.importorskip("schemathesis")
    flags = ["--metrics", "--pool-size", "4", "--max-audio-secs", "60", "--jobs-dir", str(tmp_path)]
    with serving(*flags) as server:
        ran = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "run", f"{server.url}/openapi.json",
                # A job that was cancelled is there until it is deleted.
                "--checks", "all", "--exclude-checks", "use_after_free",
                "--max-examples", "100", "--seed", "7", "--no-color", "--workers", "1",
                "--request-timeout", "30", "--generation-database", "none",
            ],
            capture_output=True, text=True, check=False,
            env=os.environ | {"COLUMNS": "120", "SCHEMATHESIS_HOOKS": str(HOOKS)},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout[-8_000:] + ran.stderr[-2_000:]
        assert eventually(lambda: server.available() == 4)


def test_asyncapi_describes_what_is_said(server, wav):
    yaml = pytest.importorskip("yaml")
    jsonschema = pytest.importorskip("jsonschema")
    page = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert page["asyncapi"].startswith("3.")
    messages = page["components"]["messages"]

    def check(message):
        name = next(key for key, value in messages.items() if value.get("name", key) == message["type"])
        schema = {**messages[name]["payload"], "components": page["components"]}
        jsonschema.Draft7Validator(schema).validate(message)

    heard = set()
    with server.socket() as stream:
        check(said(stream))
        tell(stream, type="configure", sample_rate=1)
        tell(stream, type="configure", sample_rate=RATE)
        stream.send(wav[44:])
        tell(stream, type="stop")
        for message in rest_of(stream)[0]:
            check(message)
            heard.add(message["type"])
    assert heard == {"error", "partial", "final"}
