"""What the Hub and the network may do wrong: what is tried again, what is not, and what is said of it."""

from __future__ import annotations

import logging
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gigastt_lab.errors import (
    ChecksumError,
    HubMissingError,
    HubRefusedError,
    HubUnreachableError,
)
from gigastt_lab.models.download import STAGING_NAME, download
from gigastt_lab.models.hub import Retries
from gigastt_lab.models.hub_client import file_url
from tests.support.downloads import (
    ENCODER,
    TOKEN,
    VOCABULARY,
    assert_complete,
    assert_incomplete,
    forget_connections,
)
from tests.support.hub import (
    REPOSITORY,
    REVISION,
    Cut,
    Garbled,
    Hang,
    Hub,
    Page,
    Redirect,
    Status,
    Unranged,
    serve,
)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A model directory that is not there yet."""
    return tmp_path / "deep" / "models"


# What is refused


def test_wrong_bytes_get_no_name(hub: Hub, target: Path) -> None:
    right = hub.files[ENCODER]
    hub.files[ENCODER] = right[:-1] + bytes([right[-1] ^ 1])
    with pytest.raises(ChecksumError, match=r"another file than expected: its SHA-256 is [0-9a-f]{64}"):
        download(hub.model, target)
    assert_incomplete(target)
    assert len(hub.requests_for(ENCODER)) == 1
    hub.files[ENCODER] = right
    assert download(hub.model, target) == (ENCODER,)
    assert_complete(target, hub.model)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x"], ids=["less", "more"])
def test_a_file_of_another_size_is_refused_before_it_is_fetched(
    hub: Hub, target: Path, change: Callable[[bytes], bytes]
) -> None:
    hub.files[ENCODER] = change(hub.files[ENCODER])
    with pytest.raises(ChecksumError, match=f"bytes instead of {hub.model.files[-1].size:,}"):
        download(hub.model, target)
    assert_incomplete(target)
    assert list((target / STAGING_NAME).iterdir()) == []


@pytest.mark.parametrize("declares_length", [False, True])
def test_a_page_of_a_proxy_costs_nothing_that_is_there(
    hub: Hub, target: Path, waits: list[float], declares_length: bool
) -> None:
    hub.faults[ENCODER] = [Cut(200_000), Page(b"<html>log in</html>", declares_length)]
    download(hub.model, target)
    assert_complete(target, hub.model)
    _, page, rest = hub.requests_for(ENCODER)
    assert rest.start == page.start > 0


def test_a_page_that_stays_is_named(hub: Hub, target: Path, waits: list[float]) -> None:
    hub.always[ENCODER] = Page(b"<html>log in</html>")
    with pytest.raises(HubUnreachableError, match=r"in 5 attempts: .*a proxy or a login page may have"):
        download(hub.model, target)
    assert_incomplete(target)
    assert list((target / STAGING_NAME).iterdir()) == []


def test_a_part_that_does_not_say_which_is_asked_for_again(
    hub: Hub, target: Path, waits: list[float]
) -> None:
    hub.faults[ENCODER] = [Cut(200_000), Unranged()]
    download(hub.model, target)
    assert_complete(target, hub.model)
    assert len(hub.requests_for(ENCODER)) == 3


def test_several_answers_that_do_not_fit_are_fetched_anew_once(
    hub: Hub, target: Path, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    hub.faults[ENCODER] = [Cut(200_000), Garbled()]
    download(hub.model, target)
    assert_complete(target, hub.model)
    assert [request.start > 0 for request in hub.requests_for(ENCODER)] == [False, True, False]
    assert "damaged" in caplog.text
    (target / ENCODER).unlink()
    hub.requests.clear()
    hub.faults[ENCODER] = [Cut(200_000), Garbled(), Cut(200_000), Garbled()]
    with pytest.raises(ChecksumError, match="another file than expected"):
        download(hub.model, target)
    assert len(hub.requests_for(ENCODER)) == 4


@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        (Status(401), HubRefusedError, "HF_TOKEN"),
        (Status(403, {"X-Error-Message": "Access is gated"}), HubRefusedError, "Access is gated"),
        (Status(404), HubMissingError, "HF_ENDPOINT"),
        (Status(410), HubMissingError, "HF_ENDPOINT"),
        (Status(418), HubUnreachableError, "HTTPS_PROXY"),
    ],
    ids=lambda value: str(value.code) if isinstance(value, Status) else "",
)
def test_an_answer_that_stays_is_not_asked_for_again(
    hub: Hub, target: Path, status: Status, error: type[Exception], advice: str
) -> None:
    hub.always[ENCODER] = status
    with pytest.raises(error) as caught:
        download(hub.model, target)
    assert len(hub.requests_for(ENCODER)) == 1
    assert_incomplete(target)
    url = f"{hub.url}/{REPOSITORY}/resolve/{REVISION}/{ENCODER}"
    for part in (str(status.code), url, str(target), advice, "--model demo", "--model-dir"):
        assert part in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("code", [408, 429, 500, 502, 503])
def test_an_answer_that_heals_is_asked_for_again(
    hub: Hub, target: Path, waits: list[float], code: int
) -> None:
    hub.faults[ENCODER] = [Status(code), Status(code)]
    download(hub.model, target)
    assert_complete(target, hub.model)
    assert waits == [1.0, 2.0]


def test_the_hub_may_ask_for_a_pause(hub: Hub, target: Path, waits: list[float]) -> None:
    hub.faults[VOCABULARY] = [Status(429, {"Retry-After": "7"}), Status(503, {"Retry-After": "0"})]
    download(hub.model, target)
    assert waits == [7.0, 2.0]


def test_but_for_no_long_one(hub: Hub, target: Path, waits: list[float]) -> None:
    hub.always[VOCABULARY] = Status(429, {"Retry-After": "3600"})
    with pytest.raises(HubUnreachableError, match="429, and asks for a pause of 3600 s"):
        download(hub.model, target)
    assert waits == []
    assert len(hub.requests_for(VOCABULARY)) == 1


@pytest.mark.parametrize("code", [429, 500])
def test_it_is_not_asked_for_ever(hub: Hub, target: Path, waits: list[float], code: int) -> None:
    hub.always[ENCODER] = Status(code)
    with pytest.raises(HubUnreachableError, match=f"in 5 attempts: the Hub answers {code}"):
        download(hub.model, target)
    assert len(hub.requests_for(ENCODER)) == 5
    assert waits == [1.0, 2.0, 4.0, 8.0]
    assert_incomplete(target)


def test_a_hub_that_does_not_answer_is_given_up(
    hub: Hub, target: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    hub.always[VOCABULARY] = Hang()
    with pytest.raises(HubUnreachableError, match=r"in 2 attempts: .*Timeout"):
        download(hub.model, target, retries=Retries(attempts=2))


@pytest.fixture
def closed_port(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a Hub that is gone."""
    with serve({}) as gone:
        url = gone.url
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    return url


