"""The command `import`: record files of another engine's output."""

from __future__ import annotations

import argparse
from pathlib import Path

from evaluation.cli import output
from evaluation.records.importing import Columns, import_records
from gigastt_lab.exit_codes import ExitCode


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("file", type=Path, metavar="FILE", help="JSONL, CSV or TSV")
    parser.add_argument("--system", metavar="NAME", help="whose output it is, where the file does not say")
    for what in ("reference", "hypothesis", "system", "id"):
        parser.add_argument(f"--{what}-column", metavar="NAME", help="default: the usual names")
    parser.add_argument(
        "--dataset", metavar="NAME", help="what the texts are of; runs on NAME compare, ids being the same"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: runs/<file>")
    parser.add_argument("--fresh", action="store_true", help="replace records that are there")


def carry_out(options: argparse.Namespace) -> int:
    """Records of another engine's output: rows of a reference and a hypothesis, of one or more systems."""
    folder = options.out or Path("runs") / options.file.stem
    folder.mkdir(parents=True, exist_ok=True)
    columns = Columns(
        reference=options.reference_column,
        hypothesis=options.hypothesis_column,
        system=options.system_column,
        id=options.id_column,
    )
    paths = import_records(
        options.file,
        folder,
        system=options.system,
        dataset=options.dataset,
        columns=columns,
        fresh=options.fresh,
        command=options.command,
    )
    output.show_paths(paths, options)
    return ExitCode.OK
