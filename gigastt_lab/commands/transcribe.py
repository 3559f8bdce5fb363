"""`transcribe`: audio files to text, on stdout or into files."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from gigastt_lab.audio.raw import DEFAULT_RATES, ENCODINGS, RawAudio
from gigastt_lab.commands import live
from gigastt_lab.commands.inputs import STDIN, Input, inputs
from gigastt_lab.commands.options import add_model, add_model_dir, add_skip_quantize, folder, new_parser
from gigastt_lab.commands.outputs import longest_name, output_names, write_whole
from gigastt_lab.errors import AudioError, GigasttError, ProviderError
from gigastt_lab.exit_codes import DOWNLOAD_CODES, ExitCode, epilog
from gigastt_lab.formats import Format, as_json_object, render
from gigastt_lab.models.files import PrecisionChoice
from gigastt_lab.prepare import prepare_model
from gigastt_lab.runtime.cores import DEFAULT_THREADS
from gigastt_lab.types import Part, Provider, Transcript

if TYPE_CHECKING:
    from gigastt_lab.commands.options import Subparsers
    from gigastt_lab.engine import Engine

logger = logging.getLogger(__name__)

_EPILOG = epilog(
    [ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.MODEL, *DOWNLOAD_CODES, ExitCode.INTERRUPTED],
    ok="every file was transcribed; of a stream: its end, or Ctrl-C",
    failed="at least one file could not be read, transcribed or written; the others were",
)
_LINE_FORMATS = ("txt", "json")  # several transcripts of these can share one stream


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser = new_parser(
        commands, "transcribe", summary="audio files to text", epilog=_EPILOG,
        description="Transcribes audio files of any length, or a live stream: the text goes to stdout as it "
        "comes,\neverything else to stderr. A model that is not on this machine yet is downloaded first.\n\n"
        "  arecord -t raw -f S16_LE -r 16000 -c 1 | gigastt-lab transcribe --stream -",
    )  # fmt: skip
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE",
        help='audio files of any container, folders, quoted patterns; "-": one from stdin')  # fmt: skip
    add_model(parser)
    add_model_dir(parser)
    add("--format", choices=get_args(Format), default="txt", help="default: txt")
    add("--output", type=folder, metavar="DIR",
        help="write one file for each input here, with a folder's subfolders, not to stdout")  # fmt: skip
    add("--precision", choices=get_args(PrecisionChoice), default="auto",
        help="of the encoder (default: auto, INT8 where it is there, right and faster)")  # fmt: skip
    add_skip_quantize(parser)
    add("--provider", choices=get_args(Provider), default="auto", help="execution provider (default: auto)")
    add("--threads", type=int, metavar="N",
        help=f"threads inside one operator (default: {DEFAULT_THREADS})")  # fmt: skip
    add("--track", type=int, metavar="N", help="audio track, from 1 (default: the one the file marks)")
    add("--strict", action="store_true",
        help="refuse a file that was cut or is damaged; else it is read as far as it goes")  # fmt: skip
    add("--raw", choices=ENCODINGS, help="the files are raw audio of this encoding, without any header")
    add("--raw-rate", type=int, metavar="HZ", help="rate of --raw (default: of G.711 8000, of G.722 16000)")
    add("--raw-channels", type=int, metavar="N", help="channels of --raw (default: 1)")
    live.add_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Transcribe `options.files`, or the stream; returns the exit code."""
    parser: argparse.ArgumentParser = options.parser
    if options.stream:
        live.check(options)
    if options.files.count(STDIN) > 1:
        parser.error("stdin can be read once only")
    given = inputs(options.files, options.output)
    if options.output is None and len(given) > 1 and options.format not in _LINE_FORMATS:
        parser.error(f"several {options.format} files cannot share stdout: give --output DIR")
    if options.threads is not None and options.threads < 1:
        parser.error(f"--threads {options.threads}: give 1 or more")
    if options.track is not None and options.track < 1:
        parser.error(f"--track {options.track}: give 1 for the first audio track")
    options.stated_raw = _raw(options)
    # What is cheap to check comes before a model is downloaded.
    _require_provider(options.provider)
    if not any(each.may_be_read for each in given):
        _say_what_is_wrong_with(given)
        return ExitCode.FAILED
    if options.output is not None and not _is_ready(options.output):
        return ExitCode.FAILED
    try:
        engine = _load(options)
    except OSError as error:
        if isinstance(error, GigasttError):
            raise
        logger.error("%s", error)
        return ExitCode.MODEL
    return live.run(options, engine) if options.stream else _transcribe_all(given, options, engine)


