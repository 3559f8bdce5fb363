"""The command `stream`: systems are streamed to over a dataset; tables, and a page to look at."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from evaluation.cli import output
from evaluation.cli.options import (
    add_dataset_options,
    add_engine_options,
    add_loss_options,
    add_out_options,
    add_score_options,
    among,
    at_least,
    dataset_of,
    scoring,
)
from evaluation.cli.run import record
from evaluation.datasets.utterances import DatasetError, Utterances
from evaluation.records.files import RecordFile, read_all
from evaluation.run.naming import run_name
from evaluation.show.display import render_text
from evaluation.stream_study.clocks import CLOCKS, ClockName
from evaluation.stream_study.engine_stream import EngineStreamSystem, StreamChoice
from evaluation.stream_study.feeding import Feeding
from evaluation.stream_study.joined import Joined
from evaluation.stream_study.report import write_report
from evaluation.stream_study.study import Study, study
from evaluation.stream_study.tables import (
    as_content,
    latency_table,
    notes,
    stability_table,
    streams_table,
    text_table,
)
from evaluation.stream_study.websocket import WebSocketOptions, WebSocketSystem
from evaluation.systems.availability import require_available, warm_up
from evaluation.systems.base import System, SystemUnavailableError
from evaluation.systems.engine import EngineSystem
from evaluation.systems.registry import SystemSpec, load_system, matrix
from gigastt_lab.errors import GigasttError
from gigastt_lab.exit_codes import ExitCode, exit_code
from gigastt_lab.streaming.options import PRESETS, Preset

logger = logging.getLogger(__name__)

Made = TypeVar("Made")


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    engines = parser.add_argument_group("engines (lists are separated by commas; all combinations are run)")
    add_engine_options(engines, precision=["auto"])
    add = parser.add_argument_group("streams").add_argument
    add("--preset", type=among(Preset), metavar="NAME,...",
        help=f"{', '.join(PRESETS)}; default: balanced, or none beside --url")  # fmt: skip
    add("--option", action="append", default=[], metavar="NAME=VALUE",
        help="changes every preset: chunk_ms, right_ms, min_silence_ms, ...; repeatable")  # fmt: skip
    add("--url", action="append", default=[], metavar="ws://HOST:PORT/v1/ws",
        help="a server that speaks gigastt's WebSocket protocol; repeatable")  # fmt: skip
    add("--clock", choices=CLOCKS, help="real: audio comes at the pace of speech; simulated: waits are "
        "jumped over, work is measured; ideal: work takes no time, for what waiting alone costs; "
        "default: simulated, if one engine works for one stream")  # fmt: skip
    add("--chunk-ms", type=at_least(10), default=Feeding.chunk_ms, metavar="N",
        help=f"audio handed over at once; default: {Feeding.chunk_ms}")  # fmt: skip
    add("--trailing-silence-ms", type=at_least(0), default=Feeding.silence_ms, metavar="N",
        help=f"faint noise after each clip; default: {Feeding.silence_ms}")  # fmt: skip
    add("--streams", type=at_least(1), default=1, metavar="N", help="so many at once; default: 1")
    add("--join-s", type=at_least(1), metavar="SECONDS", help="join clips to streams of at least so long")
    add("--no-file-path", action="store_true", help="do not transcribe the same clips as whole files")
    add("--records", nargs="+", type=Path, metavar="RECORDS", help="run nothing: of record files or a folder")
    add_dataset_options(parser)
    add_loss_options(parser)
    add_score_options(parser)
    add_out_options(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Stream a dataset to engines or servers: error rates against whole files, latencies, stability, work."""
    if options.records:
        files = read_all(options.records)
        directory, code = options.out or files[0].path.parent, int(ExitCode.OK)
    else:
        files, directory, code = _run_all(options)
    if not files:
        return code
    found = study(files, **scoring(options))
    _show(found, write_report(found, directory), options)
    return code


