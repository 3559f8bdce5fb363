"""System that is meant by what a caller has at hand: an engine, a name, a spec, a function."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

from evaluation.records.naming import safe_name
from evaluation.systems.base import System
from evaluation.systems.engine import EngineSystem
from evaluation.systems.function import FunctionError, FunctionSystem, Takes
from evaluation.systems.kinds import peer_names
from evaluation.systems.registry import SystemSpec, peer_spec
from gigastt_lab.engine import DEFAULT_BATCH_SIZE, Engine
from gigastt_lab.errors import ModelError
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.registry import KNOWN_MODELS, canonical_name, model_directory

_SYSTEM = ("name", "info", "batch_size", "transcribe")


def asked_for(
    system: object, *, name: str = "", takes: Takes = "path", batch_size: int | None = None
) -> System | SystemSpec:
    """The system, or the spec of one that is loaded when it is needed.

    Args:
        system: An engine, a name, a path, a spec, a system, a function, or an object with `transcribe`.
        name: Name for the tables; of functions, objects and engines.
        takes: Form in which a function takes audio.
        batch_size: Utterances at once; None: the usual number, and one audio for a function.

    Raises:
        FunctionError: it is none of these.
        ModelError: a file of an engine's model cannot be read.
        ValueError: no such model or peer, or an option that makes no sense for it.
    """
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; give 1 or more, or None for the usual")
    if isinstance(system, str | os.PathLike):
        _refuse(name=name, takes=takes)
        return _spec(system, batch_size)
    if isinstance(system, Engine):
        _refuse(takes=takes)
        return engine_system(system, batch_size or DEFAULT_BATCH_SIZE, name=name)
    if isinstance(system, SystemSpec) or (
        not isinstance(system, type) and all(hasattr(system, each) for each in _SYSTEM)
    ):
        _refuse(name=name, takes=takes, batch_size=batch_size)
        return cast("System | SystemSpec", system)
    function: Any = system
    if not isinstance(system, type) and callable(getattr(system, "transcribe", None)):
        # Before a call of the object itself: that of a network in PyTorch is one pass over features.
        function = system.transcribe  # type: ignore[attr-defined]  # just looked at
        name = name or type(system).__name__
    return FunctionSystem(function, name=name, takes=takes, batch_size=batch_size)


def engine_system(engine: Engine, batch_size: int, *, name: str = "") -> EngineSystem:
    """The engine as a system; without a name of its own, it has the usual one.

    Raises:
        ModelError: a file of its model cannot be read.
    """
    directory = Path(engine.info.directory)
    files = ModelFiles.find(directory, engine.info.precision, preferred=engine.info.precision)
    is_usual = directory.resolve() == model_directory(engine.info.model).resolve()
    variant = "" if is_usual else f"-{directory.resolve().name}"
    system = EngineSystem(engine, batch_size=batch_size, files=files, variant=variant)
    system.name = safe_name(name) if name else system.name
    return system


def _spec(named: str | os.PathLike[str], batch_size: int | None) -> SystemSpec:
    sized: dict[str, Any] = {} if batch_size is None else {"batch_size": batch_size}
    if not isinstance(named, str):
        return SystemSpec(model_dir=named, **sized)
    try:
        return SystemSpec(model=canonical_name(named), **sized)
    except ModelError as error:
        try:
            return peer_spec(named, sized)
        except ValueError:
            raise FunctionError(
                f"there is no system {named!r}; give a model ({', '.join(KNOWN_MODELS)}, demo), another "
                f"system ({', '.join(peer_names())}), a server's URL, a model's directory as a Path, or a "
                "function"
            ) from error


def _refuse(**given: object) -> None:
    """Refuse options that are for functions alone."""
    usual = {"name": "", "takes": "path", "batch_size": None}
    vain = [option for option, value in given.items() if value != usual[option]]
    if vain:
        raise ValueError(f"{' and '.join(vain)}: for functions alone; this system has its own")
