"""Which systems a run compares: a matrix of this package's engines, and peers; how each is loaded."""

from __future__ import annotations

import importlib.metadata
import itertools
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from evaluation.datasets.audio import Audio
from evaluation.records.machine import without_home
from evaluation.records.naming import safe_name
from evaluation.systems.base import Outcome, System, SystemUnavailableError, warm_up
from evaluation.systems.engine import EngineSystem, file_hashes
from evaluation.systems.gigastt import GigasttSystem, files_taken, has_manifest
from evaluation.systems.http import ServerOptions, ServerSystem
from evaluation.systems.onnx_asr import OnnxAsrSystem
from gigastt_lab.engine import DEFAULT_BATCH_SIZE
from gigastt_lab.errors import ModelNotFoundError
from gigastt_lab.models.files import ModelFiles, Precision, PrecisionChoice
from gigastt_lab.models.registry import DEFAULT_MODEL, canonical_name, model_directory
from gigastt_lab.prepare import prepare_model, skips_quantizing
from gigastt_lab.types import Provider

__all__ = [
    "KINDS",
    "Audio",
    "EngineSystem",
    "Kind",
    "Outcome",
    "ServerOptions",
    "System",
    "SystemSpec",
    "SystemUnavailableError",
    "load_system",
    "matrix",
    "on_disk",
]

logger = logging.getLogger(__name__)

Kind = Literal["engine", "onnx-asr", "gigastt", "server"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_PACKAGES: Final = {"onnx-asr": "onnx-asr", "gigastt": "gigastt"}  # of kinds, the distributions


@dataclass(frozen=True, kw_only=True)
class SystemSpec:
    """A system as it is asked for; what it then really runs stands in its `info`.

    Attributes:
        kind: This package's engine, or a peer.
        model: A name that `models.canonical_name` takes; not for a server.
        model_dir: Its directory, where that is not the usual one.
        precision: Of the encoder. `gigastt` chooses itself.
        provider: Execution provider. `gigastt` chooses itself.
        threads: Threads inside one operator; None takes what `cores.default_threads` says. `gigastt`
            chooses itself.
        batch_size: Utterances at once; 1: strictly one at a time, for latency. Servers and `gigastt` take
            one at a time, whatever is asked for.
        options: Of a server: what `servers.ServerOptions` takes, `url` before all.
    """

    kind: Kind = "engine"
    model: str = DEFAULT_MODEL
    model_dir: str | os.PathLike[str] | None = None
    precision: PrecisionChoice = "auto"
    provider: Provider = "auto"
    threads: int | None = None
    batch_size: int = DEFAULT_BATCH_SIZE
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind of system {self.kind!r}; choose one of {', '.join(KINDS)}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}; give 1 or more, 1 for one at a time")
        if (self.kind == "server") != bool(self.options):
            raise ValueError("options are for servers, which need one at least: url")
        canonical_name(self.model)
        if self.kind == "server":
            _server_options(self)

    @property
    def name(self) -> str:
        """What was asked for, short and fit for a file's name: known before anything is loaded.

        >>> SystemSpec(model="demo", precision="int8", threads=2).name
        'gigaam-demo_int8_t2_b8'
        """
        if self.kind == "server":
            return _server_options(self).name
        parts: list[str] = [] if self.kind == "engine" else [self.kind]
        parts.append(self.model_name)
        if self.kind != "gigastt":
            parts += [choice for choice in (self.precision, self.provider) if choice != "auto"]
            parts += [] if self.threads is None else [f"t{self.threads}"]
            parts.append(f"b{self.batch_size}")
        return safe_name("_".join(parts))

    @property
    def model_name(self) -> str:
        """The model's full name, and that of its directory where that is not the usual one."""
        return canonical_name(self.model) + _variant(self.model_dir)

    def asked(self) -> dict[str, Any]:
        """All that was said, for a header: the home directory as ``~``."""
        if self.kind == "server":
            return {"kind": self.kind, "options": dict(self.options)}
        said: dict[str, Any] = {"kind": self.kind, "model": canonical_name(self.model)}
        if self.model_dir is not None:
            said["model_dir"] = without_home(os.fspath(self.model_dir))
        if self.kind != "gigastt":
            said |= {"precision": self.precision, "provider": self.provider, "threads": self.threads}
            said["batch_size"] = self.batch_size
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


