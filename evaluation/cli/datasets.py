"""The command `datasets`: the sets that have a name, or the beginning of one."""

from __future__ import annotations

import argparse
import itertools
import logging
from collections import Counter

import pandas as pd

from evaluation.cli import output
from evaluation.cli.options import add_dataset_options, dataset_of
from evaluation.datasets.named import DEMO_SET, NAMED_SETS, Dataset
from evaluation.datasets.nonspeech import NONSPEECH_SET
from evaluation.datasets.pieces import Piece
from evaluation.datasets.utterances import Utterance
from evaluation.show.display import render_text
from gigastt_lab.exit_codes import ExitCode

logger = logging.getLogger(__name__)

_N_SHOWN = 5

build = add_dataset_options


def carry_out(options: argparse.Namespace) -> int:
    """The sets that have a name; with --dataset, the first utterances of one."""
    dataset = dataset_of(options) if options.dataset else None
    table = _named() if dataset is None else _first_utterances(dataset)
    if options.json:
        output.write_json({"datasets" if dataset is None else "utterances": output.rows(table)})
    else:
        if dataset is not None:
            output.write_text(f"{dataset.name} at {dataset.revision}: {dataset.description}\n")
        if len(table):
            output.write_text(render_text(table.reset_index()) + "\n")
    if dataset is None:
        return ExitCode.OK
    if len(table):
        _warn_of_findings(dataset)
        return ExitCode.OK
    logger.error("%s has no utterance to score: %s", dataset.name, why_none(dataset))
    return ExitCode.FAILED


def _named() -> pd.DataFrame:
    rows = [
        {"name": name, "repository": hub_set.repository, "revision": hub_set.revision}
        for name, hub_set in NAMED_SETS.items()
    ]
    rows.append({"name": DEMO_SET, "repository": "the packaged clips", "revision": ""})
    rows.append({"name": NONSPEECH_SET, "repository": "computed: silence, noise, tones", "revision": ""})
    return pd.DataFrame(rows).set_index("name")


def _first_utterances(dataset: Dataset) -> pd.DataFrame:
    rows = [_told(each) for each in itertools.islice(dataset, _N_SHOWN)]
    columns = ["id", "speaker", "reference", *(["piece"] if any("piece" in row for row in rows) else [])]
    return pd.DataFrame(rows, columns=columns).set_index("id").fillna("")


def _told(utterance: Utterance) -> dict[str, str]:
    told = {"id": utterance.id, "speaker": utterance.speaker or "", "reference": utterance.reference}
    if isinstance(utterance.audio, Piece):
        end = utterance.audio.end_s
        told["piece"] = f"{utterance.audio.start_s:.2f} to {'the end' if end is None else f'{end:.2f} s'}"
    return told


def _warn_of_findings(dataset: Dataset) -> None:
    """Say what was out of the ordinary in the rows that were read."""
    reasons = Counter(finding.reason for finding in dataset.findings)
    if reasons:
        told = ", ".join(f"{reason}: {n}" for reason, n in reasons.most_common())
        logger.warning("of the first %d rows: %s", dataset.n_rows, told)


def why_none(dataset: Dataset) -> str:
    """Account of the rows of a set that has no utterance."""
    reasons = Counter(finding.reason for finding in dataset.exclusions)
    told = ", ".join(f"{reason}: {n}" for reason, n in reasons.most_common())
    return f"{dataset.n_rows} rows, left out for {told}" if told else "it has no rows"
