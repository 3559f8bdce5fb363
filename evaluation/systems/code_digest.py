"""Name and digest of a function: what tells it from another one in the header of its records."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import CodeType
from typing import Any, Final

_CONSTANT: Final = (str, int, float, bool, bytes, type(None))


def name_of(function: object) -> str:
    """Name of a function, of that which is bound or partial, or of an object's class."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    owner = getattr(function, "__self__", None)
    owned = f"{type(owner).__name__}-{name}" if inspect.ismethod(function) else name
    return str(owned).replace("<lambda>", "lambda")


def digest_of(function: object) -> str:
    """16 hexadecimal digits of a function's code, and of the plain values that it stands on.

    Those are its defaults, what it closes over, arguments bound to it, attributes of its object, and names of
    its module, functions there included. Another digest tells a function that was edited from the one whose
    records are there. What other modules hold, and what is no plain value, a model for one, is not in it.

    Returns:
        "" of what has no code of Python.
    """
    parts = list(_parts(function, set()))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16] if parts else ""


def _parts(function: Any, seen: set[int]) -> Iterator[str]:
    """Parts that tell a function from another one; of functions that call each other, each once."""
    if id(function) in seen:
        return
    seen.add(id(function))
    if isinstance(function, functools.partial):
        yield from _parts(function.func, seen)
        yield from _plain([*function.args, *function.keywords.items()])
        return
    called = (
        function
        if hasattr(function, "__code__")
        else inspect.getattr_static(type(function), "__call__", None)
    )
    code = getattr(called, "__code__", None)
    if not isinstance(code, CodeType):
        return
    yield from _parts_of_code(code)
    yield from _plain(getattr(function, "__defaults__", None) or ())
    owner = getattr(function, "__self__", None if called is function else function)
    yield from _plain(list(getattr(owner, "__dict__", {}).items()))
    for value in _named(called, code):
        yield from _parts(value, seen) if inspect.isfunction(value) else _plain([value])


def _named(function: Any, code: CodeType) -> Iterator[object]:
    """Values that a function closes over, and those of its names in its module; of functions, its own."""
    for cell in getattr(function, "__closure__", None) or ():
        with suppress(ValueError):  # a cell that is still empty
            yield cell.cell_contents
    names = getattr(function, "__globals__", {})
    for name in _names_in(code):
        value = names.get(name)
        if not inspect.isfunction(value) or value.__module__ == function.__module__:
            yield value


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _parts_of_code(code: CodeType) -> Iterator[str]:
    yield from (code.co_code.hex(), repr(code.co_names))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _parts_of_code(constant)
        else:
            yield from _plain([constant])


def _plain(values: Sequence[object]) -> Iterator[str]:
    """Values of plain types, also in tuples of which all are; no others, which have no lasting form."""
    for value in values:
        if isinstance(value, _CONSTANT) or (
            isinstance(value, tuple) and len(list(_plain(value))) == len(value)
        ):
            yield repr(value)