def test_offline_one_failure_is_enough(hub: Hub, target: Path, waits: list[float], closed_port: str) -> None:
    with pytest.raises(
        HubUnreachableError, match=r"no connection to .*--model demo.*--model-dir.*HTTPS_PROXY.*HF_ENDPOINT"
    ):
        download(hub.model, target)
    assert waits == []
    assert_incomplete(target)


def test_a_name_that_is_not_resolved_is_not_tried_again(
    hub: Hub, target: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://nowhere.invalid")
    with pytest.raises(HubUnreachableError, match=r"no connection to nowhere\.invalid"):
        download(hub.model, target)
    assert waits == []


def test_a_network_that_goes_away_on_the_way_may_come_back(
    hub: Hub, target: Path, waits: list[float]
) -> None:
    with serve({}) as gone:
        hub.always[ENCODER] = Redirect(gone.url)  # what comes before it was sent
    with pytest.raises(HubUnreachableError, match=r"in 5 attempts: .*refused"):
        download(hub.model, target)
    assert waits == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("endpoint", ["localhost:8080", "ftp://localhost"])
def test_an_address_that_cannot_work_is_not_tried_again(
    hub: Hub,
    target: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    endpoint: str,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
    with pytest.raises(HubUnreachableError, match="check HF_ENDPOINT"):
        download(hub.model, target)
    assert waits == []


@pytest.mark.slow
def test_a_certificate_that_cannot_be_verified_is_not_tried_again(
    hub: Hub, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    subprocess.run(
        [*make, "-keyout", str(key), "-out", str(certificate), "-days", "1"], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serve({}) as untrusted:
        untrusted.socket = context.wrap_socket(untrusted.socket, server_side=True)
        monkeypatch.setattr(
            "huggingface_hub.constants.ENDPOINT", untrusted.url.replace("http://", "https://")
        )
        with pytest.raises(HubUnreachableError, match=r"certificate cannot be verified.*SSL_CERT_FILE"):
            download(hub.model, target)


def test_offline_mode(hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    forget_connections()
    with pytest.raises(HubUnreachableError, match=r"offline mode is on.*--model demo"):
        download(hub.model, target)
    assert hub.requests == []


# The client's settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HF_HUB_DOWNLOAD_TIMEOUT", "abc"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "-1"),
        ("HF_ENDPOINT", "http://[::1"),
        ("HF_ENDPOINT", "http://127.0.0.1:99999"),
        ("HF_ENDPOINT", f"http://{'a' * 70}.example"),
    ],
)
def test_a_setting_that_cannot_work_is_named(
    hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    command = [sys.executable, "-m", "gigastt_lab", "download", "--model-dir", str(target)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (4, "")
    assert ran.stderr.startswith("ERROR: ")
    assert variable in ran.stderr
    assert "--model demo" in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not target.exists()


def test_a_host_of_a_redirect_that_cannot_be_is_an_error(hub: Hub, target: Path, waits: list[float]) -> None:
    hub.always[ENCODER] = Redirect(f"http://{'a' * 70}.example")
    with pytest.raises(HubUnreachableError):
        download(hub.model, target)


def test_an_empty_endpoint_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "")
    assert file_url("a/b", "c", "d") == "https://huggingface.co/a/b/resolve/c/d"


# The token


@pytest.mark.parametrize("content", [b"hf_\xff\xfe", None], ids=["no UTF-8", "a directory"])
def test_a_token_file_that_cannot_be_read_is_named(
    hub: Hub, target: Path, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "hf" / "token"
    if content is None:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    with pytest.raises(HubRefusedError, match=r"hf/token.*HF_TOKEN_PATH"):
        download(hub.model, target)
    assert hub.requests == []


def test_the_token_is_sent_to_the_hub_alone_and_never_shown(
    hub: Hub,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    caplog.set_level(logging.DEBUG, "gigastt_lab")
    with serve(hub.files) as storage:
        hub.always[ENCODER] = Redirect(storage.url)
        hub.always[VOCABULARY] = Status(403)
        with pytest.raises(HubRefusedError) as caught:
            download(hub.model, target)
        del hub.always[VOCABULARY]
        download(hub.model, target)
        assert_complete(target, hub.model)
        assert {request.headers.get("authorization") for request in hub.requests} == {f"Bearer {TOKEN}"}
        assert [request.headers.get("authorization") for request in storage.requests] == [None]
    assert TOKEN not in caplog.text + str(caught.value)


def test_without_a_token_none_is_sent(hub: Hub, target: Path) -> None:
    download(hub.model, target)
    assert {request.headers.get("authorization") for request in hub.requests} == {None}


def test_a_range_survives_a_redirect(hub: Hub, target: Path, waits: list[float]) -> None:
    with serve(hub.files) as storage:
        hub.always[ENCODER] = Redirect(storage.url)
        storage.faults[ENCODER] = [Cut(150_000)]
        download(hub.model, target)
        assert [request.start > 0 for request in storage.requests] == [False, True]
    assert_complete(target, hub.model)


@pytest.mark.parametrize("token", ["hf_secret\x07bell", "hf_секрет"])
def test_a_token_that_cannot_be_sent_is_not_shown(
    hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(HubRefusedError, match="HF_TOKEN") as caught:
        download(hub.model, target)
    assert token not in str(caught.value)
    assert caught.value.__suppress_context__
    assert hub.requests == []
