"""OpenAI's own Python client against the server, as its users would call it."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import threading

import numpy as np
import pytest

from gigastt_lab.formats import render
from tests.support.audio_files import by_soundfile
from tests.support.nonsense import form
from tests.support.recordings import RATE, as_wav
from tests.support.server_process import eventually, is_error, serving

openai = pytest.importorskip("openai")
ROUTE = "/v1/audio/transcriptions"


@pytest.fixture(scope="module")
def client(server):
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield made


@pytest.fixture
def create(client):
    return client.audio.transcriptions.create


def refused(call, kind=openai.BadRequestError):
    """The error of a call; its message, the class and the three fields that programs look at."""
    with pytest.raises(kind) as error:
        call()
    found = error.value
    assert found.body["message"] in str(found)
    assert len(found.request_id) == 32
    return found


def is_openai_error(answer, status, code, type_, param=None):
    """Whether an answer is this error, as OpenAI's clients read it and as those of gigastt do."""
    told = answer.json
    assert (answer.status, told["code"]) == (status, code), answer
    assert told["error"] == {"message": told["message"], "type": type_, "param": param, "code": code}
    return True


# -- answers ------------------------------------------------------------------------------------------------


def test_every_format(create, heard, wav):
    transcript = heard.transcribe(wav)
    assert create(model="whisper-1", file=("a.wav", wav)).text == transcript.text
    assert create(model="x", file=("a.wav", wav), response_format="text").strip() == transcript.text
    for name in ("srt", "vtt"):
        assert create(model="x", file=("a.wav", wav), response_format=name) == render(transcript, name)
    verbose = create(
        model="whisper-1",
        file=("a.wav", wav),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        language="ru",
    )
    assert verbose.duration == pytest.approx(transcript.duration_s, abs=1e-3)
    assert [word.word for word in verbose.words] == [word.text for word in transcript.words]
    assert [word.start for word in verbose.words] == [round(word.start, 3) for word in transcript.words]
    assert " ".join(segment.text for segment in verbose.segments) == transcript.text


def test_empty_and_foreign_fields_change_nothing(create, heard, wav):
    found = create(
        model="",
        file=("a.wav", wav),
        language="",
        prompt="",
        response_format="",
        temperature=0,
        timestamp_granularities=[""],
        include=["logprobs"],
        chunking_strategy={"type": "server_vad", "threshold": 0.5},
        extra_body={"stream": ""},
    )
    assert found.text == heard.transcribe(wav).text


