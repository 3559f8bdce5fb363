"""OpenAI's own JavaScript client against the server, where Node and that client are there.

`npm install --prefix FOLDER openai` fetches it; `GIGASTT_TEST_NODE_MODULES` names FOLDER/node_modules.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gigastt_lab.formats import render
from tests.support.paths import SUPPORT

MODULES = os.environ.get("GIGASTT_TEST_NODE_MODULES", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("node"), reason="needs Node"),
    pytest.mark.skipif(
        not (Path(MODULES) / "openai").is_dir(),
        reason="GIGASTT_TEST_NODE_MODULES names no folder with openai",
    ),
]


@pytest.fixture(scope="module")
def found(server, wav, tmp_path_factory):
    audio = tmp_path_factory.mktemp("openai") / "a.wav"
    audio.write_bytes(wav)
    program = SUPPORT / "openai_client.cjs"
    ran = subprocess.run(
        ["node", str(program), str(Path(MODULES).resolve()), server.url, str(audio)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2_000:]
    return json.loads(ran.stdout)


def test_answers(found, heard, wav):
    transcript = heard.transcribe(wav)
    assert found["json"] == transcript.text
    assert found["srt"] == render(transcript, "srt")
    assert [word["word"] for word in found["words"]] == [word.text for word in transcript.words]


def test_a_stream(found, heard, wav):
    text = heard.transcribe(wav).text
    assert found["events"] == [
        {"type": "transcript.text.delta", "delta": text},
        {"type": "transcript.text.done", "text": text},
    ]


def test_models(found):
    assert found["listed"] == ["gigaam-demo"]
    assert (found["model"]["id"], found["model"]["object"]) == ("gigaam-demo", "model")


@pytest.mark.parametrize(
    ("call", "expected", "words"),
    [
        (
            "format",
            (400, "bad_request", "invalid_request_error", "response_format"),
            "'pdf'; it has to be one of",
        ),
        ("streamed", (400, "bad_request", "invalid_request_error", "response_format"), "give json or text"),
        ("route", (404, "not_found", "invalid_request_error", None), "no such route"),
        ("no_audio", (400, "bad_request", "invalid_request_error", "file"), "not a known audio file"),
    ],
)
def test_errors(found, call, expected, words):
    error = found[call]
    assert tuple(error[name] for name in ("status", "code", "type", "param")) == expected
    assert error["class"] == {400: "BadRequestError", 404: "NotFoundError"}[error["status"]]
    assert words in error["message"]
