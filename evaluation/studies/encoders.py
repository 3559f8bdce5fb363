"""Model and table, as the studies that compare encoders have them in common."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from gigastt_lab.models.registry import DEMO_MODEL, model_directory


def add_model_dir(parser: argparse.ArgumentParser) -> None:
    """Add `--model-dir`; `model_dir` says which directory that is."""
    parser.add_argument("--model-dir", type=Path, help="default: the packaged demo model")


def model_dir(options: argparse.Namespace) -> Path:
    """Directory of the model that is asked for; else of the packaged one."""
    given: Path | None = options.model_dir
    return given or model_directory(DEMO_MODEL)


def as_markdown(table: pd.DataFrame) -> str:
    """Table in Markdown, the index first, numbers to the right; its last line is ended."""
    lines = [[str(table.index.name), *table.columns], ["---", *["--:"] * len(table.columns)]]
    lines += [[str(cell) for cell in row] for row in table.itertuples()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
