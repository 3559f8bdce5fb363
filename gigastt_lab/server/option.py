"""An option of the server: one field of a dataclass, from which flag, variable, file and help are made."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")

_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE = frozenset({"", "0", "f", "false", "n", "no", "off"})


class OptionError(ValueError):
    """A value that an option does not take; the message names the option and says what it takes."""


@dataclass(frozen=True, kw_only=True)
class Details:
    """Details of an option, besides its name, type and default.

    Attributes:
        help: Help text, one sentence or two.
        metavar: Placeholder of its value in the help.
        variable: Its environment variable; None: GIGASTT_ and its name.
        low: Smallest value.
        high: Largest value.
        is_limit: True if it is read again on SIGHUP.
        needs_text: True if an empty value is a mistake (`--jobs-dir "$UNSET"`), and not the default.
    """

    help: str
    metavar: str | None = None
    variable: str | None = None
    low: float | None = None
    high: float | None = None
    is_limit: bool = False
    needs_text: bool = False


@dataclass(frozen=True)
class Option:
    """One option, as the command line, the environment and the file know it.

    Attributes:
        name: Name of the field, and of the key in a configuration file.
        kind: Type of its value: bool, int, float, str, or a tuple of str.
        choices: Allowed values; None: anything of its kind.
        default: Value where nothing is given.
        details: Help, limits and variable.
    """

    name: str
    kind: type
    choices: tuple[str, ...] | None
    default: Any
    details: Details

    @property
    def flag(self) -> str:
        """Flag on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Variable in the environment."""
        return self.details.variable or f"GIGASTT_{self.name.upper()}"

    @property
    def shown_default(self) -> str:
        """The default, for people."""
        if self.default is None or self.default == ():
            return "none"
        return ("on" if self.default else "off") if self.kind is bool else str(self.default)

    def parsed(self, text: str, source: str) -> Any:
        """A value given as text.

        Raises:
            OptionError: it cannot be read; the message names `source`.
        """
        if self.kind is bool:
            if text.strip().lower() not in _TRUE | _FALSE:
                raise OptionError(f"{source} is {text!r}; give 1 or 0")
            return text.strip().lower() in _TRUE
        if self.kind is tuple:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        return self.checked(text if self.kind is str else _number(self.kind, text, source), source)

    def checked(self, value: Any, source: str) -> Any:
        """A value of a configuration file or a flag, in its own kind.

        Raises:
            OptionError: it is of another kind, or out of range; the message names `source`.
        """
        if self.kind is tuple:
            if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
                raise OptionError(f"{source} is {value!r}; give a list of texts")
            return tuple(value)
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, self.kind) or (isinstance(value, bool) and self.kind is not bool):
            raise OptionError(f"{source} is {value!r}; give {_described(self.kind)}")
        if self.details.needs_text and isinstance(value, str) and not value.strip():
            raise OptionError(f"{source} is empty; give a {self.details.metavar}, or leave the option out")
        if self.choices is not None and value not in self.choices:
            raise OptionError(f"{source} is {value!r}; choose one of {', '.join(self.choices)}")
        if isinstance(value, int | float):
            self._check_range(value, source)
        return value

    def _check_range(self, value: float, source: str) -> None:
        low, high = self.details.low, self.details.high
        if not math.isfinite(value):
            raise OptionError(f"{source} is {value}; give {_range(low, high)}")
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            raise OptionError(f"{source} is {value}; give {_range(low, high)}")


def option(default: Value, help_: str, **details: Any) -> Value:
    """A field of a dataclass of options: its default, its help, and the rest of `Details`."""
    made: Value = field(default=default, metadata={"option": Details(help=help_, **details)})
    return made


def options_of(config_type: type) -> tuple[Option, ...]:
    """All options of a dataclass, in order."""
    hints = get_type_hints(config_type)
    return tuple(_option(each, hints[each.name]) for each in fields(config_type))


def add_flags(parser: argparse.ArgumentParser, config_type: type) -> None:
    """Add a flag for every option; one that is not given is left out of the parsed namespace."""
    for each in options_of(config_type):
        text = f"{each.details.help} (default: {each.shown_default}; ${each.variable})".replace("%", "%%")
        common: dict[str, Any] = {"dest": each.name, "default": argparse.SUPPRESS, "help": text}
        if each.kind is bool:
            parser.add_argument(each.flag, action="store_true", **common)
        elif each.kind is tuple:
            parser.add_argument(each.flag, action="append", metavar=each.details.metavar, **common)
        else:
            parser.add_argument(
                each.flag, type=_argument(each), choices=each.choices, metavar=each.details.metavar, **common
            )


def given_by_variables(config_type: type, environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Name and value of every option whose variable is set.

    Raises:
        OptionError: a variable that cannot be read.
    """
    for each in options_of(config_type):
        text = environment.get(each.variable)
        if text:
            yield each.name, each.parsed(text, f"${each.variable}")


def _option(each: Field[Any], hint: Any) -> Option:
    assert each.default is not MISSING
    kind, choices = _kind(hint)
    return Option(each.name, kind, choices, each.default, each.metadata["option"])


def _kind(hint: Any) -> tuple[type, tuple[str, ...] | None]:
    """The plain type behind a hint, and its choices: int of `int | None`, str of a Literal."""
    if get_origin(hint) in {Union, UnionType}:
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return str, get_args(hint)
    return get_origin(hint) or hint, None


def _argument(each: Option) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return each.parsed(text, "it")
        except OptionError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def _number(kind: type, text: str, source: str) -> float:
    try:
        number: float = kind(text)
    except ValueError as error:
        raise OptionError(f"{source} is {text!r}; give {_described(kind)}") from error
    return number


def _described(kind: type) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]


def _range(low: float | None, high: float | None) -> str:
    if high is None:
        return f"{low:g} or more"
    return f"{high:g} or less" if low is None else f"{low:g} to {high:g}"
