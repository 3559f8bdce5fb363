"""Contestants of a measurement: the engine in its precisions, and its peers over the same files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from evaluation.systems.base import SystemUnavailableError
from evaluation.systems.kinds import SystemKind, is_built_in, kind_names, kind_of
from evaluation.systems.timed import Conditions, Contestant
from gigastt_lab.errors import brief


def our_contestants(conditions: Conditions) -> list[Contestant]:
    """Contestants of this package's engine."""
    return kind_of("engine").contestants(conditions)


def peer_contestants(conditions: Conditions) -> list[Contestant]:
    """Contestants of every other kind of system, installed or not.

    Args:
        conditions: The same for all, but for the folder: each gets one of its own in that one.
    """
    found: list[Contestant] = []
    for name in kind_names():
        its = replace(conditions, folder=conditions.folder / name)
        try:
            found += (each for each in _contestants(kind_of(name), its) if not each.is_ours)
        except SystemUnavailableError as error:
            found.append(_broken(name, its, str(error)))
        except Exception as error:
            if is_built_in(name):
                raise
            found.append(_broken(name, its, brief(error)))  # another package's fault takes no others along
    return found


def _contestants(kind: SystemKind, conditions: Conditions) -> Iterator[Contestant]:
    """Those of one kind; where its package is not installed, each says so."""
    for each in kind.contestants(conditions):
        if kind.package is None or kind.package.is_installed:
            yield each
        else:
            yield replace(each, missing=f"not installed: pip install {kind.package.distribution}")


def _broken(name: str, conditions: Conditions, error: str) -> Contestant:
    """A contestant of another package's kind that cannot be imported."""
    return Contestant(
        label=name,
        kind=name,
        directory=conditions.directory,
        precision="fp32",
        threads=conditions.threads,
        missing=error,
    )
