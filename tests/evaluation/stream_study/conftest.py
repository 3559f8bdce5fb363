"""Servers to stream to, ended with their test."""

import threading

import pytest
from websockets.sync.server import serve

from tests.support.gigastt_stand_in import Server


@pytest.fixture
def start():
    """Starts a stand-in with these scripts; gives it with its `url`."""
    running = []

    def begin(*scripts):
        server = Server(*scripts)
        listener = serve(server, "127.0.0.1", 0, process_request=server.refuse, compression=None)
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        running.append((server, listener, thread))
        server.url = f"ws://127.0.0.1:{listener.socket.getsockname()[1]}/v1/ws"
        return server

    yield begin
    for server, listener, thread in running:
        server.released.set()
        listener.shutdown()
        thread.join()
