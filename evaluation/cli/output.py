"""Output of the commands: tables for people, or JSON for machines."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.cli.beyond import Asked
from evaluation.cli.options import scoring
from evaluation.records.files import RecordFile
from evaluation.report.account import warnings
from evaluation.scoring.compare import Comparison, as_table, sentences
from evaluation.scoring.joined_words import compounds_remark
from evaluation.scoring.options import Options
from evaluation.scoring.scores import Score, labels, plain_ids, profiles, rules, score, summarize
from evaluation.scoring.timing import how_timed, speed_sentence
from evaluation.scoring.verdicts import hindrance
from evaluation.show.display import render_text
from evaluation.show.tables import profiles_table, rules_table, speed_table, summary_table
from evaluation.statistics.methods import method_in_words
from evaluation.systems.availability import peers_here
from gigastt_lab.exit_codes import for_terminal
from gigastt_lab.models.registry import KNOWN_MODELS, model_directory
from gigastt_lab.prepare import precisions_of
from gigastt_lab.runtime.cores import core_count, default_threads
from gigastt_lab.runtime.sessions import available_providers


def show_scores(
    files: Sequence[RecordFile],
    options: argparse.Namespace,
    *,
    details: bool = False,
    more: Asked | None = None,
) -> None:
    """Rates and speed of each file; with details, every profile and rule; and what more is asked for."""
    scores = [score(file, **scoring(options)) for file in files]
    named = dict(zip(labels(files), scores, strict=True))
    chosen = Options(**scoring(options))
    plain = plain_ids(files)
    by_profile = {
        label: profiles(file, chosen, plain=plain) if details else pd.DataFrame()
        for label, file in zip(labels(files), files, strict=True)
    }
    by_rule = (
        {label: rules(file, chosen) for label, file in zip(labels(files), files, strict=True)}
        if details
        else {}
    )
    if options.json:
        content = scores_content(scores)
        if details:
            content["profiles"] = {label: rows(table) for label, table in by_profile.items()}
            content["rules"] = {label: rows(table) for label, table in by_rule.items()}
        write_json(content | (more.content(named) if more else {}))
        return
    told = more.text(named) if more else ""  # first: it may refuse what is asked
    write_text(scores_text(scores))
    for one in scores:
        for utterance, failure in one.failures["error"].items():
            write_text(f"failed: {one.system}: {utterance}: {failure}\n")
    if details:
        write_text(render_text(profiles_table(by_profile)) + "\n")
        write_text(render_text(rules_table(by_rule)) + "\n")
    write_text(told)


def show_paths(paths: Sequence[Path], options: argparse.Namespace) -> None:
    """Paths of the files that were written."""
    if options.json:
        write_json({"files": [str(path) for path in paths]})
    else:
        write_text("".join(f"{path}\n" for path in paths))


def show_systems(options: argparse.Namespace) -> None:
    """Models, providers and peers."""
    models = {
        name: list(precisions_of(model_directory(name))) for name in KNOWN_MODELS
    }  # what is not on this machine yet has none
    peers = peers_here()
    if options.json:
        write_json(
            {
                "models": models,
                "providers": list(available_providers()),
                "peers": {name: hindrance is None for name, hindrance in peers.items()},
            }
        )
        return
    for name, precisions in models.items():
        write_text(
            f"model     {name}: {', '.join(precisions) or 'not on this machine; downloaded on first use'}\n"
        )
    threads = f"{core_count()} cores, {default_threads()} threads by default"
    write_text(f"provider  {', '.join(available_providers())}; {threads}\n")
    for name, missing in peers.items():
        write_text(f"peer      {name}: {missing or 'installed'}\n")
    write_text("peer      URL of a server that speaks gigastt's or OpenAI's transcription route\n")


def headline(file: RecordFile, common: str) -> str:
    """Heading of a study: what all systems' names have in common, the dataset, the machine."""
    dataset, machine = file.header.dataset, file.header.machine
    return (
        (f"{common}\n" if common else "")
        + f"{dataset.get('name', 'imported')}: {dataset.get('description', '')}\n"
        f"on {machine.get('cpu', 'an unknown machine')}, {machine.get('cores', '?')} cores\n\n"
    )