def _run_all(options: argparse.Namespace) -> tuple[list[RecordFile], Path, int]:
    """The finished record files, where they are, and the exit code: of the first system that failed."""
    feeding = _feeding(options)
    dataset: Utterances = dataset_of(options)
    if options.join_s:
        dataset = Joined(dataset, options.join_s)
    specs = [] if _only_servers(options) else matrix(
        options.model, options.precision, options.provider, options.threads, [1], model_dir=options.model_dir
    )  # fmt: skip
    choices = _choices(options)
    for spec in specs:
        require_available(spec)
    folder = f"{run_name(dataset, specs)}_stream"
    directory: Path = options.out or Path("runs") / folder
    directory.mkdir(parents=True, exist_ok=True)
    files: list[RecordFile] = []
    code = int(ExitCode.OK)
    for load in [*(_engine(spec, choices, feeding, options) for spec in specs),
                 *(_server(url, feeding, options) for url in options.url)]:  # fmt: skip
        try:
            for system in load:
                files.append(record(system, dataset, directory, options))
        except GigasttError as error:
            logger.error("%s", error)
            code = code or int(exit_code(error))
            if isinstance(error, DatasetError):
                break  # it would break off for the others, too
    if any(not file.records for file in files):
        logger.error("%s has no utterance to stream", dataset.name)
        code = code or int(ExitCode.FAILED)
    return [file for file in files if file.records], directory, code


def _engine(
    spec: SystemSpec, choices: Sequence[StreamChoice], feeding: Feeding, options: argparse.Namespace
) -> Iterator[System]:
    """An engine, loaded once: its file path, then each choice of options."""
    files = load_system(spec, show_progress=not options.json)
    assert isinstance(files, EngineSystem)
    if not options.no_file_path:
        yield files
    for choice in choices:
        yield EngineStreamSystem.of(files, choice, feeding, n_streams=options.streams)


def _server(url: str, feeding: Feeding, options: argparse.Namespace) -> Iterator[System]:
    """A server: its route for files, where it has one, and its streams."""
    where = WebSocketOptions(url=url)
    files = None
    if where.file_url is not None and not options.no_file_path:
        spec = SystemSpec(kind="server", options={"url": where.file_url})
        try:
            files = load_system(spec, show_progress=not options.json)
        except SystemUnavailableError as error:
            logger.warning("without a file path: %s", error)
    streams = WebSocketSystem(
        where, feeding, n_streams=options.streams, file_path=None if files is None else files.name
    )
    streams.info["warm_up"] = warm_up(streams)  # before an hour is spent on its files
    if files is not None:
        yield files
    yield streams


def _choices(options: argparse.Namespace) -> list[StreamChoice]:
    changes = dict(_checked(options, lambda: [_pair(text) for text in options.option]))
    presets: list[Preset] = options.preset or ["balanced"]
    return _checked(options, lambda: [StreamChoice.of(preset, changes) for preset in dict.fromkeys(presets)])


def _feeding(options: argparse.Namespace) -> Feeding:
    """Feeding of the streams; options that do not go together end the command."""
    needs_real = bool(options.url) or options.streams > 1
    if needs_real and options.clock not in (None, "real"):
        options.parser.error("servers, and several streams at once, need --clock real")
    clock: ClockName = options.clock or ("real" if needs_real else "simulated")

    def fed() -> list[Feeding]:
        for url in options.url:
            WebSocketOptions(url=url)
        return [Feeding(clock=clock, chunk_ms=options.chunk_ms, silence_ms=options.trailing_silence_ms)]

    return _checked(options, fed)[0]


def _only_servers(options: argparse.Namespace) -> bool:
    return bool(options.url) and not options.preset


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--option {text!r}: give NAME=VALUE, such as chunk_ms=480")
    return name, value


def _checked(options: argparse.Namespace, make: Callable[[], list[Made]]) -> list[Made]:
    """Result of `make`; its ValueError becomes an error of the command line."""
    parser: argparse.ArgumentParser = options.parser
    try:
        return make()
    except ValueError as error:
        parser.error(str(error))


def _show(found: Study, paths: Sequence[Path], options: argparse.Namespace) -> None:
    """Tables for people, or JSON for machines; and where the page is."""
    files = [one.file for one in found.streams.values()]
    written = [*(file.path for file in files), *paths]
    if options.json:
        output.write_json(as_content(found) | {"files": [str(path) for path in written]})
        return
    output.write_text(output.headline(files[0], found.common))
    for title, table in (
        ("Text", text_table(found)),
        ("Latency, ms: p50 / p95 / p99", latency_table(found)),
        ("Stability and work", stability_table(found)),
        ("Streams", streams_table(found)),
    ):
        output.write_text(f"{title}\n{render_text(table)}\n\n")
    first = next(iter(found.streams.values())).finals
    output.write_text("".join(f"Note: {note}\n" for note in notes(found)) + output.method_text(first) + "\n")
    output.write_text("".join(f"{path}\n" for path in paths))
