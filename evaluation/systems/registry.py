"""Registry of systems: specifications, the matrix of engines, what ``--peer`` asks for, and loading."""

from __future__ import annotations

import importlib.metadata
import itertools
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.records.machine import without_home
from evaluation.systems.availability import warm_up
from evaluation.systems.base import System
from evaluation.systems.kinds import kind_of, kind_of_peer, usual_name
from evaluation.systems.spec import SystemRequest
from gigastt_lab.engine import DEFAULT_BATCH_SIZE
from gigastt_lab.errors import ModelNotFoundError
from gigastt_lab.models.files import PrecisionChoice
from gigastt_lab.models.registry import canonical_name
from gigastt_lab.prepare import prepare_model, skips_quantizing
from gigastt_lab.types import Provider

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SystemSpec(SystemRequest):
    """A system as it is asked for, checked and named by its kind. Attributes are those of `SystemRequest`."""

    def __post_init__(self) -> None:
        kind = kind_of(self.kind)
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}; give 1 or more, 1 for one at a time")
        kind.checked(self)
        canonical_name(self.model)

    @property
    def name(self) -> str:
        """Name of what was asked for, short and fit for a file's: known before anything is loaded.

        >>> SystemSpec(model="demo", precision="int8", threads=2).name
        'gigaam-demo_int8_t2_b8'
        """
        name_of = kind_of(self.kind).name_of
        return usual_name(self, self.kind) if name_of is None else name_of(self)

    def asked(self) -> dict[str, Any]:
        """All that was said, for a header: the home directory as ``~``."""
        kind = kind_of(self.kind)
        said: dict[str, Any] = {"kind": self.kind}
        if kind.has_model:
            said["model"] = canonical_name(self.model)
            if self.model_dir is not None:
                said["model_dir"] = without_home(os.fspath(self.model_dir))
        said |= {name: getattr(self, name) for name in kind.settings}
        if self.options:
            said["options"] = dict(self.options)
        return said


def matrix(
    models: Sequence[str],
    precisions: Sequence[PrecisionChoice] = ("auto",),
    providers: Sequence[Provider] = ("auto",),
    threads: Sequence[int | None] = (None,),
    batch_sizes: Sequence[int] = (DEFAULT_BATCH_SIZE,),
    *,
    model_dir: str | os.PathLike[str] | None = None,
) -> list[SystemSpec]:
    """Every combination, once, the last one given changing fastest.

    Raises:
        ModelError: a model is not known.
        ValueError: a batch size is less than 1.

    >>> [spec.name for spec in matrix(["demo", "gigaam-demo"], ["fp32", "int8"], threads=[1, 2])][:3]
    ['gigaam-demo_fp32_t1_b8', 'gigaam-demo_fp32_t2_b8', 'gigaam-demo_int8_t1_b8']
    """
    names = [canonical_name(model) for model in models]
    specs = [
        SystemSpec(
            model=model,
            model_dir=model_dir,
            precision=precision,
            provider=provider,
            threads=n_threads,
            batch_size=batch_size,
        )
        for model, precision, provider, n_threads, batch_size in itertools.product(
            names, precisions, providers, threads, batch_sizes
        )
    ]
    return list(dict.fromkeys(specs))


def peer_spec(text: str, first: Mapping[str, Any]) -> SystemSpec:
    """The system that ``--peer`` asks for.

    Args:
        text: ``NAME[,OPTION=VALUE...]``.
        first: Keyword arguments of the first engine; what is not said is as there.

    Raises:
        ValueError: there is no such peer, or an option makes no sense.
        SystemUnavailableError: another package offers it, and cannot be imported.
    """
    name, *pairs = text.split(",")
    options = dict(pair.partition("=")[::2] for pair in pairs)
    return SystemSpec(**kind_of_peer(name).fields_of_peer(name, options, first))


def load_system(spec: SystemSpec, *, show_progress: bool = True) -> System:
    """The system, warmed up; its model is downloaded, and quantized, where that is needed.

    Args:
        spec: System as it is asked for.
        show_progress: Bars on stderr while something is downloaded.

    Raises:
        SystemUnavailableError: a peer's package is not installed, or a server does not answer.
        ModelError: the model cannot be had or used.
        ProviderError: the provider is not available.
        ValueError: an option that makes no sense.
    """
    system = kind_of(spec.kind).load(spec, show_progress=show_progress)
    system.info["warm_up"] = warm_up(system)
    return system


def on_disk(spec: SystemSpec, info: Mapping[str, Any]) -> dict[str, Any]:
    """Fingerprint of a system without loading it: SHA-256 of the model's files, version of the package.

    Args:
        spec: System as it is asked for.
        info: Configuration of the same system when it was loaded: the precision that "auto" took.

    Returns:
        ``files`` and ``package_version`` as in a system's `info`, as far as they are here: of a server, or
        where the model or the package is no longer there, nothing of it.

    Raises:
        ModelError: the model's name is not known.
    """
    kind = kind_of(spec.kind)
    found: dict[str, Any] = {}
    if kind.package is not None:
        with suppress(importlib.metadata.PackageNotFoundError):
            found["package_version"] = importlib.metadata.version(kind.package.distribution)
    try:
        files = kind.files(spec, info)
    except (ModelNotFoundError, OSError) as error:
        logger.warning("%s: its files are not compared with those recorded (%s)", spec.name, error)
        return found
    return found | ({"files": dict(files)} if files else {})


def prepared(spec: SystemRequest, precision: PrecisionChoice, *, show_progress: bool) -> Path:
    """The directory of a spec's model, complete as far as `precision` asks: downloaded, quantized."""
    return prepare_model(
        spec.model,
        spec.model_dir,
        precision=precision,
        skip_quantize=skips_quantizing(),
        show_progress=show_progress,
    )
