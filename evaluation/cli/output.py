"""What the commands print: tables for people, or JSON for machines."""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.cli.options import scoring
from evaluation.datasets.named import DEMO_SET, NAMED_SETS, Dataset
from evaluation.records.files import RecordFile
from evaluation.report.account import warnings
from evaluation.report.report import shortened
from evaluation.scoring.compare import Comparison, as_table, sentences
from evaluation.scoring.counting import Options
from evaluation.scoring.scores import Score, labels, plain_ids, profiles, rules, score, summarize
from evaluation.show.display import render_text
from evaluation.show.tables import profiles_table, rules_table, speed_table, summary_table
from evaluation.systems.availability import PEER_MODULES
from gigastt_lab.models.registry import KNOWN_MODELS, model_directory
from gigastt_lab.prepare import precisions_of
from gigastt_lab.runtime.cores import core_count, default_threads
from gigastt_lab.runtime.sessions import available_providers

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
        content = _scores_content(scores) | {"comparisons": [_comparison_content(c) for c in comparisons]}
        write_json(content | {"files": [str(path) for path in (*(file.path for file in files), *paths)]})
        return
    common, short = shortened(labels(files))
    write_text(headline(files[0], common))
    write_text(_scores_text(scores, short))
    for comparison, label in zip(comparisons, short[1:], strict=True):
        named = replace(comparison, label_a=label, label_b=short[0])
        write_text("\n".join(sentences(named)) + "\n\n")
    write_text("".join(f"{path}\n" for path in paths))


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
        content = _scores_content(scores)
        if details:
            content["profiles"] = {label: _rows(table) for label, table in by_profile.items()}
            content["rules"] = {label: _rows(table) for label, table in by_rule.items()}
        write_json(content)
        return
    write_text(_scores_text(scores))
    for one in scores:
        for utterance, failure in one.failures["error"].items():
            write_text(f"failed: {one.system}: {utterance}: {failure}\n")
    if details:
        write_text(render_text(profiles_table(by_profile)) + "\n")
        write_text(render_text(rules_table(by_rule)) + "\n")


def show_comparison(comparison: Comparison, options: argparse.Namespace) -> None:
    """The paired differences."""
    if options.json:
        write_json(_comparison_content(comparison))
        return
    scores = {comparison.label_a: comparison.a, comparison.label_b: comparison.b}
    write_text(comparison.to_text() + "\n" + method_text(comparison.a) + _warnings_text(scores))


def show_paths(paths: Sequence[Path], options: argparse.Namespace) -> None:
    """What was written."""
    if options.json:
        write_json({"files": [str(path) for path in paths]})
    else:
        write_text("".join(f"{path}\n" for path in paths))


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
        write_json({"datasets" if dataset is None else "utterances": _rows(table)})
        return
    if dataset is not None:
        write_text(f"{dataset.name} at {dataset.revision}: {dataset.description}\n")
    write_text(render_text(table.reset_index()) + "\n")


def show_systems(options: argparse.Namespace) -> None:
    """Models, providers and peers."""
    models = {
        name: list(precisions_of(model_directory(name))) for name in KNOWN_MODELS
    }  # what is not on this machine yet has none
    peers = {name: importlib.util.find_spec(module) is not None for name, module in PEER_MODULES.items()}
    if options.json:
        write_json({"models": models, "providers": list(available_providers()), "peers": peers})
        return
    for name, precisions in models.items():
        write_text(
            f"model     {name}: {', '.join(precisions) or 'not on this machine; downloaded on first use'}\n"
        )
    threads = f"{core_count()} cores, {default_threads()} threads by default"
    write_text(f"provider  {', '.join(available_providers())}; {threads}\n")
    for name, is_there in peers.items():
        write_text(f"peer      {name}: {'installed' if is_there else f'pip install {name}'}\n")
    write_text("peer      URL of a server that speaks gigastt's or OpenAI's transcription route\n")


def headline(file: RecordFile, common: str) -> str:
    """What all systems have in common: their names' parts, the dataset, the machine."""
    dataset, machine = file.header.dataset, file.header.machine
    return (
        (f"{common}\n" if common else "")
        + f"{dataset.get('name', 'imported')}: {dataset.get('description', '')}\n"
        f"on {machine.get('cpu', 'an unknown machine')}, {machine.get('cores', '?')} cores\n\n"
    )


def _scores_text(scores: Sequence[Score], names: Sequence[str] | None = None) -> str:
    """Two tables, how they were made, and what to know before reading them."""
    names = names or labels([one.file for one in scores])
    table = summarize(scores)
    table = table.set_axis(pd.Index(names, name=table.index.name))
    parts = [render_text(summary_table(table)) + "\n\n"]
    if any(one.speed.n_timed for one in scores):
        parts.append(render_text(speed_table(table)) + "\n")
        if any(one.header.system_info.get("batch_size", 1) != 1 for one in scores):
            parts.append(
                "p50, p95, p99: an utterance's share of its batch; --batch-size 1 times each alone.\n"
            )
        parts.append("\n")
    for name, one in zip(names, scores, strict=True):
        left_out = Counter(
            each["reason"] for each in (one.file.end.findings if one.file.end else ()) if each["excluded"]
        )
        if left_out:
            parts.append(f"{name}: left out {', '.join(f'{n} ({why})' for why, n in left_out.items())}\n")
    parts += [method_text(scores[0]), _warnings_text(dict(zip(names, scores, strict=True))), "\n"]
    return "".join(parts)


def method_text(one: Score) -> str:
    """How the rates and intervals were made."""
    options, rate = one.options, one.wer
    drawn = f"{rate.n_blocks} {options.blocks}s" if rate.n_blocks else f"{rate.n_utterances} utterances"
    return (
        f"Profile {options.profile}, normaliser {one.normalizer}; {options.level:.0%} intervals: percentile "
        f"bootstrap over {drawn}, {options.n_resamples} resamples, seed {options.seed}.\n"
    )


def _warnings_text(scores: Mapping[str, Score]) -> str:
    return "".join(f"Note: {warning}\n" for warning in warnings(scores))


def _scores_content(scores: Sequence[Score]) -> dict[str, Any]:
    """Rates, what they are of and how they were made."""
    return {
        "systems": _rows(summarize(scores)),
        "headers": [asdict(one.header) for one in scores],
        "findings": [one.file.end.findings if one.file.end else None for one in scores],
        "scoring": asdict(scores[0].options) | {"normalizer": scores[0].normalizer},
        "warnings": warnings(dict(zip(labels([one.file for one in scores]), scores, strict=True))),
    }


def _comparison_content(comparison: Comparison) -> dict[str, Any]:
    return {
        "differences": _rows(as_table(comparison)),
        "mapsswe": asdict(comparison.mapsswe),
        "speed": asdict(comparison.speed),
        "verdict": comparison.verdict(),
        "scoring": asdict(comparison.a.options),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.reset_index().to_dict("records")
    return rows


def _plain(value: Any) -> Any:
    """As JSON takes it: plain Python, null for what is not a number."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(content: Mapping[str, Any]) -> None:
    """Numbers for machines, on stdout."""
    write_text(json.dumps(_plain(content), ensure_ascii=False, indent=2, default=str, allow_nan=False) + "\n")


def write_text(text: str) -> None:
    """Text for people, on stdout."""
    sys.stdout.write(text)
