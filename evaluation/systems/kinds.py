"""Kinds of systems: this package's engine, its peers, servers, and those that other packages bring.

All that the rest of the evaluation knows of a kind is its `SystemKind`. Each has a file of its own, which is
imported only when that kind is asked for. Other packages name theirs by entry points:

    [project.entry-points."gigastt_lab.systems"]
    vosk = "my_package.vosk:VOSK"
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from evaluation.records.naming import safe_name
from evaluation.systems.base import System, SystemUnavailableError
from gigastt_lab.errors import brief

if TYPE_CHECKING:
    from evaluation.systems.spec import SystemRequest
    from evaluation.systems.timed import Conditions, Contestant, Timed

GROUP: Final = "gigastt_lab.systems"
"""Group of the entry points that name the kinds of other packages."""

_BUILT_IN: Final = {
    name: EntryPoint(name, f"evaluation.systems.{place}", GROUP)
    for name, place in (
        ("engine", "engine:ENGINE"),
        ("onnx-asr", "onnx_asr:ONNX_ASR"),
        ("gigastt", "gigastt:GIGASTT"),
        ("kairos-asr", "kairos_asr:KAIROS_ASR"),
        ("server", "http:SERVER"),
    )
}

Setting = Literal["precision", "provider", "threads", "batch_size"]


class Load(Protocol):
    """Signature of a kind's loader."""

    def __call__(self, spec: SystemRequest, /, *, show_progress: bool) -> System:
        """The system, ready to transcribe.

        Args:
            spec: System as it is asked for.
            show_progress: Bars on stderr while something is downloaded.

        Raises:
            SystemUnavailableError: it cannot be loaded; the message says what to do.
        """


@dataclass(frozen=True)
class Package:
    """A package that a system needs.

    Attributes:
        module: Name to import.
        distribution: Name to install.
    """

    module: str
    distribution: str

    @property
    def is_installed(self) -> bool:
        """True if its module is found; nothing is imported."""
        return importlib.util.find_spec(self.module) is not None


def _nothing(spec: SystemRequest) -> None:
    del spec


def _no_files(spec: SystemRequest, info: Mapping[str, Any]) -> Mapping[str, str]:
    del spec, info
    return {}


def _no_contestants(conditions: Conditions) -> list[Contestant]:
    del conditions
    return []


