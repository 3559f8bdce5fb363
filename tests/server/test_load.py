"""More clients than permits, and clients that send nonsense: every answer is an answer, and nothing leaks."""

from __future__ import annotations

import concurrent.futures
import socket

import pytest

from tests.support import nonsense
from tests.support.recordings import RATE, as_pcm16
from tests.support.server_process import eventually, serving
from tests.support.websocket_client import finals, said, tell, transcribed

pytestmark = pytest.mark.slow


def in_parallel(n, do):
    with concurrent.futures.ThreadPoolExecutor(n) as executor:
        return list(executor.map(do, range(n)))


def test_thirty_requests_on_two_permits(heard, clear_clips):
    expected = {clip.path: heard.transcribe(clip.path).text for clip in clear_clips}
    with serving("--pool-size", "2", "--pool-checkout-timeout-secs", "20") as server:

        def ask(number):
            clip = clear_clips[number % len(clear_clips)]
            return clip.path, server.post("/v1/transcribe", clip.path.read_bytes())

        for path, answer in in_parallel(30, ask):
            if answer.status == 200:
                assert answer.json["text"] == expected[path]
            else:
                assert (answer.status, answer.json["code"]) == (503, "pool_saturated")
                assert int(answer.headers["retry-after"]) >= 1
        assert server.available() == 2


def test_thirty_requests_on_two_permits_that_are_taken(wav):
    with serving("--pool-size", "2", "--pool-checkout-timeout-secs", "0.5") as server:
        with server.socket() as one, server.socket() as other:
            said(one)
            said(other)
            answers = in_parallel(30, lambda _: server.post("/v1/transcribe", wav))
            assert {(answer.status, answer.json["code"]) for answer in answers} == {(503, "pool_saturated")}
        assert eventually(lambda: server.available() == 2)
        assert server.post("/v1/transcribe", wav).status == 200


def test_eight_streams_on_four_permits(server, heard, speech):
    pcm16 = as_pcm16(speech)
    session = heard.stream()
    expected = [r.text for r in (*session.accept(pcm16), *session.finish()) if r.kind == "final"]
    for messages in in_parallel(8, lambda _: transcribed(server, pcm16)):
        assert [message["text"] for message in finals(messages) if message["text"]] == expected
    assert eventually(lambda: server.available() == 4)


# -- nonsense -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contents(wav, clips):
    return [wav, *(clip.path.read_bytes() for clip in clips)]


@pytest.mark.parametrize("block", range(6))
def test_three_hundred_pieces_of_nonsense(server, contents, block):
    for seed in range(50 * block, 50 * (block + 1)):
        nonsense.send(server, seed, contents)
    assert eventually(lambda: server.available() == 4)


def test_nothing_is_left_behind(wav, contents, speech):
    """Memory, descriptors and permits after a mix of everything, against those after the same mix before."""
    pcm16 = as_pcm16(speech)
    with serving("--metrics") as server:

        def mix(seed):
            for number in range(seed, seed + 60):
                nonsense.send(server, number, contents)
            in_parallel(8, lambda _: transcribed(server, pcm16))
            in_parallel(8, lambda _: server.post("/v1/transcribe", wav))
            in_parallel(8, lambda _: server.post("/v1/transcribe/stream", wav))
            leave(server, pcm16)
            assert eventually(lambda: server.available() == 4)
            assert eventually(lambda: server.metric("gigastt_ws_active_connections") == 0)

        for seed in (0, 60):
            mix(seed)
        before = server.rss_kb(), server.n_descriptors()
        for seed in (120, 180, 240):
            mix(seed)
        assert server.rss_kb() < 1.1 * before[0]
        assert eventually(lambda: server.n_descriptors() <= before[1])


def leave(server, pcm16):
    """Hang up in the middle of everything."""
    for _ in range(4):
        with server.socket() as stream:
            said(stream)
            tell(stream, type="configure", sample_rate=RATE)
            stream.send(pcm16[:100_000])
            stream.socket.close()
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(b"POST /v1/transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nxx")


def test_memory_hardly_depends_on_the_pool():
    sizes = {}
    for pool_size in (1, 8):
        with serving("--pool-size", str(pool_size)) as server:
            sizes[pool_size] = server.rss_kb()
    assert sizes[8] < 1.1 * sizes[1]
