"""`models`: which models are known, and what of them is on this machine."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gigastt_lab.commands.options import add_model_dir, new_parser
from gigastt_lab.errors import GigasttError, ModelError
from gigastt_lab.exit_codes import ExitCode, epilog, for_terminal
from gigastt_lab.models.files import ENCODER_NAMES, ModelFiles, Precision
from gigastt_lab.models.registry import KNOWN_MODELS, KnownModel, model_directory
from gigastt_lab.models.storage import FileState, file_state, size_text
from gigastt_lab.prepare import graph_origin, precisions_of

if TYPE_CHECKING:
    from gigastt_lab.commands.options import Subparsers

_EPILOG = """checksums:
  ok            computed, and that of the published file
  not verified  the size is right, the checksum was not computed (--verify does)
  differs       another size, or another checksum
  own           another config.json, which serves as well
  made here     an INT8 encoder that `quantize` of this program wrote: no published checksum
  not known     a graph that is not in this program's registry
  damaged       no whole ONNX graph; an INT8 encoder is made anew by `quantize --force`
  missing       not there

""" + epilog(
    [ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.MODEL, ExitCode.CHECKSUM],
    model="the directory, or a file in it, cannot be read or is not one",
    checksum="with --verify: a file differs from the published one",
)
_NOT_COMPUTED = "Sizes were compared; --verify computes the checksums, too.\n"


@dataclass(frozen=True)
class FileStatus:
    """One file of a model, as it is on this machine.

    Attributes:
        name: File name.
        size: Bytes on disk; of a missing file, bytes to download.
        sha256: Published checksum; None where there is none.
        checksum: State of its checksum, as `--help` explains.
    """

    name: str
    size: int
    sha256: str | None
    checksum: FileState | str


@dataclass(frozen=True)
class ModelStatus:
    """One model, as it is on this machine; `precisions` are those that are complete."""

    name: str
    description: str
    licence: str
    repository: str | None
    revision: str | None
    directory: str
    precisions: tuple[Precision, ...]
    files: tuple[FileStatus, ...]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser = new_parser(
        commands, "models", summary="which models are known, and which are here", epilog=_EPILOG,
        description="Shows the known models, their files and what of them is on this machine.",
    )  # fmt: skip
    add_model_dir(parser)
    parser.add_argument("--verify", action="store_true", help="compute the checksums (a second or two)")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    return parser


def run(options: argparse.Namespace) -> int:
    """Show all known models; returns the exit code."""
    statuses = [_status(model, options.model_dir, verify=options.verify) for model in KNOWN_MODELS.values()]
    if options.json:
        objects = [asdict(status) for status in statuses]
        sys.stdout.write(json.dumps(objects, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(for_terminal("\n".join(_table(status) for status in statuses)))
        if not options.verify:
            sys.stdout.write("\n" + _NOT_COMPUTED)
    differs = any(file.checksum == "differs" for status in statuses for file in status.files)
    return ExitCode.CHECKSUM if options.verify and differs else ExitCode.OK


def _status(model: KnownModel, model_dir: str | None, *, verify: bool) -> ModelStatus:
    # --model-dir is about what can be downloaded; the packaged model is where it is.
    directory = model_directory(model.name, model_dir if model.repository else None)
    try:
        if directory.is_dir():
            os.listdir(directory)  # else a directory that cannot be looked into might seem empty
        return _status_in(directory, model, verify=verify)
    except OSError as error:
        if isinstance(error, GigasttError):
            raise
        raise ModelError(f"{error.filename or directory} cannot be read: {error.strerror}") from error


def _status_in(directory: Path, model: KnownModel, *, verify: bool) -> ModelStatus:
    files = []
    for file in model.files:
        path = directory / file.name
        state: FileState | str = file_state(file, directory, verify=verify)
        if state == "differs" and file.may_differ:
            state = "own"
        size = file.size if state == "missing" else path.stat().st_size
        files.append(FileStatus(file.name, size, file.sha256, state))
    for path in _others(model, directory):
        files.append(FileStatus(path.name, path.stat().st_size, None, graph_origin(path)))
    return ModelStatus(
        model.name, model.description, model.licence, model.repository, model.revision, str(directory),
        precisions_of(directory), tuple(files),
    )  # fmt: skip


def _others(model: KnownModel, directory: Path) -> list[Path]:
    """The files in use, as another program lays them out or `quantize` wrote them, that `model` lacks."""
    paths = [directory / name for name in ENCODER_NAMES["int8"]]
    for precision in precisions_of(directory):
        found = ModelFiles.find(directory, precision)
        paths += [found.encoder, found.predictor, found.joiner]
    published = {file.name for file in model.files}
    return [path for path in dict.fromkeys(paths) if path.name not in published and path.is_file()]


def _table(status: ModelStatus) -> str:
    """Aligned lines: the model, then its files."""
    source = f"{status.repository}@{status.revision}" if status.repository else "inside the package"
    precisions = ", ".join(status.precisions) or "not complete; `download` completes it"
    rows = [(file.name, size_text(file.size), file.checksum) for file in status.files]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [
        f"{status.name}: {status.description} ({status.licence})",
        f"  from       {source}",
        f"  in         {status.directory}",
        f"  precision  {precisions}",
        *(f"  {name:<{widths[0]}}  {size:>{widths[1]}}  {checksum}" for name, size, checksum in rows),
    ]
    return "\n".join(lines) + "\n"
