"""The command `systems`: models, providers and peers that can run here."""

from __future__ import annotations

import argparse

from evaluation.cli import output
from gigastt_lab.exit_codes import ExitCode


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options: it has none of its own."""
    del parser


def carry_out(options: argparse.Namespace) -> int:
    """Which models, providers and peers can run here."""
    output.show_systems(options)
    return ExitCode.OK