def test_what_was_wrong_with_the_file_is_told(create, heard, speech):
    content = bytearray(by_soundfile(speech, RATE, "FLAC"))
    content[len(content) // 2 : len(content) // 2 + 300] = bytes(300)
    damaged = {"model": "x", "file": ("a.flac", bytes(content))}
    expected = [
        {"kind": each.kind, "message": each.message, "start": round(each.start, 3), "end": round(each.end, 3)}
        for each in heard.transcribe(bytes(content)).warnings
    ]
    assert [each["kind"] for each in expected] == ["damaged"]
    assert create(**damaged).warnings == expected
    assert create(**damaged, response_format="verbose_json").warnings == expected
    assert list(create(**damaged, stream=True))[-1].warnings == expected
    whole = create(model="x", file=("a.flac", by_soundfile(speech, RATE, "FLAC")))
    assert not hasattr(whole, "warnings")


def test_raw_answers(client, heard, wav):
    raw = client.audio.transcriptions.with_raw_response.create(model="x", file=("a.wav", wav))
    assert raw.parse().text == heard.transcribe(wav).text
    assert "work;dur=" in raw.headers["server-timing"]
    assert raw.request_id == raw.headers["x-request-id"]


def test_models(server, client):
    assert [model.id for model in client.models.list()] == ["gigaam-demo"]
    for name in ("gigaam-demo", "demo"):
        model = client.models.retrieve(name)
        assert (model.id, model.object, model.owned_by) == ("gigaam-demo", "model", "gigastt_lab")
        assert model.created == server.get("/v1/models").json["data"][0]["created"] > 1_700_000_000
    missing = refused(lambda: client.models.retrieve("org/whisper 1"), openai.NotFoundError)
    assert (missing.code, missing.param) == ("model_not_found", "model")
    assert "'org/whisper 1'; this server has gigaam-demo" in missing.message


# -- streams ------------------------------------------------------------------------------------------------


def test_a_stream_has_deltas_and_the_whole_text(create, heard, speech):
    content = as_wav(np.tile(speech, 5))
    with create(model="whisper-1", file=("a.wav", content), stream=True) as stream:
        events = list(stream)
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert [event.type for event in events] == ["transcript.text.delta"] * len(deltas) + [
        "transcript.text.done"
    ]
    assert len(deltas) >= 2
    assert "".join(deltas) == events[-1].text == heard.transcribe(content).text != ""


def test_an_asynchronous_stream(server, heard, wav):
    async def texts():
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            stream = await client.audio.transcriptions.create(
                model="x", file=io.BytesIO(wav), stream=True, response_format="text"
            )
            return [event async for event in stream]

    delta, done = asyncio.run(texts())
    assert delta.delta == done.text == heard.transcribe(wav).text


def test_what_is_sent_of_a_stream(server, heard, wav):
    answer = server.post(ROUTE, *form([("stream", "true")], wav))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    text = json.dumps(heard.transcribe(wav).text, ensure_ascii=False)
    assert answer.text == (
        f'data: {{"type":"transcript.text.delta","delta":{text}}}\n\n'
        f'data: {{"type":"transcript.text.done","text":{text}}}\n\n'
        "data: [DONE]\n\n"
    )


def test_a_stream_of_silence_is_an_empty_text(create):
    silence = ("a.wav", as_wav(np.zeros(5 * RATE, np.float32)))
    (done,) = create(model="x", file=silence, stream=True)
    assert (done.type, done.text) == ("transcript.text.done", "")


@pytest.mark.slow
def test_a_client_that_leaves_a_stream_gives_its_permit_back(server, client, long_wav):
    for _ in range(5):
        with client.audio.transcriptions.create(model="x", file=("a.wav", long_wav), stream=True) as stream:
            assert next(stream).delta
    assert eventually(lambda: server.available() == 4)
    server.wait_for_line("the client went away after")


# -- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_errors_name_their_cause_and_the_field(create, wav, stream):
    for content, words in ((b"", "The file is empty"), (b"no audio", "not a known audio file")):
        error = refused(lambda content=content: create(model="x", file=("a.wav", content), stream=stream))
        assert (error.code, error.type, error.param) == ("bad_request", "invalid_request_error", "file")
        assert words in error.message
    for field, value in (("response_format", "diarized_json"), ("timestamp_granularities", ["char"])):
        call = {"model": "x", "file": ("a.wav", wav), "stream": stream, field: value}
        error = refused(lambda call=call: create(**call))
        assert (error.code, error.param) == ("bad_request", field)
    error = refused(lambda: create(model="x", file=("a.wav", wav), stream=True, response_format="srt"))
    assert (error.param, "give json or text" in error.message) == ("response_format", True)


def test_a_body_that_is_no_form(server, wav):
    assert is_openai_error(server.post(ROUTE, wav), 400, "bad_request", "invalid_request_error")
    body, headers = form([], wav)
    answer = server.post(ROUTE, body.replace(b'name="file"', b'name="audio"'), headers)
    assert is_openai_error(answer, 400, "bad_request", "invalid_request_error", "file")
    assert is_openai_error(server.get(ROUTE), 405, "method_not_allowed", "invalid_request_error")


def test_what_the_server_refuses_before_the_route_has_the_same_shape(server, wav):
    body, headers = form([], wav)
    for header, code in (
        ({"Origin": "https://evil.example"}, "origin_denied"),
        ({"Host": "evil"}, "host_denied"),
    ):
        answer = server.post(ROUTE, body, headers | header)
        assert is_openai_error(answer, 403, code, "permission_error")
    large = server.post(ROUTE, bytes(60_000_000), headers)
    assert is_openai_error(large, 413, "payload_too_large", "invalid_request_error")


def test_routes_that_are_not_there(server, client):
    for call in (
        lambda: client.embeddings.create(model="x", input="x"),
        lambda: client.chat.completions.create(model="x", messages=[]),
        client.with_options(base_url=server.url).models.list,
    ):
        assert refused(call, openai.NotFoundError).code == "not_found"
    assert "ends in /v1" in str(refused(call, openai.NotFoundError))
    assert is_error(server.get("/v1/chat/completions"), 404, "not_found")
    assert isinstance(server.get("/v1/chat/completions").json["error"], str)  # nobody of OpenAI's asked


@pytest.mark.slow
def test_limits_and_a_full_server(wav):
    flags = ("--rate-limit-per-minute", "1", "--rate-limit-burst", "2", "--pool-size", "1",
             "--pool-checkout-timeout-secs", "0")  # fmt: skip
    with serving(*flags) as server, server.socket() as stream:
        assert json.loads(stream.recv())["type"] == "ready"  # the permit, and the first of two requests
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:

            def ask():
                return client.audio.transcriptions.create(model="x", file=("a.wav", wav), stream=True)

            busy = refused(ask, openai.InternalServerError)
            assert (busy.status_code, busy.code, busy.type) == (503, "pool_saturated", "server_error")
            limited = refused(ask, openai.RateLimitError)
            assert (limited.code, limited.type) == ("rate_limit_exceeded", "rate_limit_error")
            listed = refused(client.models.list, openai.RateLimitError)
            assert listed.response.json()["retry_after_ms"] > 0


@pytest.mark.slow
def test_a_key_is_the_clients_api_key(tmp_path, wav):
    key = "a-key-of-this-test-0123456789abcdef"
    keys = tmp_path / "keys"
    keys.write_text(f"alice: {key}\n", encoding="utf-8")
    keys.chmod(0o600)
    with serving("--api-key-file", str(keys)) as server:
        for given in ("none", key):
            with openai.OpenAI(base_url=f"{server.url}/v1", api_key=given, max_retries=0) as client:

                def ask(client=client):
                    return client.audio.transcriptions.create(model="x", file=("a.wav", wav), stream=True)

                if given == key:
                    assert [event.type for event in ask()][-1] == "transcript.text.done"
                else:
                    error = refused(ask, openai.AuthenticationError)
                    assert (error.code, error.type) == ("unauthorized", "authentication_error")


@pytest.mark.slow
def test_an_error_in_the_middle_of_a_stream_is_raised(speech):
    ogg = by_soundfile(np.tile(speech, 20), RATE, "OGG")  # does not state its length
    with serving("--max-audio-secs", "60", "--pool-size", "1") as server:
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            stream = client.audio.transcriptions.create(model="x", file=("a.ogg", ogg), stream=True)
            found = []
            with pytest.raises(openai.APIError) as error:
                found.extend(event.type for event in stream)
        assert set(found) == {"transcript.text.delta"}
        assert (error.value.code, error.value.type) == ("bad_request", "invalid_request_error")
        assert "60" in error.value.message
        assert server.available() == 1


@pytest.mark.slow
def test_a_stream_under_way_is_finished_when_the_server_stops(heard, long_wav):
    expected = heard.transcribe(long_wav).text
    with serving("--shutdown-drain-secs", "600", "--pool-size", "1") as server:
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            stream = client.audio.transcriptions.create(model="x", file=("a.wav", long_wav), stream=True)
            first = next(stream)
            stopping = threading.Thread(target=lambda: server.signal(signal.SIGTERM))
            stopping.start()
            events = [first, *stream]
            stopping.join()
        assert events[-1].text == expected == "".join(event.delta for event in events[:-1])
        assert server.wait() == 0


@pytest.mark.slow
def test_a_stream_that_outlasts_the_drain_says_that_it_is_not_whole(long_wav):
    flags = ("--shutdown-drain-secs", "1", "--pool-size", "4", "--threads", "1")
    with serving(*flags) as server:
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            streams = [
                client.audio.transcriptions.create(model="x", file=("a.wav", long_wav), stream=True)
                for _ in range(4)
            ]
            assert all(next(stream).delta for stream in streams)
            server.signal(signal.SIGTERM)
            ends = [end_of(stream) for stream in streams]
        assert server.wait() == 0
    assert set(ends) <= {"transcript.text.done", "pool_closed"}
    assert "without completing" not in server.log


def end_of(stream):
    """The type of a stream's last event, or the code of the error that ended it."""
    try:
        return list(stream)[-1].type
    except openai.APIError as error:
        return error.code
