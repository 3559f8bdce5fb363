"""A server of gigastt's WebSocket protocol that says what its script says."""

import json
import threading

READY = {"type": "ready", "model": "made", "sample_rate": 48_000, "version": "1.0"}


BUSY = {"type": "error", "code": "pool_saturated", "message": "all busy", "retry_after_ms": 30_000}


WORD = {"word": "Раз.", "start": 0.1, "end": 0.3, "confidence": 0.75}


class Server:
    """Runs one script per connection, the last one for all that come after; keeps what it was sent."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.refusals = []
        self.sent = []
        self.released = threading.Event()

    def __call__(self, connection):
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        messages = []
        self.sent.append(messages)
        script(self, connection, messages)

    def refuse(self, connection, _request):
        if self.refusals:
            status, retry_after = self.refusals.pop(0)
            response = connection.respond(status, "not now")
            if retry_after:
                response.headers["Retry-After"] = retry_after
            return response
        return None


def say(connection, *messages):
    for message in messages:
        connection.send(json.dumps(message))


def heard_until_stop(connection, messages):
    for message in connection:
        messages.append(message)
        if isinstance(message, str) and json.loads(message)["type"] == "stop":
            return


def well(_server, connection, messages):
    say(connection, READY)
    messages.append(connection.recv())
    messages.append(connection.recv())
    say(
        connection,
        {"type": "partial", "text": "раз", "utterance": 0, "stable": 3, "start": 0.0, "heard": 0.1},
    )
    heard_until_stop(connection, messages)
    say(connection, {"type": "final", "text": "Раз.", "words": [WORD], "heard": 0.5, "reason": "silence"})
    say(connection, {"type": "final", "text": "Два."}, {"type": "final", "text": ""})
