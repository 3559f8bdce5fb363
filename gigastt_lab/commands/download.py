"""`download`: a model onto this machine, verified, with its INT8 encoder."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from gigastt_lab.commands.exit_codes import DOWNLOAD_CODES, ExitCode, epilog
from gigastt_lab.commands.options import add_model, add_model_dir, add_skip_quantize, new_parser
from gigastt_lab.models import KNOWN_MODELS, canonical_name, model_directory
from gigastt_lab.prepare import fetch_model, precisions_of

if TYPE_CHECKING:
    from gigastt_lab.commands.options import Subparsers

_EPILOG = """The Hub's client is configured as everywhere: HF_ENDPOINT names a mirror, HF_TOKEN a token,
HTTPS_PROXY a proxy, HF_HUB_DOWNLOAD_TIMEOUT the seconds to wait for an answer.

""" + epilog(
    [ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.MODEL, *DOWNLOAD_CODES, ExitCode.INTERRUPTED],
    ok="every file is there, and its checksum is right",
    model="no such model, or a file of it that cannot be read",
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
    precisions = " and ".join(precisions_of(directory))
    done = f"new: {', '.join(names)}" if names else "everything was there already"
    sys.stdout.write(f"{model.name} is in {directory}, verified, in {precisions} ({done})\n")
    return ExitCode.OK