@dataclass(frozen=True, kw_only=True)
class SystemKind:
    """A kind of system: how it is named, asked for, found, loaded, told from another one, and timed.

    Only `name` and `load` are needed: the rest describes a system that runs a model of this package on files
    and has no settings.

    Attributes:
        name: `SystemSpec.kind`, and the NAME of ``--peer NAME[,OPTION=VALUE...]``.
        load: Loader of the system; it need not be warmed up.
        package: Package that has to be installed; its version goes into records.
        require: Check that raises `SystemUnavailableError` where more is missing, as far as that shows
            without loading.
        files: SHA-256 of the model's files by name, from a spec and the `info` of the system when it was
            loaded; may raise `ModelNotFoundError` or `OSError`.
        settings: Fields of `SystemSpec` that it heeds; they are part of its name.
        options: Names of the options that it takes, by `SystemSpec.options` and ``--peer``.
        has_model: True if it runs `SystemSpec.model`; its name and directory are then part of the name.
        check: Check that raises `ValueError` for options that make no sense, where a look at their names does
            not do.
        name_of: Name of a system as it is asked for, where the usual one does not do; see `usual_name`.
        prefixes: Beginnings of NAMEs in ``--peer`` that mean this kind, in place of `name`; (): none do.
        peer: Keyword arguments of `SystemSpec` from the NAME in ``--peer``, its options, and those of the
            first engine, where the usual ones do not do; may raise `ValueError`.
        timed: Loader of the system in a process of `speed_study`, which measures its memory: imports nothing
            but what this system needs, and gets a `Contestant.spec`. None: it is not timed.
        contestants: Contestants of this kind in a measurement of `speed_study`, under its conditions.
    """

    name: str
    load: Load
    package: Package | None = None
    require: Callable[[SystemRequest], None] = _nothing
    files: Callable[[SystemRequest, Mapping[str, Any]], Mapping[str, str]] = _no_files
    settings: tuple[Setting, ...] = ()
    options: tuple[str, ...] = ()
    has_model: bool = True
    check: Callable[[SystemRequest], None] | None = None
    name_of: Callable[[SystemRequest], str] | None = None
    prefixes: tuple[str, ...] | None = None
    peer: Callable[[str, dict[str, str], Mapping[str, Any]], dict[str, Any]] | None = None
    timed: Callable[[Mapping[str, Any]], Timed] | None = None
    contestants: Callable[[Conditions], list[Contestant]] = _no_contestants

    def checked(self, spec: SystemRequest) -> None:
        """Check the options of a spec of this kind.

        Raises:
            ValueError: there is no such option, or it makes no sense.
        """
        if self.check is not None:
            self.check(spec)
        elif spec.options and not self.options:
            raise ValueError(f"{self.name} takes no options")
        elif unknown := [name for name in spec.options if name not in self.options]:
            raise ValueError(
                f"{self.name} takes no option {unknown[0]!r}; it takes {', '.join(self.options)}"
            )

    def fields_of_peer(self, name: str, options: dict[str, str], first: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments of `SystemSpec` from the text of ``--peer``.

        Args:
            name: Text before the first comma.
            options: Options that follow it, by name.
            first: Keyword arguments of the first engine: what is not said is as there.

        Raises:
            ValueError: an option that makes no sense.
        """
        if self.peer is not None:
            return {"kind": self.name, **self.peer(name, options, first)}
        return {"kind": self.name, **self.like(first), "options": options}

    def like(self, first: Mapping[str, Any]) -> dict[str, Any]:
        """Those fields of the first engine that mean something to this kind."""
        taken = (*(("model", "model_dir") if self.has_model else ()), *self.settings)
        return {name: first[name] for name in taken if name in first}


def usual_name(spec: SystemRequest, prefix: str) -> str:
    """Name of a system as it is asked for: what it is, its model, settings that were chosen, options."""
    kind = kind_of(spec.kind)
    parts = [prefix] if prefix else []
    if kind.has_model:
        parts.append(spec.model_name)
    if "precision" in kind.settings and spec.precision != "auto":
        parts.append(spec.precision)
    if "provider" in kind.settings and spec.provider != "auto":
        parts.append(spec.provider)
    if "threads" in kind.settings and spec.threads is not None:
        parts.append(f"t{spec.threads}")
    if "batch_size" in kind.settings:
        parts.append(f"b{spec.batch_size}")
    parts += [f"{name}-{value}" for name, value in spec.options.items()]
    return safe_name("_".join(parts))


def kind_of(name: str) -> SystemKind:
    """A kind by its name.

    Raises:
        ValueError: there is no such kind.
        SystemUnavailableError: another package names it, and it cannot be imported.
    """
    if name in _BUILT_IN:
        kind: SystemKind = _BUILT_IN[name].load()
        return kind
    found = [each for each in entry_points(group=GROUP) if each.name == name]
    if not found:
        raise ValueError(f"there is no kind of system {name!r}; choose one of {', '.join(kind_names())}")
    return _loaded(found[0])


def kind_names() -> list[str]:
    """Names of all kinds: this package's in a fixed order, then those of other packages."""
    others = {each.name for each in entry_points(group=GROUP)} - _BUILT_IN.keys()
    return [*_BUILT_IN, *sorted(others)]


def is_built_in(name: str) -> bool:
    """True for the kinds of this package."""
    return name in _BUILT_IN


def is_kind(name: str) -> bool:
    """True if there is a kind of that name, whether it can be imported or not."""
    return name in _BUILT_IN or name in kind_names()  # the first without a look at installed packages


def distributions() -> list[str]:
    """Names to install of the packages that kinds need; of kinds that cannot be imported, none."""
    found = []
    for name in kind_names():
        with suppress(SystemUnavailableError):
            package = kind_of(name).package
            found += [] if package is None else [package.distribution]
    return found


def kind_of_peer(name: str) -> SystemKind:
    """The kind that the NAME in ``--peer NAME[,OPTION=VALUE...]`` means.

    Raises:
        ValueError: no kind.
        SystemUnavailableError: another package's, which cannot be imported.
    """
    for each in kind_names():
        with suppress(SystemUnavailableError):
            kind = kind_of(each)
            if kind.prefixes and name.startswith(kind.prefixes):
                return kind
    if name not in peer_names():
        raise ValueError(f"give {', '.join(peer_names())}, or the URL of a server")
    return kind_of(name)


def peer_names() -> list[str]:
    """Names of the kinds that ``--peer`` takes by their name; of those that cannot be imported, too."""
    named = []
    for name in kind_names():
        prefixes = None
        with suppress(SystemUnavailableError):
            prefixes = kind_of(name).prefixes
        named += [name] if prefixes is None else []
    return named


def _loaded(entry: EntryPoint) -> SystemKind:
    """The kind behind another package's entry point."""
    package = entry.dist.name if entry.dist is not None else "a package"
    try:
        kind = entry.load()
    except Exception as error:
        raise SystemUnavailableError(
            f"{package} offers the system {entry.name}, and it cannot be imported from {entry.value} "
            f"({brief(error)}); repair or remove that package"
        ) from error
    if not isinstance(kind, SystemKind) or kind.name != entry.name:
        raise SystemUnavailableError(
            f"{package} offers the system {entry.name}, and {entry.value} is no SystemKind of that name; "
            "repair or remove that package"
        )
    return kind
