"""The command `server`: a benchmark of the server, from outside."""

from __future__ import annotations

import argparse
import http.client
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from evaluation.cli import output
from evaluation.cli.options import at_least
from evaluation.records.machine import machine_info
from evaluation.records.naming import safe_name
from evaluation.server_study.benchmark import Benchmark, Plan, benchmark
from evaluation.server_study.client import Address
from evaluation.server_study.clips import AUDIO_S
from evaluation.server_study.plots import benchmark_figure, write_png
from evaluation.server_study.process import ModelChoice, terminated_as_interrupted
from evaluation.server_study.tables import (
    conclusions,
    load_table,
    memory_table,
    of_server,
    overhead_table,
    streams_table,
)
from evaluation.show.display import render_text
from evaluation.show.files import write_content
from evaluation.systems.base import SystemUnavailableError
from gigastt_lab.errors import brief
from gigastt_lab.exit_codes import ExitCode
from gigastt_lab.models.files import PrecisionChoice


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument_group("server").add_argument
    add_model_options(add)
    add("--precision", choices=get_args(PrecisionChoice), default="auto",
        help="of the encoder; default: auto")  # fmt: skip
    add("--pool-size", type=at_least(1), default=Plan.pool_size, metavar="N",
        help=f"permits of the server that latency is measured on; default: {Plan.pool_size}")  # fmt: skip
    add("--url", type=address, metavar="http://HOST:PORT",
        help="a server that runs already: latency alone, neither memory nor overhead")  # fmt: skip
    add = parser.add_argument_group("measurement (lists are separated by commas)").add_argument
    add("--clients", type=_counts, default=Plan.clients, metavar="N,...",
        help="at once, each sending its next request after the last answer; default: 1,4,8")  # fmt: skip
    add("--seconds", type=_seconds, default=Plan.seconds, metavar="S",
        help=f"of each run; default: {Plan.seconds:g}")  # fmt: skip
    add("--pool-sizes", type=_counts, default=Plan.pool_sizes, metavar="N,...",
        help="permits of the fresh servers whose memory is measured; default: 1,2,4,8")  # fmt: skip
    add("--streams", type=_counts, default=(), metavar="N,...",
        help="live streams at once, at the pace of speech; default: none")  # fmt: skip
    add = parser.add_argument_group("output").add_argument
    add("--out", type=Path, metavar="DIR", help="default: runs/server_<model>")


def add_model_options(add: Callable[..., Any]) -> None:
    """Add `--model` and `--model-dir`, for a server that is started here.

    Args:
        add: `add_argument` of a parser or group.
    """
    add("--model", default="demo", metavar="NAME", help="default: demo, the small packaged one")
    add("--model-dir", metavar="DIR", help="directory of the model, if not the usual one")


def carry_out(options: argparse.Namespace) -> int:
    """Requests per second and latency of the server, what it adds to its engine, and what memory it takes."""
    choice = ModelChoice(model=options.model, directory=options.model_dir, precision=options.precision)
    plan = Plan(
        choice=choice,
        clients=options.clients,
        pool_sizes=options.pool_sizes,
        pool_size=options.pool_size,
        streams=options.streams,
        seconds=options.seconds,
        address=options.url,
    )
    of_what = options.model if options.url is None else options.url.url.partition("//")[2]
    directory: Path = options.out or Path("runs") / safe_name(f"server_{of_what}")
    directory.mkdir(parents=True, exist_ok=True)
    with terminated_as_interrupted():
        try:
            found = benchmark(plan, show_progress=not options.json)
        except http.client.HTTPException as error:
            raise SystemUnavailableError(f"the server broke a connection off: {brief(error)}") from error
    content = {"command": options.command, **found.as_content()}
    paths = [
        write_content(content, directory / "server.json"),
        write_png(benchmark_figure(found), directory / "server.png"),
    ]
    if options.json:
        output.write_json(content | {"files": [str(path) for path in paths]})
    else:
        output.write_text(as_text(found) + "".join(f"{path}\n" for path in paths))
    return ExitCode.OK


def as_text(found: Benchmark) -> str:
    """Tables and conclusions, for people."""
    plan, machine = found.plan, machine_info()
    parts = [
        f"{of_server(found.server)}\n"
        f"on {machine['cpu']}, {machine['cores']} cores, clients on the same machine\n\n",
        f"POST /v1/transcribe, WAV of {AUDIO_S:g} s, {plan.seconds:g} s each\n"
        f"{render_text(load_table(found))}\n\n",
    ]
    if found.overhead is not None:
        parts.append(f"Overhead\n{render_text(overhead_table(found.overhead))}\n\n")
    if found.memory:
        n_clients = found.memory[0].n_clients
        parts.append(f"Memory, load by {n_clients} clients\n{render_text(memory_table(found))}\n\n")
    if found.streams:
        parts.append(f"Live streams: p50 / p95 / p99\n{render_text(streams_table(found))}\n\n")
    parts += [f"{told}\n" for told in conclusions(found)]
    parts.append(
        "95% intervals: of rates, jackknife with Student's t over tenths of a run; of medians, percentile "
        "bootstrap over requests, or over rounds of requests and calls in turn, 1000 resamples, seed 0.\n\n"
    )
    return "".join(parts)


def address(text: str) -> Address:
    """Address of a server, from the command line."""
    try:
        return Address.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _counts(text: str) -> tuple[int, ...]:
    numbers = text.split(",")
    if not all(number.isdecimal() and int(number) for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r}: give numbers of 1 or more, such as 1,4,8")
    return tuple(dict.fromkeys(map(int, numbers)))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r}: give seconds, 0.1 or more")
    return seconds
