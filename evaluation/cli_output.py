"""What the commands print: tables for people, or JSON for machines."""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.cli_options import scoring
from evaluation.compare import Comparison, as_table, sentences
from evaluation.counting import Options
from evaluation.datasets import DEMO_SET, NAMED_SETS, Dataset
from evaluation.display import render_text
from evaluation.records import RecordFile
from evaluation.report import shortened
from evaluation.scores import Score, labels, plain_ids, profiles, rules, score, summarize
from evaluation.tables import profiles_table, rules_table, speed_table, summary_table
from gigastt_lab.models import KNOWN_MODELS, model_directory
from gigastt_lab.prepare import precisions_of
from gigastt_lab.runtime import available_providers, core_count

_N_SHOWN = 5


def show_study(
    files: Sequence[RecordFile],
    comparisons: Sequence[Comparison],
    paths: Sequence[Path],
    options: argparse.Namespace,
) -> None:
    """Rates, speed, paired differences, and where the report is."""
    scores = [score(file, **scoring(options)) for file in files]
    if options.json:
        _write_json(
            {
                "systems": _rows(summarize(scores)),
                "comparisons": [_rows(as_table(comparison)) for comparison in comparisons],
                "files": [str(file.path) for file in files] + [str(path) for path in paths],
            }
        )
        return
    common, short = shortened(labels(files))
    _write(_headline(files[0], common))
    _write(_scores_text(scores, short))
    for comparison, label in zip(comparisons, short[1:], strict=True):
        named = replace(comparison, label_a=label, label_b=short[0])
        _write("\n".join(sentences(named)) + "\n\n")
    _write("".join(f"{path}\n" for path in paths))


def show_scores(files: Sequence[RecordFile], options: argparse.Namespace, *, details: bool = False) -> None:
    """Rates and speed of each file; with details, every profile and every rule."""
    scores = [score(file, **scoring(options)) for file in files]
    chosen = Options(
        profile=options.profile, n_resamples=options.resamples, seed=options.seed, blocks=options.blocks
    )
    plain = plain_ids(files)
    by_profile = {
        label: profiles(file, chosen, plain=plain) if details else pd.DataFrame()
        for label, file in zip(labels(files), files, strict=True)
    }
    by_rule = (
        {label: rules(file) for label, file in zip(labels(files), files, strict=True)} if details else {}
    )
    if options.json:
        content: dict[str, Any] = {"systems": _rows(summarize(scores))}
        if details:
            content["profiles"] = {label: _rows(table) for label, table in by_profile.items()}
            content["rules"] = {label: _rows(table) for label, table in by_rule.items()}
        _write_json(content)
        return
    _write(_scores_text(scores))
    for one in scores:
        for utterance, failure in one.failures["error"].items():
            _write(f"failed: {one.system}: {utterance}: {failure}\n")
    if details:
        _write(render_text(profiles_table(by_profile)) + "\n")
        _write(render_text(rules_table(by_rule)) + "\n")


def show_comparison(comparison: Comparison, options: argparse.Namespace) -> None:
    """The paired differences."""
    if options.json:
        _write_json(
            {
                "differences": _rows(as_table(comparison)),
                "mapsswe": asdict(comparison.mapsswe),
                "speed": asdict(comparison.speed),
                "verdict": comparison.verdict(),
            }
        )
    else:
        _write(comparison.to_text())


def show_paths(paths: Sequence[Path], options: argparse.Namespace) -> None:
    """What was written."""
    if options.json:
        _write_json({"files": [str(path) for path in paths]})
    else:
        _write("".join(f"{path}\n" for path in paths))


def show_datasets(dataset: Dataset | None, options: argparse.Namespace) -> None:
    """The named sets, or the beginning of one."""
    if dataset is None:
        table = pd.DataFrame(
            [
                {"name": name, "repository": hub_set.repository, "revision": hub_set.revision}
                for name, hub_set in NAMED_SETS.items()
            ]
            + [{"name": DEMO_SET, "repository": "the packaged clips", "revision": ""}]
        ).set_index("name")
    else:
        utterances = list(itertools.islice(dataset, _N_SHOWN))
        table = pd.DataFrame(
            [
                {"id": each.id, "speaker": each.speaker or "", "reference": each.reference}
                for each in utterances
            ]
        ).set_index("id")
    if options.json:
        _write_json({"datasets" if dataset is None else "utterances": _rows(table)})
        return
    if dataset is not None:
        _write(f"{dataset.name} at {dataset.revision}: {dataset.description}\n")
    _write(render_text(table.reset_index()) + "\n")


def show_systems(options: argparse.Namespace) -> None:
    """Models, providers and peers."""
    models = {
        name: list(precisions_of(model_directory(name))) for name in KNOWN_MODELS
    }  # what is not on this machine yet has none
    peers = {
        "onnx-asr": importlib.util.find_spec("onnx_asr") is not None,
        "gigastt": importlib.util.find_spec("gigastt_uniffi") is not None,
    }
    if options.json:
        _write_json({"models": models, "providers": list(available_providers()), "peers": peers})
        return
    for name, precisions in models.items():
        _write(
            f"model     {name}: {', '.join(precisions) or 'not on this machine; downloaded on first use'}\n"
        )
    _write(f"provider  {', '.join(available_providers())}; {core_count()} cores\n")
    for name, is_there in peers.items():
        _write(f"peer      {name}: {'installed' if is_there else f'pip install {name}'}\n")
    _write("peer      URL of a server that speaks gigastt's or OpenAI's transcription route\n")


def _headline(file: RecordFile, common: str) -> str:
    dataset, machine = file.header.dataset, file.header.machine
    return (
        (f"{common}\n" if common else "")
        + f"{dataset.get('name', 'imported')}: {dataset.get('description', '')}\n"
        f"on {machine.get('cpu', 'an unknown machine')}, {machine.get('cores', '?')} cores\n\n"
    )


def _scores_text(scores: Sequence[Score], names: Sequence[str] | None = None) -> str:
    """Two tables, and how they were made; systems under `names`, where given."""
    table = summarize(scores)
    if names is not None:
        table = table.set_axis(pd.Index(names, name=table.index.name))
    parts = [render_text(summary_table(table))]
    if any(one.speed.n_timed for one in scores):
        parts.append(render_text(speed_table(table)))
    options, rate = scores[0].options, scores[0].wer
    drawn = f"{rate.n_blocks} {options.blocks}s" if rate.n_blocks else f"{rate.n_utterances} utterances"
    parts.append(
        f"Profile {options.profile}; {options.level:.0%} intervals: percentile bootstrap over {drawn}, "
        f"{options.n_resamples} resamples, seed {options.seed}."
    )
    return "\n\n".join(parts) + "\n\n"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON takes them: no NaN, plain Python numbers."""
    rows: list[dict[str, Any]] = table.reset_index().to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_json(content: dict[str, Any]) -> None:
    _write(json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")


def _write(text: str) -> None:
    sys.stdout.write(text)
