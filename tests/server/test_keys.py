"""API keys: file, header, subprotocol, routes that are free, SIGHUP; and never a key in any message."""

from __future__ import annotations

import json
import os
import signal
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus

from gigastt_lab.server.keys import ApiKeys, bearer_token, read_keys
from gigastt_lab.server.option import OptionError
from tests.support.server_process import is_error, serving
from tests.support.websocket_client import said

ANNA = "anna-0123456789abcdef"
SLASHES = "ab/+cd/+ef/+gh/+ij=="  # as `openssl rand -base64` makes them
OTHER = "other-0123456789abcdef"


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "keys"
    path.touch(mode=0o600)
    return path


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    """A server that asks for one of two keys, one of them without a name."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(f"# who\nanna: {ANNA}\n\n{SLASHES}  # no name\n", encoding="utf-8")
    path.chmod(0o600)
    with serving("--api-key-file", str(path), "--metrics") as server:
        yield server
        for key in (ANNA, SLASHES, OTHER):
            assert key not in server.log


# -- the file -----------------------------------------------------------------------------------------------


def test_a_file_of_keys(file):
    file.write_bytes(f"\ufeff# ours\r\nanna: {ANNA}\r\n  \r\nbob:{SLASHES} # his\r\n{OTHER}\r\n".encode())
    keys = read_keys(str(file))
    assert len(keys) == 3
    assert [keys.name_of(key) for key in (ANNA, SLASHES, OTHER)] == ["anna", "bob", "line 5"]
    for wrong in ("", ANNA[:-1], f"{ANNA}x", ANNA.upper(), "anna", "anna: " + ANNA, "ключ", "\udcff"):
        assert keys.name_of(wrong) is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "has no key; write one a line: `openssl rand -hex 32`"),
        (b"# nothing but this\n\n", "has no key"),
        (b"too-short-secret", None),
        (b"short-secret", "line 1 is a key of 12 characters; give 16 or more"),
        (b"anna: bob: secret-0123456789", "line 1 is no key; give KEY, or NAME: KEY"),
        (b"\nsecret 0123456789abcdef", "line 2 is no key"),
        ("секрет-секрет-секрет".encode(), "line 1 is no key"),
        (b"a: secret-0123456789\nb: secret-0123456789", "line 2 has the same key as line 1"),
        (b"secret-0123456789\xff", "is no UTF-8"),
    ],
)
def test_a_file_that_cannot_be_is_refused_without_its_keys(file, content, complaint):
    file.write_bytes(content)
    if complaint is None:  # of 16 characters, the shortest that is taken
        assert len(read_keys(str(file))) == 1
        return
    with pytest.raises(OptionError) as caught:
        read_keys(str(file))
    assert complaint in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None or "secret" not in repr(caught.value.__cause__)


def test_what_is_no_file_is_refused_and_holds_nobody(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_bytes(bytes(2**20 + 1))
    for name, complaint in (
        ("nowhere", "No such file"),
        (".", "Is a directory"),
        ("fifo", "no regular file"),
        ("large", "larger than"),
    ):
        with pytest.raises(OptionError, match=complaint):
            read_keys(str(tmp_path / name))


@pytest.mark.parametrize(
    ("mode", "is_warned"), [(0o600, False), (0o640, False), (0o400, False), (0o644, True), (0o660, True)]
)
def test_a_file_that_others_may_read_is_warned_of(file, caplog, mode, is_warned):
    file.write_text(ANNA, encoding="ascii")
    file.chmod(mode)
    read_keys(str(file))
    assert [record.levelname for record in caplog.records] == (["WARNING"] if is_warned else [])


def test_keys_are_kept_as_digests_of_this_process_alone():
    one, other = ApiKeys([("anna", ANNA)]), ApiKeys([("anna", ANNA)])
    assert ANNA not in repr(vars(one))
    assert one._entries[0].digest != other._entries[0].digest


@pytest.mark.parametrize(
    ("authorization", "subprotocols", "expected"),
    [
        (["Bearer abc"], [], "abc"),
        (["bEARER  abc "], [], "abc"),
        (["Bearer"], [], ""),
        (["Basic abc"], [], None),
        (["abc"], [], None),
        ([], [], None),
        (["Bearer abc", "Bearer abd"], [], None),
        ([], ["bearer", "a%2Fb%3D"], "a/b="),
        ([], ["v1", "bearer", "abc"], "abc"),
        ([], ["bearer"], None),
        ([], ["abc", "bearer"], None),
        (["Basic abc"], ["bearer", "abd"], "abd"),  # a proxy's password, and ours
        (["Bearer abc"], ["bearer", "abd"], "abc"),
    ],
)
def test_where_a_key_is_looked_for(authorization, subprotocols, expected):
    assert bearer_token(authorization, subprotocols) == expected


# -- the server ---------------------------------------------------------------------------------------------


def test_whoever_has_no_key_is_refused(keyed, wav):
    before = keyed.get("/metrics", bearer(ANNA)).text
    answer = keyed.post("/v1/transcribe", wav)
    assert is_error(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer KEY" in answer.json["message"]
    answer = keyed.get("/v1/models", bearer(OTHER))
    assert is_error(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    for headers in ({"Authorization": f"Basic {ANNA}"}, {"Authorization": ANNA}, {"X-Api-Key": ANNA}):
        assert is_error(keyed.get("/v1/models", headers), 401, "unauthorized")
    for path in (f"/v1/models?api_key={ANNA}", "/nowhere", "/metrics", "/v1/ws", "//v1/models", "/docs"):
        assert is_error(keyed.get(path), 401, "unauthorized")
    after = keyed.get("/metrics", bearer(ANNA)).text
    counts = [
        float(line.split()[-1])
        for text in (before, after)
        for line in text.splitlines()
        if line.startswith("gigastt_unauthorized_total")
    ]
    assert counts[1] - counts[0] == 11


def test_whoever_has_a_key_is_served(keyed, wav, heard):
    answer = keyed.post("/v1/transcribe", wav, bearer(ANNA))
    assert (answer.status, answer.json["text"]) == (200, heard.transcribe(wav).text)
    assert keyed.get("/v1/models", {"Authorization": f"bearer {SLASHES}"}).status == 200
    assert keyed.get("/nowhere", bearer(ANNA)).status == 404
    assert keyed.get("/metrics", bearer(ANNA)).status == 200
    keyed.wait_for_line("POST /v1/transcribe 200 in .* by anna")
    keyed.wait_for_line("GET /v1/models 200 in .* by line 4")


def test_probes_page_and_description_are_free(keyed):
    for path in ("/health", "/ready", "/", "/openapi.json"):
        assert keyed.get(path).status == 200
        assert keyed.get(path, bearer(OTHER)).status == 200


def test_a_preflight_is_free_and_what_follows_is_not(keyed):
    origin = {"Origin": "http://localhost:3000"}
    preflight = origin | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    assert keyed.request("OPTIONS", "/v1/transcribe", headers=preflight).status == 204
    assert is_error(keyed.request("OPTIONS", "/v1/transcribe", headers=origin), 401, "unauthorized")
    answer = keyed.post("/v1/transcribe", b"", origin)
    assert is_error(answer, 401, "unauthorized")
    assert answer.headers["access-control-allow-origin"] == origin["Origin"]  # the page may read why


def test_a_websocket_brings_its_key_in_the_header_or_as_a_subprotocol(keyed):
    with keyed.socket(additional_headers=bearer(ANNA)) as socket:
        assert said(socket)["type"] == "ready"
        assert socket.subprotocol is None
    for key in (ANNA, SLASHES):
        with keyed.socket(subprotocols=["bearer", quote(key, safe="")]) as socket:
            assert said(socket)["type"] == "ready"
            assert socket.subprotocol == "bearer"  # browsers hang up without one; and never the key
    for options in ({}, {"subprotocols": ["bearer", OTHER]}, {"subprotocols": [ANNA]}):
        with pytest.raises(InvalidStatus) as caught, keyed.socket(**options):
            pass
        response = caught.value.response
        assert (response.status_code, json.loads(response.body)["code"]) == (401, "unauthorized")
        assert response.headers["www-authenticate"].startswith("Bearer")


def test_without_keys_nothing_is_asked_and_the_subprotocol_is_answered_all_the_same(server):
    assert server.get("/v1/models", bearer(OTHER)).status == 200
    with server.socket(subprotocols=["bearer", OTHER]) as socket:
        assert said(socket)["type"] == "ready"
        assert socket.subprotocol == "bearer"
    assert OTHER not in server.log


@pytest.mark.slow
def test_sighup_reads_the_keys_again_and_keeps_them_where_that_fails(file):
    file.write_text(ANNA, encoding="ascii")
    with serving("--api-key-file", str(file)) as server:
        file.write_text(f"bob: {OTHER}", encoding="ascii")
        assert server.get("/v1/models", bearer(ANNA)).status == 200  # nobody has said so yet
        with server.socket(additional_headers=bearer(ANNA)) as socket:
            server.signal(signal.SIGHUP)
            server.wait_for_line("1 API keys read again")
            assert said(socket)["type"] == "ready"  # a session that is open goes on
        assert is_error(server.get("/v1/models", bearer(ANNA)), 401, "unauthorized")
        assert server.get("/v1/models", bearer(OTHER)).status == 200
        for broken in ("short", ""):
            file.write_text(broken, encoding="ascii")
            server.signal(signal.SIGHUP)
            server.wait_for_line(
                "ERROR.*the API keys stay as they were: .*" + ("characters" if broken else "no key")
            )
            assert server.get("/v1/models", bearer(OTHER)).status == 200
        file.unlink()
        server.signal(signal.SIGHUP)
        server.wait_for_line("the API keys stay as they were: .*No such file")
        assert server.get("/v1/models", bearer(OTHER)).status == 200
        assert is_error(server.get("/v1/models"), 401, "unauthorized")


@pytest.mark.slow
def test_a_file_that_cannot_be_ends_the_start(file):
    file.write_text("short-secret", encoding="ascii")
    for path in (file, file.with_name("nowhere")):
        with serving("--api-key-file", str(path), wait="nothing") as server:
            assert server.wait() == 2
        assert str(path) in server.log
        assert "Traceback" not in server.log
        assert "secret" not in server.log


@pytest.mark.slow
def test_guessing_is_limited_as_well_and_an_open_address_is_warned_of(file):
    file.write_text(ANNA, encoding="ascii")
    file.chmod(0o644)
    flags = ("--host", "0.0.0.0", "--bind-all", "--rate-limit-per-minute", "1", "--rate-limit-burst", "2")
    with serving("--api-key-file", str(file), *flags, "--log-level", "debug") as server:
        statuses = [server.get("/v1/models", bearer(OTHER)).status for _ in range(3)]
        assert statuses == [401, 401, 429]
        server.wait_for_line("WARNING.*API keys come to 0.0.0.0 in plain HTTP")
        server.wait_for_line("WARNING.*others may read or change the API keys")
        assert "nothing asks callers who they are" not in server.log
        assert OTHER not in server.log
        assert ANNA not in server.log
