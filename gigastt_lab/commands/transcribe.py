"""`transcribe`: audio files to text, on stdout or into files."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from gigastt_lab.commands import live
from gigastt_lab.commands.options import add_model, add_model_dir, add_skip_quantize, new_parser
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
_STDIN = "-"
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
    add("files", nargs="+", metavar="FILE", help='audio files of any container; "-" reads one from stdin')
    add_model(parser)
    add_model_dir(parser)
    add("--format", choices=get_args(Format), default="txt", help="default: txt")
    add("--output", type=Path, metavar="DIR", help="write one file for each input here, instead of to stdout")
    add("--precision", choices=get_args(PrecisionChoice), default="auto",
        help="of the encoder (default: auto, INT8 where it is there, right and faster)")  # fmt: skip
    add_skip_quantize(parser)
    add("--provider", choices=get_args(Provider), default="auto", help="execution provider (default: auto)")
    add("--threads", type=int, metavar="N",
        help=f"threads inside one operator (default: {DEFAULT_THREADS})")  # fmt: skip
    live.add_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Transcribe `options.files`, or the stream; returns the exit code."""
    parser: argparse.ArgumentParser = options.parser
    files: list[str] = options.files
    if options.stream:
        live.check(options)
    if options.output is None and len(files) > 1 and options.format not in _LINE_FORMATS:
        parser.error(f"several {options.format} files cannot share stdout: give --output DIR")
    if options.threads is not None and options.threads < 1:
        parser.error(f"--threads {options.threads}: give 1 or more")
    if files.count(_STDIN) > 1:
        parser.error("stdin can be read once only")
    # What is cheap to check comes before a model is downloaded.
    _require_provider(options.provider)
    if not any(file == _STDIN or os.path.isfile(file) for file in files):
        _say_what_is_wrong_with(files)
        return ExitCode.FAILED
    try:
        if options.output is not None:
            options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        logger.error("--output %s cannot be made: %s", options.output, error.strerror or error)
        return ExitCode.FAILED
    try:
        engine = _load(options)
    except OSError as error:
        if isinstance(error, GigasttError):
            raise
        logger.error("%s", error)
        return ExitCode.MODEL
    return live.run(options, engine) if options.stream else _transcribe_all(options, engine)


def _transcribe_all(options: argparse.Namespace, engine: Engine) -> int:
    files: list[str] = options.files
    names = _output_names(files, options.format)
    # Texts on a terminal show the progress themselves, and a bar would stand between them.
    shows_bar = len(files) > 1 and (options.output is not None or not sys.stdout.isatty())
    failures = 0
    for file, name in zip(_with_progress(files, shows_bar), names, strict=True):
        try:
            parts = engine.transcribe_parts(sys.stdin.buffer.read() if file == _STDIN else file)
            if len(files) == 1 and options.output is None and options.format == "txt":
                transcript = Transcript.of_parts(list(_printed(parts)))
                _log(transcript, file)
            else:
                transcript = Transcript.of_parts(list(_with_seconds(parts, shown=len(files) == 1)))
                _deliver(transcript, file, options, name, several=len(files) > 1)
        except BrokenPipeError:
            raise
        except (GigasttError, OSError) as error:
            failures += 1
            # Audio errors name the file themselves, unless it came from stdin.
            named = isinstance(error, AudioError) and file != _STDIN
            logger.error("%s", error if named else f"{file}: {error}")
    return ExitCode.FAILED if failures else ExitCode.OK


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
    if not (shown and sys.stderr.isatty()) or first.done_s == first.duration_s:
        yield from parts
        return
    from tqdm import tqdm

    with tqdm(
        desc="transcribing", unit="s", total=round(first.duration_s or 0), initial=round(first.done_s),
        file=sys.stderr, leave=False, bar_format="{l_bar}{bar}| {n}/{total} s [{elapsed}<{remaining}]",
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


def _say_what_is_wrong_with(files: Sequence[str]) -> None:
    """Log why each of `files`, none of which is a file, cannot be read."""
    from gigastt_lab.audio.reading import decode_audio  # `--help` should not load the decoders

    for file in files:
        try:
            decode_audio(file)
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
    transcript: Transcript, file: str, options: argparse.Namespace, name: str, *, several: bool
) -> None:
    """Write one transcript where it belongs; with several on stdout, each says which file it is of."""
    _log(transcript, file)
    if options.output is not None:
        partial = options.output / f"{name}.partial"
        try:
            partial.write_text(render(transcript, options.format), encoding="utf-8")
            partial.replace(options.output / name)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
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


def _output_names(files: Sequence[str], extension: str) -> list[str]:
    """A name for each output: the input's stem, its whole name where stems meet, numbered where these do.

    >>> _output_names(["a/x.wav", "b/y.wav", "b/y.mp3", "c/y.mp3"], "txt")
    ['x.txt', 'y.wav.txt', 'y.mp3.txt', 'y.mp3.2.txt']
    """
    paths = [Path("stdin" if file == _STDIN else file) for file in files]
    stems = Counter(path.stem for path in paths)
    names: list[str] = []
    for path in paths:
        base = path.stem if stems[path.stem] == 1 else path.name
        name, number = f"{base}.{extension}", 2
        while name in names:
            name, number = f"{base}.{number}.{extension}", number + 1
        names.append(name)
    return names


def _with_progress(files: Sequence[str], shows_bar: bool) -> Iterator[str]:
    """The files, with a bar where it is wanted and stderr is a terminal; the log goes above it."""
    if not (shows_bar and sys.stderr.isatty()):
        yield from files
        return
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    with logging_redirect_tqdm():
        yield from tqdm(files, desc="transcribing", unit="file", file=sys.stderr)
