"""Fields of OpenAI's form and the shape of errors, without a server."""

from __future__ import annotations

import errno

import pytest

from gigastt_lab.errors import AudioError
from gigastt_lab.server.errors import (
    BAD_REQUEST,
    INFERENCE_TIMEOUT,
    POOL_SATURATED,
    RATE_LIMIT_EXCEEDED,
    UNAUTHORIZED,
    ApiError,
    api_error,
)
from gigastt_lab.server.openai.errors import as_openai, content_for, missing_route
from gigastt_lab.server.openai.fields import Wanted, wanted

EVERY_FIELD = (
    "model", "language", "prompt", "response_format", "temperature", "timestamp_granularities[]", "stream",
    "include[]", "chunking_strategy", "timestamp_granularities",
)  # fmt: skip


def scope(path, **headers):
    return {
        "type": "http",
        "path": path,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }


def test_empty_fields_are_no_fields():
    for empty in ("", " ", "\r\n"):
        assert wanted(tuple((name, empty) for name in EVERY_FIELD)) == Wanted() == wanted(())
    assert wanted((("response_format", ""), ("response_format", "srt"))).response_format == "srt"
    assert wanted(
        (("timestamp_granularities[]", ""), ("timestamp_granularities[]", "word"))
    ).granularities == {"word"}


def test_a_strict_reading_and_a_track_may_be_asked_for():
    asked = wanted((("strict", "True"), ("track", "2")))
    assert (asked.strict, asked.track) == (True, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("strict", "perhaps"), ("track", "0"), ("track", "-1"), ("track", "one"), ("track", "٢")],
)
def test_a_bad_strict_or_track_is_named(name, value):
    with pytest.raises(ApiError) as caught:
        wanted(((name, value),))
    assert caught.value.param == name


def test_fields_of_other_models_are_taken_and_ignored():
    others = {
        "model": "gpt-4o-transcribe", "language": "en", "prompt": "x", "temperature": "hot", "user": "me",
        "include[]": "logprobs", "chunking_strategy": "auto", "chunking_strategy[type]": "server_vad",
    }  # fmt: skip
    assert wanted(tuple(others.items())) == Wanted()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("true", True),
        ("True", True),
        ("1", True),
        ("false", False),
        ("FALSE", False),
        ("0", False),
        ("", False),
    ],
)
def test_stream_is_a_switch(given, expected):
    assert wanted((("stream", given),)).streams is expected


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ([("response_format", "pdf")], "response_format", "'pdf'; it has to be one of json, text, srt"),
        ([("response_format", "JSON")], "response_format", "'JSON'"),
        ([("response_format", "json"), ("response_format", "srt")], "response_format", "'json', 'srt'"),
        (
            [("timestamp_granularities[]", "char")],
            "timestamp_granularities",
            "'char'; it may be word or segment",
        ),
        ([("timestamp_granularities", "word,segment")], "timestamp_granularities", "'word,segment'"),
        ([("stream", "yes please")], "stream", "'yes please'; it has to be one of true, 1, false, 0"),
        ([("stream", "true"), ("stream", "false")], "stream", "'true', 'false'"),
        *[
            ([("stream", "true"), ("response_format", name)], "response_format", f"{name}, which cannot be")
            for name in ("srt", "vtt", "verbose_json")
        ],
    ],
)
def test_a_bad_value_is_named_with_its_field(fields, param, words):
    with pytest.raises(ApiError) as refused:
        wanted(tuple(fields))
    told = as_openai(refused.value)
    assert (refused.value.kind, told["error"]["param"]) == (BAD_REQUEST, param)
    assert words in told["error"]["message"]


def test_a_bad_value_is_shown_short_and_on_one_line():
    with pytest.raises(ApiError) as refused:
        wanted((("response_format", "a\nb" + 9_000 * "x"),))
    assert len(refused.value.message) < 200
    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        (BAD_REQUEST, "invalid_request_error"),
        (UNAUTHORIZED, "authentication_error"),
        (RATE_LIMIT_EXCEEDED, "rate_limit_error"),
        (POOL_SATURATED, "server_error"),
    ],
)
def test_both_families_of_clients_find_code_and_message(kind, type_):
    error = ApiError(kind, "Why.", retry_after_s=2)
    for path in ("/v1/audio/transcriptions", "/v1/audio/speech", "/v1/models/x"):
        told = content_for(scope(path), error)
        assert told["error"] == {"message": "Why.", "type": type_, "param": None, "code": kind.code}
        assert (told["code"], told["message"]) == (kind.code, "Why.")
        assert told.get("retry_after_ms") == error.content.get("retry_after_ms")


def test_other_routes_keep_their_shape_but_for_openais_own_clients():
    error = ApiError(BAD_REQUEST, "Why.")
    for path in ("/v1/models", "/v1/transcribe", "/v1/audiobooks", "/nowhere"):
        assert content_for(scope(path), error)["error"] == "Why."
        told = content_for(scope(path, x_stainless_lang="js"), error)
        assert told["error"]["message"] == "Why."


def test_a_base_url_without_v1_is_told():
    assert "ends in /v1" in missing_route(scope("/audio/transcriptions", x_stainless_lang="python"))
    assert missing_route(scope("/audio/transcriptions")) == ""
    assert missing_route(scope("/v1/chat/completions", x_stainless_lang="python")) == ""


def test_what_is_no_audio_is_the_fault_of_the_file():
    assert as_openai(api_error(AudioError("cut")))["error"]["param"] == "file"


def test_clients_are_told_not_to_repeat_work_that_took_too_long():
    assert ApiError(INFERENCE_TIMEOUT).all_headers == {"X-Should-Retry": "false"}
    assert "X-Should-Retry" not in ApiError(POOL_SATURATED, retry_after_s=1).all_headers


def test_a_full_disk_is_no_bug_of_the_server():
    error = api_error(OSError(errno.ENOSPC, "No space left on device", "/somewhere"))
    assert (error.kind.code, error.kind.status) == ("storage_full", 507)
    assert error.all_headers["Retry-After"] == "60"
    assert as_openai(error)["error"]["type"] == "server_error"
    assert "/somewhere" not in str(error.content)
    assert api_error(OSError(errno.EIO, "broken")).kind.code == "internal_error"
