"""Names of run folders: the dataset, how it was drawn, the models."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.datasets.utterances import Utterances
from evaluation.records.naming import safe_name
from evaluation.systems.registry import SystemSpec


def run_name(dataset: Utterances, specs: Sequence[SystemSpec]) -> str:
    """A folder's name for runs that belong together: the same dataset drawn alike, the same models."""
    models = dict.fromkeys(spec.model_name for spec in specs if spec.is_ours)
    drawn = [f"{name}{dataset.drawing[name]}" for name in ("limit", "sample") if dataset.drawing[name]]
    if dataset.drawing["sample"]:
        drawn.append(f"seed{dataset.drawing['seed']}")
    return safe_name("_".join([dataset.name, *drawn, *models]))
