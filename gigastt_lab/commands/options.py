"""Common parts of the commands: the shape of their modules, and options that several take."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gigastt_lab.exit_codes import HelpFormatter
from gigastt_lab.models.registry import DEFAULT_MODEL, MODEL_DIR_VARIABLE
from gigastt_lab.prepare import SKIP_QUANTIZE_VARIABLE, skips_quantizing

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


class Command(Protocol):
    """A module of this package that is a command."""

    def add_parser(self, commands: Subparsers) -> argparse.ArgumentParser:
        """Add it to the command line."""

    def run(self, options: argparse.Namespace) -> int:
        """Carry it out; returns the exit code. `options.parser` is the command's parser."""


def new_parser(
    commands: Subparsers, name: str, *, summary: str, description: str, epilog: str
) -> argparse.ArgumentParser:
    """A command's parser, with the option that all of them take."""
    parser = commands.add_parser(
        name, help=summary, description=description, epilog=epilog,
        formatter_class=HelpFormatter,
    )  # fmt: skip
    parser.add_argument("-v", "--verbose", action="store_true", help="log what is done, to stderr")
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add `--model`, by name."""
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME",
        help=f"{DEFAULT_MODEL} (default), or demo: the small model inside the package")  # fmt: skip


def add_model_dir(parser: argparse.ArgumentParser) -> None:
    """Add `--model-dir`, None where it is not given."""
    parser.add_argument("--model-dir", metavar="DIR",
        help=f"its directory (default: ${MODEL_DIR_VARIABLE} or ~/.gigastt/models)")  # fmt: skip


def add_skip_quantize(parser: argparse.ArgumentParser) -> None:
    """Add `--skip-quantize`, or its variable."""
    parser.add_argument("--skip-quantize", action="store_true", default=skips_quantizing(),
        help=f"make no INT8 encoder after a download (also: {SKIP_QUANTIZE_VARIABLE}=1)")  # fmt: skip


def folder(text: str) -> Path:
    """Value of an option that names a folder; an empty one (`"$UNSET"`) would be the working directory.

    Raises:
        argparse.ArgumentTypeError: it is empty.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError('it is empty; give a folder ("." for this one)')
    return Path(text)
