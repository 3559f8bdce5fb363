"""`models`: which models are known, and what of them is on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gigastt_lab.commands.exit_codes import ExitCode, epilog
from gigastt_lab.commands.options import add_model_dir, new_parser
from gigastt_lab.files import Precision
from gigastt_lab.models import KNOWN_MODELS, KnownModel, model_directory
from gigastt_lab.prepare import INT8_ENCODER, precisions_of
from gigastt_lab.storage import FileState, file_state, size_text

if TYPE_CHECKING:
    from gigastt_lab.commands.options import Subparsers

_EPILOG = """checksums:
  ok            computed, and that of the published file
  not verified  the size is right, the checksum was not computed (--verify does)
  differs       another size, or another checksum
  own           another config.json, which serves as well
  made here     an INT8 encoder: quantized on this machine, no published checksum
  missing       not there

""" + epilog(
    [ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.MODEL, ExitCode.CHECKSUM],
    failed="a file cannot be read",
    model="there is no home directory to look into",
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
        checksum: What is known of it, as `--help` explains.
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
        sys.stdout.write("\n".join(_table(status) for status in statuses))
        if not options.verify:
            sys.stdout.write("\n" + _NOT_COMPUTED)
    differs = any(file.checksum == "differs" for status in statuses for file in status.files)
    return ExitCode.CHECKSUM if options.verify and differs else ExitCode.OK


def _status(model: KnownModel, model_dir: str | None, *, verify: bool) -> ModelStatus:
    # --model-dir is about what can be downloaded; the packaged model is where it is.
    directory = model_directory(model.name, model_dir if model.repository else None)
    files = []
    for file in model.files:
        path = directory / file.name
        state: FileState | str = file_state(file, directory, verify=verify)
        if state == "differs" and file.may_differ:
            state = "own"
        size = file.size if state == "missing" else path.stat().st_size
        files.append(FileStatus(file.name, size, file.sha256, state))
    made_here = directory / INT8_ENCODER
    if made_here.is_file() and INT8_ENCODER not in {file.name for file in model.files}:
        files.append(FileStatus(INT8_ENCODER, made_here.stat().st_size, None, "made here"))
    return ModelStatus(
        model.name, model.description, model.licence, model.repository, model.revision, str(directory),
        precisions_of(directory), tuple(files),
    )  # fmt: skip


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
