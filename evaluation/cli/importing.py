"""The command `import`: record files of another engine's output."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from evaluation.cli import output
from evaluation.datasets.tags import TagRule
from evaluation.records.hypotheses import FORMS
from evaluation.records.importing import Columns, import_records
from gigastt_lab.exit_codes import ExitCode


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="JSONL, CSV or TSV with references; hypotheses as CTM, STM, TRN or `id text` with --reference",
    )
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="references, where FILE holds hypotheses alone: STM, TRN, CTM, a manifest, lhotse's cuts, "
        "a Kaldi folder or its text",
    )
    parser.add_argument(
        "--form",
        choices=FORMS,
        help="of FILE; default: by its suffix; text: `id text` a line, of any suffix that no other form has",
    )
    parser.add_argument(
        "--tags",
        choices=get_args(TagRule),
        default="drop",
        help="marks of noise in the references of --reference: <unk>, [шум]; default: drop, as runs do",
    )
    parser.add_argument("--system", metavar="NAME", help="whose output it is, where the file does not say")
    for what in ("reference", "hypothesis", "system", "id"):
        parser.add_argument(f"--{what}-column", metavar="NAME", help="default: the usual names")
    parser.add_argument(
        "--dataset", metavar="NAME", help="what the texts are of; runs on NAME compare, ids being the same"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: runs/<file>")
    parser.add_argument("--fresh", action="store_true", help="replace records that are there")


def carry_out(options: argparse.Namespace) -> int:
    """Records of another engine's output: rows with references, or hypotheses by id or by time."""
    folder = options.out or Path("runs") / options.file.stem
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
        reference=options.reference,
        form=options.form,
        tags=options.tags,
        fresh=options.fresh,
        command=options.command,
    )
    output.show_paths(paths, options)
    return ExitCode.OK