def _raw(options: argparse.Namespace) -> RawAudio | None:
    """Raw audio that the options state; ends the process where they do not go together."""
    parser: argparse.ArgumentParser = options.parser
    if options.raw is None:
        if options.raw_rate is not None or options.raw_channels is not None:
            parser.error("--raw-rate and --raw-channels belong to --raw: state the encoding as well")
        return None
    rate = options.raw_rate or DEFAULT_RATES.get(options.raw)
    if rate is None:
        parser.error(f"--raw {options.raw} needs its rate: give --raw-rate HZ")
    try:
        return RawAudio(options.raw, rate, options.raw_channels or 1)
    except AudioError as error:
        parser.error(str(error))


def _is_ready(output: Path) -> bool:
    """Make the folder of outputs; False, and why, if nothing can be written into it."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        logger.error("--output %s cannot be made: %s", output, error.strerror or error)
        return False
    if not os.access(output, os.W_OK | os.X_OK):
        logger.error("--output %s cannot be written to; make it writable, or give another folder", output)
        return False
    return True


def _transcribe_all(given: Sequence[Input], options: argparse.Namespace, engine: Engine) -> int:
    several = len(given) > 1 or any(each.was_found for each in given)
    names = _names(given, options)
    # Texts on a terminal show the progress themselves, and a bar would stand between them.
    shows_bar = len(given) > 1 and (options.output is not None or not sys.stdout.isatty())
    failures = 0
    for i, each in enumerate(_with_progress(given, shows_bar)):
        if each.problem:
            failures += 1
            logger.error("%s", each.problem)
            continue
        file = each.file
        try:
            parts = engine.transcribe_parts(
                sys.stdin.buffer if file == STDIN else file,
                strict=options.strict,
                track=options.track,
                raw=options.stated_raw,
            )
            if not several and options.output is None and options.format == "txt":
                transcript = Transcript.of_parts(list(_printed(parts)))
                _log(transcript, file)
            else:
                transcript = Transcript.of_parts(list(_with_seconds(parts, shown=len(given) == 1)))
                _deliver(transcript, file, options, names.get(i), several=several)
        except BrokenPipeError:
            raise
        except (GigasttError, OSError) as error:
            failures += 1
            # Audio errors name the file themselves, unless it came from stdin.
            named = isinstance(error, AudioError) and file != STDIN
            logger.error("%s", error if named else f"{file}: {error}")
    return ExitCode.FAILED if failures else ExitCode.OK


def _names(given: Sequence[Input], options: argparse.Namespace) -> dict[int, Path]:
    """Path of the output of each input that has one, by its place among them."""
    if options.output is None:
        return {}
    output: Path = options.output
    there = [i for i, each in enumerate(given) if not each.problem]
    recordings = {os.path.realpath(given[i].file) for i in there}
    names = output_names(
        [given[i].name for i in there],
        options.format,
        longest=longest_name(output),
        is_input=lambda name: os.path.realpath(output / name) in recordings,
    )
    return {i: output / name for i, name in zip(there, names, strict=True)}


def _printed(parts: Iterator[Part]) -> Iterator[Part]:
    """The parts, their text on stdout as they come: one line, ended even if the recording is cut."""
    # A bar on the same terminal would stand in the text.
    shown = not sys.stdout.isatty()
    is_empty = True
    try:
        for part in _with_seconds(parts, shown=shown):
            if part.words:
                sys.stdout.write(part.text if is_empty else f" {part.text}")
                sys.stdout.flush()
                is_empty = False
            yield part
    except (GigasttError, OSError):
        if not is_empty:
            sys.stdout.write("\n")
        raise
    sys.stdout.write("\n")
    sys.stdout.flush()


def _with_seconds(parts: Iterator[Part], *, shown: bool) -> Iterator[Part]:
    """The parts, with a bar in seconds of audio where it is wanted and stderr is a terminal."""
    first = next(parts)
    yield first
    # One pass is over before a bar could be seen.
    if not (shown and sys.stderr.isatty()) or first.is_last:
        yield from parts
        return
    from tqdm import tqdm

    with tqdm(
        desc="transcribing", unit="s", total=round(first.duration_s or 0), initial=round(first.done_s),
        file=sys.stderr, leave=False, dynamic_ncols=True,
        bar_format="{l_bar}{bar}| {n}/{total} s [{elapsed}<{remaining}]",
    ) as bar:  # fmt: skip
        for part in parts:
            bar.total = round(max(part.duration_s or 0.0, part.done_s))
            bar.update(round(part.done_s) - bar.n)
            yield part


def _require_provider(provider: Provider) -> None:
    from gigastt_lab.runtime.sessions import available_providers  # loads ONNX Runtime

    usable = available_providers()
    if provider != "auto" and provider not in usable:
        raise ProviderError(
            f"provider {provider} is not in this build of ONNX Runtime, which has {', '.join(usable)}; "
            "choose one of these or install the build that has it (onnxruntime-gpu for cuda)"
        )


def _say_what_is_wrong_with(given: Sequence[Input]) -> None:
    """Log why each of the inputs, none of which is there, cannot be read."""
    from gigastt_lab.audio.reading import decode_audio  # `--help` should not load the decoders

    for each in given:
        try:
            if each.problem:
                raise AudioError(each.problem)
            decode_audio(each.file)
        except AudioError as error:
            logger.error("%s", error)


def _load(options: argparse.Namespace) -> Engine:
    from gigastt_lab.engine import load_engine  # `--help` should not load ONNX Runtime

    directory = prepare_model(
        options.model, options.model_dir, precision=options.precision, skip_quantize=options.skip_quantize
    )
    logger.debug("%s is in %s", options.model, directory)
    engine = load_engine(
        options.model, model_dir=options.model_dir, precision=options.precision, provider=options.provider,
        threads=options.threads,
    )  # fmt: skip
    logger.info("%s", engine.info)
    return engine


def _deliver(
    transcript: Transcript, file: str, options: argparse.Namespace, output: Path | None, *, several: bool
) -> None:
    """Write one transcript where it belongs; with several on stdout, each says which file it is of."""
    _log(transcript, file)
    if output is not None:
        write_whole(output, render(transcript, options.format))
        return
    text = render(transcript, options.format)
    if several and options.format == "json":
        text = json.dumps({"file": file} | as_json_object(transcript), ensure_ascii=False) + "\n"
    elif several:
        text = f"{file}: {transcript.text}\n"
    sys.stdout.write(text or "\n")
    sys.stdout.flush()


def _log(transcript: Transcript, file: str) -> None:
    logger.info("%s: %.2f s of audio in %.3f s", file, transcript.duration_s, transcript.timings.total_s)


def _with_progress(given: Sequence[Input], shows_bar: bool) -> Iterator[Input]:
    """The inputs, with a bar where it is wanted and stderr is a terminal; the log goes above it."""
    if not (shows_bar and sys.stderr.isatty()):
        yield from given
        return
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    with logging_redirect_tqdm():
        yield from tqdm(given, desc="transcribing", unit="file", file=sys.stderr, dynamic_ncols=True)