def load_system(spec: SystemSpec, *, show_progress: bool = True) -> System:
    """The system, warmed up; its model is downloaded, and quantized, where that is needed.

    Args:
        spec: What is asked for.
        show_progress: Bars on stderr while something is downloaded.

    Raises:
        SystemUnavailableError: a peer's package is not installed, or a server does not answer.
        ModelError: the model cannot be had or used.
        ProviderError: the provider is not available.
        ValueError: an option that makes no sense.
    """
    if spec.kind == "server":
        return _warm(ServerSystem(_server_options(spec)))
    variant = _variant(spec.model_dir)
    if spec.kind == "gigastt":
        directory = _prepared(spec, spec.precision, show_progress=show_progress)
        return _warm(GigasttSystem.load(canonical_name(spec.model) + variant, directory))
    if spec.kind == "onnx-asr":
        directory = _prepared(
            spec, "int8" if spec.precision == "int8" else "fp32", show_progress=show_progress
        )
        return _warm(
            OnnxAsrSystem.load(
                canonical_name(spec.model) + variant,
                directory,
                precision="int8" if spec.precision == "int8" else "fp32",
                provider=spec.provider,
                threads=spec.threads,
                batch_size=spec.batch_size,
            )
        )
    return _warm(
        EngineSystem.load(
            canonical_name(spec.model),
            _prepared(spec, spec.precision, show_progress=show_progress),
            precision=spec.precision,
            provider=spec.provider,
            threads=spec.threads,
            batch_size=spec.batch_size,
            variant=variant,
        )
    )


def on_disk(spec: SystemSpec, info: Mapping[str, Any]) -> dict[str, Any]:
    """What can be said of a system without loading it: SHA-256 of the model's files, a package's version.

    Args:
        spec: What is asked for.
        info: Of the same system when it was loaded, which says the precision that "auto" took.

    Returns:
        ``files`` and ``package_version`` as in a system's `info`, as far as they are here: of a server, or
        where the model or the package is no longer there, nothing of it.

    Raises:
        ModelError: the model's name is not known.
    """
    found: dict[str, Any] = {}
    if spec.kind in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found["package_version"] = importlib.metadata.version(_PACKAGES[spec.kind])
    if spec.kind == "server":
        return found
    directory = model_directory(spec.model, spec.model_dir)
    try:
        if spec.kind == "gigastt":
            found["files"] = files_taken(directory)["files"]
        else:
            precision: PrecisionChoice = spec.precision
            if spec.kind == "onnx-asr" and precision == "auto":
                precision = "fp32"
            preferred: Precision = "fp32" if info.get("precision") == "fp32" else "int8"
            found["files"] = file_hashes(ModelFiles.find(directory, precision, preferred=preferred))
    except (ModelNotFoundError, OSError) as error:
        logger.warning("%s: its files are not compared with those recorded (%s)", spec.name, error)
    return found


def _warm(system: System) -> System:
    system.info["warm_up"] = warm_up(system)
    return system


def _prepared(spec: SystemSpec, precision: PrecisionChoice, *, show_progress: bool) -> Path:
    """The directory of the model, complete as far as `precision` asks."""
    directory = model_directory(spec.model, spec.model_dir)
    if spec.kind == "onnx-asr" and precision == "int8":
        return directory  # it wants three INT8 graphs, which we do not make
    if spec.kind == "gigastt" and has_manifest(directory):
        return directory  # complete or not: the names are the manifest's
    return prepare_model(
        spec.model,
        spec.model_dir,
        precision=precision,
        skip_quantize=skips_quantizing(),
        show_progress=show_progress,
    )


def _variant(model_dir: str | os.PathLike[str] | None) -> str:
    """What tells a directory of one's own apart, in names."""
    return "" if model_dir is None else f"-{Path(model_dir).resolve().name}"


def _server_options(spec: SystemSpec) -> ServerOptions:
    try:
        return ServerOptions(**spec.options)
    except TypeError as error:
        raise ValueError(f"options of a server: {error}; see servers.ServerOptions") from error
