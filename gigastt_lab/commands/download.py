"""`download`: a model onto this machine, verified, with its INT8 encoder."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from gigastt_lab.commands.options import add_model, add_model_dir, add_skip_quantize, new_parser
from gigastt_lab.errors import ModelError
from gigastt_lab.exit_codes import DOWNLOAD_CODES, ExitCode, epilog
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.registry import KNOWN_MODELS, canonical_name, model_directory
from gigastt_lab.models.storage import size_text
from gigastt_lab.prepare import fetch_model, graph_origin, precisions_of

if TYPE_CHECKING:
    from gigastt_lab.commands.options import Subparsers

_EPILOG = """The Hub's client is configured as everywhere: HF_ENDPOINT names a mirror, HF_TOKEN a token,
HTTPS_PROXY a proxy, HF_HUB_DOWNLOAD_TIMEOUT the seconds to wait for an answer.

""" + epilog(
    [ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.MODEL, *DOWNLOAD_CODES, ExitCode.INTERRUPTED],
    ok="every file that is published is there, and its checksum is right",
    model="no such model, a file of it that cannot be read, or a damaged INT8 encoder",
)


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser = new_parser(
        commands, "download", summary="a model onto this machine", epilog=_EPILOG,
        description="Downloads what is missing of a model, verifies every file, and makes the INT8 encoder.\n"
        "A download that was interrupted goes on from where it was.",
    )  # fmt: skip
    add_model(parser)
    add_model_dir(parser)
    add_skip_quantize(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Download `options.model`; returns the exit code."""
    model = KNOWN_MODELS[canonical_name(options.model)]
    if model.repository is None:
        sys.stdout.write(f"{model.name} is inside the package: there is nothing to download\n")
        return ExitCode.OK
    directory = model_directory(model.name, options.model_dir)
    names = fetch_model(model.name, options.model_dir, skip_quantize=options.skip_quantize)
    done = f"new: {', '.join(names)}" if names else "everything was there already"
    sys.stdout.write(f"{model.name} is in {directory}, the published files verified ({done})\n")
    return _look_at_int8(directory, {file.name for file in model.files}, options.model_dir)


def _look_at_int8(directory: Path, published: Collection[str], model_dir: str | None) -> int:
    """Say what is known of the INT8 encoder, which has no published checksum; the exit code."""
    if "int8" not in precisions_of(directory):
        return ExitCode.OK
    encoder = ModelFiles.find(directory, "int8").encoder
    if encoder.name in published:
        return ExitCode.OK
    try:
        origin = graph_origin(encoder)
    except OSError as error:
        raise ModelError(f"{encoder} cannot be read: {error.strerror}") from error
    if origin == "damaged":
        again = f"--force --model-dir {shlex.quote(model_dir)}" if model_dir else "--force"
        raise ModelError(
            f"the INT8 encoder {encoder} is damaged: make it anew with "
            f"`python -m gigastt_lab quantize {again}`"
        )
    source = "made here" if origin == "made here" else "of another program"
    size = size_text(encoder.stat().st_size)
    sys.stdout.write(f"INT8 encoder {source}: {encoder.name}, {size}, no published checksum\n")
    return ExitCode.OK