def scores_text(scores: Sequence[Score], names: Sequence[str] | None = None) -> str:
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
    parts += [method_text(*scores), warnings_text(dict(zip(names, scores, strict=True))), "\n"]
    return "".join(parts)


def method_text(first: Score, *others: Score) -> str:
    """Method behind the rates and intervals, as a sentence: profile, normaliser, interval, blocks, seed."""
    options = first.options
    methods = dict.fromkeys(method_in_words(one.wer, one.options.blocks) for one in (first, *others))
    return (
        f"Profile {options.profile}, normaliser {first.normalizer}{compounds_remark(first, *others)}; "
        f"{options.level:.0%} intervals: {'; '.join(methods)}.\n"
    )


def warnings_text(scores: Mapping[str, Score]) -> str:
    """Notes to read before the rates, one a line."""
    return "".join(f"Note: {warning}\n" for warning in warnings(scores))


def scores_content(scores: Sequence[Score]) -> dict[str, Any]:
    """Rates, what they are of and how they were made."""
    return {
        "systems": rows(summarize(scores)),
        "headers": [asdict(one.header) for one in scores],
        "findings": [one.file.end.findings if one.file.end else None for one in scores],
        "timing": [asdict(how_timed(one.file)) for one in scores],
        "scoring": _options_content(scores[0].options) | {"normalizer": scores[0].normalizer},
        "warnings": warnings(dict(zip(labels([one.file for one in scores]), scores, strict=True))),
    }


def comparison_content(comparison: Comparison) -> dict[str, Any]:
    """Paired differences, their tests and verdict, what they are of and what to know before reading them."""
    a, b, margin = comparison.a, comparison.b, comparison.margin
    test = asdict(comparison.mapsswe) | {"objection": comparison.mapsswe.objection(comparison.wer.n_blocks)}
    return {
        "differences": rows(as_table(comparison)),
        "mapsswe": test,
        "speed": asdict(comparison.speed),
        "verdict": comparison.verdict(),
        "outcome": comparison.outcome,
        "hindrance": hindrance(comparison.wer),
        "p_adjusted": comparison.p_adjusted,
        "n_comparisons": comparison.n_comparisons,
        "margin": None if margin is None else asdict(margin) | {"p_equivalent": margin.p_equivalent},
        "profiles": rows(comparison.by_profile),
        "speed_statement": speed_sentence(
            comparison.speed, (comparison.label_a, comparison.label_b), (a.file, b.file)
        ),
        "sentences": sentences(comparison),
        "left_out": {"only_a": comparison.n_only_a, "only_b": comparison.n_only_b},
        "findings": {
            label: one.file.end.findings if one.file.end else None
            for label, one in ((comparison.label_a, a), (comparison.label_b, b))
        },
        "scoring": _options_content(a.options) | {"normalizer": a.normalizer},
        "warnings": warnings({comparison.label_a: a, comparison.label_b: b}),
    }


def _options_content(options: Options) -> dict[str, Any]:
    return {"profile": options.profile} | asdict(options)  # what decides most comes first


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON holds them, the index among the columns."""
    found: list[dict[str, Any]] = table.reset_index().to_dict("records")
    return found


def _plain(value: Any) -> Any:
    """The value as JSON takes it: plain Python, null for what is not a number."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(content: Mapping[str, Any]) -> None:
    """Numbers for machines, on stdout."""
    told = json.dumps(_plain(content), ensure_ascii=False, indent=2, default=str, allow_nan=False)
    sys.stdout.write(told + "\n")


def write_text(text: str) -> None:
    """Text for people, on stdout, with no line longer than the terminal."""
    sys.stdout.write(for_terminal(text))
