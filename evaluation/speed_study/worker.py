"""The process of one contestant: requests come as JSON lines on stdin, answers go to what was stdout.

    python -m evaluation.speed_study.worker '{"kind": "engine", "model": "demo", ...}'

A request is ``{"do": NAME, ...}``, an answer a JSON object; ``{"error": TEXT}`` where something failed. The
first request has to be ``load``. Whatever a library prints goes to stderr. Nothing but the contestant's own
packages is imported here: its memory and the time that it takes to start are measured in this process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from evaluation.speed_study import runners
from evaluation.systems.timed import Operations

_STATUS: Final = Path("/proc/self/status")
_REST_S: Final = 0.005
_LONGEST_REST_S: Final = 1.0
_FIELDS: Final = ("VmRSS", "VmHWM", "RssAnon", "RssFile")


def main(arguments: list[str]) -> int:
    """Answer requests until stdin ends; 2 where nobody knows such a contestant."""
    answers = _own_stdout()
    spec: dict[str, Any] = json.loads(arguments[0])
    if not runners.knows(spec.get("kind", "")):
        known = ", ".join(runners.names())
        _say(answers, {"error": f"there is no contestant {spec.get('kind')!r}: {known}"})
        return 2
    operations: Operations = {"memory": memory, "rest": rest}
    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("do")
        try:
            if name == "load":
                answer = load(spec, operations)
            elif name in operations:
                answer = operations[name](**request)
            else:
                answer = {"error": f"{spec['kind']} cannot {name!r}: {', '.join(operations)}"}
        except Exception as error:  # noqa: BLE001 - of foreign packages, whose errors have no common class
            answer = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
        _say(answers, answer)
    return 0


def load(spec: Mapping[str, Any], operations: Operations) -> dict[str, Any]:
    """Import and load a contestant; `operations` gets what it can do.

    Returns:
        "load_s", seconds of both; "version" of its package; and `memory` after it.
    """
    started = time.perf_counter()
    found = runners.load(spec)
    load_s = time.perf_counter() - started
    operations.update(found.operations)
    return {"load_s": load_s, "version": found.version, **memory()}


def memory() -> dict[str, Any]:
    """Bytes that this process holds, by the names of proc(5); empty where there is no such file.

    VmRSS: resident. VmHWM: the most that it ever was. RssAnon: of VmRSS, what is its own. RssFile: of VmRSS,
    pages of files, which the system can drop: weights that are mapped, and code.
    """
    try:
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {"memory": {}}
    pairs = (line.partition(":")[::2] for line in lines)
    return {"memory": {name: 1024 * int(value.split()[0]) for name, value in pairs if name in _FIELDS}}


def rest() -> dict[str, Any]:
    """Wait until no thread of this process works any more.

    Threads of ONNX Runtime wait for more work by spinning, 35 ms by default, and those of OpenBLAS 100 ms:
    whoever has its turn next would pay for it.
    """
    give_up_at = time.monotonic() + _LONGEST_REST_S
    while time.monotonic() < give_up_at:
        worked = time.process_time()
        time.sleep(_REST_S)
        if time.process_time() - worked < _REST_S / 5:
            break
    return {}


def _own_stdout() -> TextIO:
    """Stream for answers; what others write to stdout goes to stderr from here on, from C code too."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return answers


def _say(answers: TextIO, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
