"""From a TOML file to the frozen dataclasses that configure a run."""

import dataclasses
import tomllib
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from physolve.errors import ProblemFileError, SpecificationError
from physolve.jets import Activation, activation_of_name

T = TypeVar("T")


def read_toml(path: str | Path, default: T) -> T:
    """A copy of a configuration with what the file says; what is absent stays.

    Raises ProblemFileError for a file that cannot be read, an unknown entry or a value of the wrong kind, naming it.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ProblemFileError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProblemFileError(f"{path}: not a TOML file: {error}") from None
    try:
        return changed(default, table, "")
    except ValueError as error:  # SpecificationError of the settings, ValueError of a network's architecture
        raise ProblemFileError(f"{path}: {error}") from None


def changed(base: T, table: dict[str, Any], where: str) -> T:
    """A copy of a dataclass with the entries of a table; nested dataclasses are changed by nested tables.

    It reads `as_data` of a whole configuration, too, as the record holds it. Raises SpecificationError for an entry
    that the dataclass does not have, and for a value of another kind.
    """
    hints = get_type_hints(type(base))
    values = {}
    for name, given in table.items():
        if name not in hints:
            raise SpecificationError(f"{where or 'the file'}: got the entry '{name}', expected one of {sorted(hints)}")
        item = f"{where}.{name}" if where else name
        current = getattr(base, name)
        if isinstance(current, Activation):
            values[name] = activation_of_name(given)
        elif not dataclasses.is_dataclass(current):
            values[name] = _value(hints[name], given, item)
        elif isinstance(given, dict):
            values[name] = changed(current, given, item)
        else:
            raise SpecificationError(f"{item}: got {given!r}, expected a table")
    return dataclasses.replace(base, **values)  # type: ignore[type-var]


def _value(hint: Any, given: Any, item: str) -> Any:
    """A number, word, truth value or list of the kind that the field's type names; lists become tuples."""
    for kind in get_args(hint) if isinstance(hint, UnionType) else (hint,):
        if get_origin(kind) is tuple and isinstance(given, list):
            return tuple(_value(get_args(kind)[0], each, f"{item}[{i}]") for i, each in enumerate(given))
        if kind is float and type(given) is int:
            return float(given)
        if type(given) is kind or (get_origin(kind) is Literal and given in get_args(kind)):
            return given
    raise SpecificationError(f"{item}: got {given!r}, expected {_words(hint)}")


def _words(hint: Any) -> str:
    """A type as a reader of the file knows it."""
    if isinstance(hint, UnionType):
        return " or ".join(_words(kind) for kind in get_args(hint) if kind is not NoneType)
    if get_origin(hint) is tuple:
        return f"a list, each {_words(get_args(hint)[0])}"
    if get_origin(hint) is Literal:
        return " or ".join(f"'{word}'" for word in get_args(hint))
    return {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}.get(hint, str(hint))
