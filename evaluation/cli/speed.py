"""The command `speed`: the engine and its peers side by side; tables, plots, and every round as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from evaluation.cli import output
from evaluation.cli.options import among, at_least
from evaluation.records.naming import safe_name
from evaluation.server_study.process import terminated_as_interrupted
from evaluation.show.files import write_content
from evaluation.speed_study.benchmark import measure
from evaluation.speed_study.content import as_content
from evaluation.speed_study.plots import write_plots
from evaluation.speed_study.report import as_markdown, as_text
from evaluation.speed_study.results import SECTION_NAMES, Plan, SectionName
from evaluation.systems.gigastt import PRELOAD_VARIABLE
from evaluation.systems.timed import Also
from gigastt_lab.exit_codes import ExitCode
from gigastt_lab.models.files import Precision
from gigastt_lab.runtime.cores import DEFAULT_THREADS

_SHORTEST_S, _LONGEST_S = 0.5, 600.0


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add = parser.add_argument_group("contestants").add_argument
    add("--model", default=Plan.model, metavar="NAME",
        help=f"default: {Plan.model}, the small packaged one")  # fmt: skip
    add("--model-dir", metavar="DIR", help="directory of the model, if not the usual one")
    add("--threads", type=at_least(1), metavar="N",
        help=f"of those that can be told; others get as many cores; default: {DEFAULT_THREADS}")  # fmt: skip
    add("--peers", action=argparse.BooleanOptionalAction, default=True,
        help="measure peers that are installed: onnx-asr, gigastt, kairos-asr")  # fmt: skip
    add("--also", type=_also, action="append", default=[], metavar="LABEL=DIR[:PRECISION]",
        help="the engine over another directory, too, such as another recipe's; default: its INT8 encoder; "
        "repeatable")  # fmt: skip
    add("--gigastt-preload", type=_library, metavar="SHIM.so",
        help="preloaded for gigastt's wheel, where glibc is older than 2.38; default: "
        f"${PRELOAD_VARIABLE}")  # fmt: skip
    add = parser.add_argument_group("measurement (lists are separated by commas)").add_argument
    add("--sections", type=among(SectionName), default=SECTION_NAMES, metavar="NAME,...",
        help=f"default: all of {', '.join(SECTION_NAMES)}")  # fmt: skip
    add("--lengths", type=_lengths, default=Plan.lengths_s, metavar="S,...",
        help="seconds of the files that are taken one at a time; default: 4,16,60")  # fmt: skip
    add("--rounds", type=at_least(1), default=Plan.n_rounds, metavar="N",
        help=f"that count; of batches and growth half as many; default: {Plan.n_rounds}")  # fmt: skip
    add = parser.add_argument_group("output").add_argument
    add("--out", type=Path, metavar="DIR", help="default: runs/speed_<model>")


def carry_out(options: argparse.Namespace) -> int:
    """Speed, memory and start-up: the engine, every peer that is installed, and the machine's limit."""
    labels = ["INT8", "FP32", *(each.label for each in options.also)]
    if len(set(labels)) < len(labels):
        options.parser.error(f"--also: labels {', '.join(labels)} are not all different")
    plan = Plan(
        model=options.model,
        directory=options.model_dir,
        threads=options.threads,
        n_rounds=options.rounds,
        lengths_s=options.lengths,
        sections=options.sections,
        with_peers=options.peers,
        also=options.also,
        gigastt_preload=options.gigastt_preload,
    )
    directory: Path = options.out or Path("runs") / safe_name(f"speed_{options.model}")
    directory.mkdir(parents=True, exist_ok=True)
    with terminated_as_interrupted():
        found = measure(plan, show_progress=not options.json)
    content = {"command": options.command, **as_content(found)}
    page = directory / "speed.md"
    page.write_text(as_markdown(found, options.command), encoding="utf-8")
    paths = [write_content(content, directory / "speed.json"), page, *write_plots(found, directory)]
    if options.json:
        output.write_json(content | {"files": [str(path) for path in paths]})
    else:
        output.write_text(as_text(found) + "".join(f"{path}\n" for path in paths))
    has_ours = any(entry.contestant.is_ours and entry.error is None for entry in found.entries)
    return ExitCode.OK if has_ours else ExitCode.FAILED


def _also(text: str) -> Also:
    label, equals, where = text.partition("=")
    if not (label and equals and where):
        raise argparse.ArgumentTypeError(f"{text!r}: give LABEL=DIR, such as linear=models/linear")
    for precision in get_args(Precision):
        if where.endswith(f":{precision}"):
            return Also(label, Path(where.removesuffix(f":{precision}")).absolute(), precision)
    return Also(label, Path(where).absolute())


def _library(text: str) -> str:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text!r}: there is no such file")
    return str(path.absolute())  # a bare name would be looked for among the system's libraries


def _lengths(text: str) -> tuple[float, ...]:
    try:
        lengths = tuple(dict.fromkeys(map(float, text.split(","))))
    except ValueError:
        lengths = ()
    if not lengths or not all(_SHORTEST_S <= length <= _LONGEST_S for length in lengths):
        raise argparse.ArgumentTypeError(
            f"{text!r}: give seconds from {_SHORTEST_S:g} to {_LONGEST_S:g}, such as 4,16,60"
        )
    return lengths
