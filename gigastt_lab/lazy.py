"""Public names of a package that are loaded on first use, and shown by `dir()` and Tab before that."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def lazy(
    package: str, names: Mapping[str, str], *, was: str = ""
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """`__all__`, `__getattr__` and `__dir__` of a package whose public names live in its modules.

    Type checkers do not see through this: the package imports the same names under `TYPE_CHECKING`.

    Args:
        package: Its `__name__`.
        names: Public name to where it lives, as entry points are written: ``"engine:load_engine"``, or a
            module, ``"show.tables"``; both within the package.
        was: Module of the package that it was itself once: its other names are found, with a warning.

    Returns:
        What the package assigns to `__all__`, `__getattr__` and `__dir__`.
    """

    def get(name: str) -> Any:
        if name not in names:
            return former(name)
        module, _, attribute = names[name].partition(":")
        found = importlib.import_module(f"{package}.{module}")
        return getattr(found, attribute) if attribute else found

    def former(name: str) -> Any:
        place = f"{package}.{was}"
        # A module of that name goes first: `from package import module` asks here before it looks for it.
        if was and not name.startswith("_") and importlib.util.find_spec(f"{package}.{name}") is None:
            found = getattr(importlib.import_module(place), name, None)
            if found is not None:
                warnings.warn(f"{package}.{name} is {place}.{name} now", DeprecationWarning, stacklevel=3)
                return found
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def directory() -> list[str]:
        own = vars(sys.modules[package])
        return sorted({*own["__all__"], *(name for name in own if name.startswith("__"))})

    return sorted(names), get, directory
