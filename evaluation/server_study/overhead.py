"""Overhead of the server over its engine: latency through HTTP at one client against a direct call.

The engine runs in a process of its own with the same settings. Both take turns, some requests each, first one
and then the other, so that what changes on the machine meanwhile meets both; while one works, the other
sleeps. The first of each turn is left out: it finds the caches full of the other's data.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from evaluation.scoring.options import BOOTSTRAP, Bootstrap
from evaluation.server_study.client import Address, Answer, Client
from evaluation.server_study.load import TIMEOUT_S
from evaluation.server_study.process import ModelChoice
from evaluation.statistics.intervals import Float64Array, percentile_interval
from evaluation.systems.base import SystemUnavailableError
from gigastt_lab.engine import load_engine
from gigastt_lab.errors import GigasttError

TARGET_S: Final = 0.005
"""Seconds that the server may add at most, of 4 s of audio: the median."""

_TURN_S: Final = 0.15  # about so long a turn lasts
_MOST_PER_TURN: Final = 10
_FEWEST_ROUNDS: Final = 6
_N_WARM_UP: Final = 5

Turn = Callable[[int], list[float]]
"""Does its work so many times, and says how long each took, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """Medians of server and engine, and their difference.

    Attributes:
        http_s, engine_s: Medians of all turns, in seconds.
        difference_s: http_s - engine_s.
        low, high: Ends of its interval, rounds of two turns being drawn.
        outside_s: Median of what the server does not count as work on a request: receiving, answering, and
            the client itself; NaN where it does not tell (`Server-Timing`).
        n_rounds, n_each: Number of rounds, and in each of requests, and of calls of the engine.
        n_resamples, seed, level: Options of the interval.
        engine: Facts of what the engine really ran: model, precision, provider, threads.
    """

    http_s: float
    engine_s: float
    difference_s: float
    low: float
    high: float
    outside_s: float
    n_rounds: int
    n_each: int
    n_resamples: int
    seed: int
    level: float
    engine: dict[str, Any]

    @property
    def is_met(self) -> bool:
        """True if the target is met."""
        return self.difference_s <= TARGET_S


def overhead(address: Address, choice: ModelChoice, audio: bytes, seconds: float) -> Overhead:
    """Overhead of the server, measured for about so many seconds.

    Raises:
        SystemUnavailableError: the engine cannot be loaded, or the server does not answer with 200.
        OSError, HTTPException: the server cannot be reached.
    """
    outside: list[float] = []
    with Client(address, TIMEOUT_S) as client, _engine(choice, audio) as (direct, info):

        def through_http(n: int) -> list[float]:
            return [_timed(client, audio, outside) for _ in range(n)]

        for turn in (through_http, direct):
            turn(_N_WARM_UP)
        outside.clear()
        n_each = max(1, min(_MOST_PER_TURN, round(_TURN_S / float(np.median(direct(3))))))
        rounds = _rounds(through_http, direct, n_each, seconds)
    found = difference_of_medians(rounds[:, 0], rounds[:, 1])
    return Overhead(
        http_s=float(np.median(rounds[:, 0])),
        engine_s=float(np.median(rounds[:, 1])),
        **found,
        outside_s=float(np.median(outside)) if outside else float("nan"),
        n_rounds=len(rounds),
        n_each=n_each,
        engine=info,
    )


def difference_of_medians(
    a: npt.ArrayLike, b: npt.ArrayLike, bootstrap: Bootstrap = BOOTSTRAP
) -> dict[str, Any]:
    """Median of A minus median of B, with the percentile bootstrap's interval.

    Args:
        a: Values of A. Shape (n_rounds, n_each).
        b: Values of B in the same rounds, of the same shape; rounds are drawn as wholes.
        bootstrap: Options of the interval.

    Returns:
        The fields of `Overhead`, from "difference_s" to "level".

    >>> found = difference_of_medians([[3.0], [4.0], [5.0]], [[1.0], [2.0], [3.0]])
    >>> found["difference_s"], found["low"], found["high"]
    (2.0, 2.0, 2.0)
    """
    pair = np.asarray(a, float), np.asarray(b, float)
    n_rounds, n_resamples = len(pair[0]), bootstrap.n_resamples
    picks = np.random.default_rng(bootstrap.seed).integers(0, n_rounds, (n_resamples, n_rounds))
    of_a, of_b = (np.median(each[picks].reshape(n_resamples, -1), axis=1) for each in pair)
    low, high = percentile_interval(of_a - of_b, bootstrap.level)
    difference_s = float(np.median(pair[0]) - np.median(pair[1]))
    of_bootstrap = {name: getattr(bootstrap, name) for name in ("n_resamples", "level", "seed")}
    return {"difference_s": difference_s, "low": low, "high": high} | of_bootstrap


def _rounds(one: Turn, other: Turn, n_each: int, seconds: float) -> Float64Array:
    """Times in seconds. Shape (n_rounds, 2, n_each)."""
    turns: Sequence[Turn] = (one, other)
    found: list[list[list[float]]] = []
    give_up_at = time.perf_counter() + seconds
    while len(found) < _FEWEST_ROUNDS or time.perf_counter() < give_up_at:
        order = (0, 1) if len(found) % 2 else (1, 0)
        times = {place: turns[place](n_each + 1)[1:] for place in order}
        found.append([times[0], times[1]])
    return np.array(found)


def _timed(client: Client, audio: bytes, outside: list[float]) -> float:
    """Seconds of one request; what of them was no work goes to `outside`."""
    started = time.perf_counter()
    answer = client.transcribe(audio)
    took_s = time.perf_counter() - started
    if answer.status != 200:
        raise SystemUnavailableError(f"the server answered {answer.status} ({answer.error_code}), not 200")
    work_s = _work_s(answer)
    if work_s is not None:
        outside.append(took_s - work_s)
    return took_s


def _work_s(answer: Answer) -> float | None:
    """Seconds that the server counted as work, as its `Server-Timing` says."""
    for part in answer.headers.get("server-timing", "").split(","):
        name, _, value = part.strip().partition(";dur=")
        if name == "work":
            return float(value) / 1000
    return None


@contextmanager
def _engine(choice: ModelChoice, audio: bytes) -> Iterator[tuple[Turn, dict[str, Any]]]:
    """An engine in a process of its own, and what it really runs."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, choice, audio), daemon=True)
    process.start()
    there.close()
    try:
        info = _received(here)

        def turn(n: int) -> list[float]:
            here.send(n)
            times: list[float] = _received(here)
            return times

        yield turn, info
    finally:
        here.close()  # which ends it
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()


def _received(connection: Connection) -> Any:
    try:
        content = connection.recv()
    except EOFError as error:
        raise SystemUnavailableError("the engine's process ended; see what it printed above") from error
    if isinstance(content, str):
        raise SystemUnavailableError(f"the engine beside the server: {content}")
    return content


def _work(connection: Connection, choice: ModelChoice, audio: bytes) -> None:
    """The engine's process: loads, says what, and then transcribes as often as it is told to."""
    try:
        engine = load_engine(choice.model, model_dir=choice.directory, precision=choice.precision)
    except (GigasttError, OSError) as error:
        connection.send(str(error))
        return
    taken = engine.info
    connection.send({name: getattr(taken, name) for name in ("model", "precision", "provider", "threads")})
    while True:
        try:
            n = connection.recv()
        except EOFError:
            return
        times = []
        for _ in range(n):
            started = time.perf_counter()
            engine.transcribe(audio)
            times.append(time.perf_counter() - started)
        connection.send(times)
