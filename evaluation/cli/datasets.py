"""The command `datasets`: the sets that have a name, or the beginning of one."""

from __future__ import annotations

import argparse
import itertools

import pandas as pd

from evaluation.cli import output
from evaluation.cli.options import add_dataset_options, dataset_of
from evaluation.datasets.named import DEMO_SET, NAMED_SETS, Dataset
from evaluation.show.display import render_text
from gigastt_lab.exit_codes import ExitCode

_N_SHOWN = 5

build = add_dataset_options


def carry_out(options: argparse.Namespace) -> int:
    """The sets that have a name; with --dataset, the first utterances of one."""
    _show(dataset_of(options) if options.dataset else None, options)
    return ExitCode.OK


def _show(dataset: Dataset | None, options: argparse.Namespace) -> None:
    table = _named() if dataset is None else _first_utterances(dataset)
    if options.json:
        output.write_json({"datasets" if dataset is None else "utterances": output.rows(table)})
        return
    if dataset is not None:
        output.write_text(f"{dataset.name} at {dataset.revision}: {dataset.description}\n")
    output.write_text(render_text(table.reset_index()) + "\n")


def _named() -> pd.DataFrame:
    rows = [
        {"name": name, "repository": hub_set.repository, "revision": hub_set.revision}
        for name, hub_set in NAMED_SETS.items()
    ]
    rows.append({"name": DEMO_SET, "repository": "the packaged clips", "revision": ""})
    return pd.DataFrame(rows).set_index("name")


def _first_utterances(dataset: Dataset) -> pd.DataFrame:
    rows = [
        {"id": each.id, "speaker": each.speaker or "", "reference": each.reference}
        for each in itertools.islice(dataset, _N_SHOWN)
    ]
    return pd.DataFrame(rows).set_index("id")
