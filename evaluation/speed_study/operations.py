"""What the process of a contestant can be asked to do: functions by name, each giving what JSON holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

Operations = dict[str, Callable[..., dict[str, Any]]]
Result = TypeVar("Result")


def timed(work: Callable[[], Result]) -> tuple[Result, dict[str, float]]:
    """A result, and "wall_s" and "cpu_s": seconds that passed, and that this process's threads worked."""
    worked, started = time.process_time(), time.perf_counter()
    result = work()
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - worked
    return result, {"wall_s": wall_s, "cpu_s": cpu_s}


def transcribing(one: Callable[[str], str], many: Callable[[list[str]], list[str]] | None) -> Operations:
    """The operations of whoever turns files into text.

    Args:
        one: The text of the file at a path.
        many: The texts of several, together; None of one that takes one at a time.
    """

    def transcribe(path: str) -> dict[str, Any]:
        text, took = timed(lambda: one(path))
        return {"text": text, **took}

    operations: Operations = {"transcribe": transcribe}
    if many is not None:
        together = many

        def batch(paths: list[str]) -> dict[str, Any]:
            texts, took = timed(lambda: together(paths))
            return {"texts": list(texts), **took}

        operations["batch"] = batch
    return operations
