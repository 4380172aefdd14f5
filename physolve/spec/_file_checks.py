"""Where in a problem file something stands, and validators of what TOML gives; every failure is one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import ProblemFileError, SpecificationError, UnsupportedError
from ._grammar import near
from ._tokens import WORDS, shorten


@dataclass(frozen=True)
class Place:
    """An item of a file, such as "condition 2: value"; makes the errors that name it."""

    file: str
    item: str = ""

    def at(self, item: object) -> Place:
        """The place of a part of this item."""
        return Place(self.file, f"{self.item}: {item}" if self.item else str(item))

    def error(self, message: str) -> ProblemFileError:
        """The error to raise here; text on several lines is joined."""
        return ProblemFileError(f"{self}: {' '.join(message.split())}")

    def __str__(self) -> str:
        return f"{self.file}: {self.item}" if self.item else self.file

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Errors of the specification raised inside get this place in front of them."""
        try:
            yield
        except ProblemFileError:
            raise
        except UnsupportedError as error:
            raise UnsupportedError(f"{self}: {error}") from None
        except SpecificationError as error:
            raise self.error(str(error)) from None


def kind_of(value: object) -> str:
    """What a TOML value is, in words."""
    words = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a table",
    }
    return words.get(type(value), "a date or time")


def check_keys(place: Place, table: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    """Refuses keys that mean nothing; `what` completes "'valeu' is not ..."."""
    known = tuple(known)
    for key in table:
        if key not in known:
            raise place.error(f"'{shorten(key)}' is not {what}; {near(key, known, 20)}")


def as_text(place: Place, value: object) -> str:
    if not isinstance(value, str):
        raise place.error(f"expected text in quotes, got {kind_of(value)}")
    return value


def as_table(place: Place, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise place.error(f"expected a table, got {kind_of(value)}")
    return value


def as_list(place: Place, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise place.error(f"expected a list, got {kind_of(value)}")
    return value


def as_number(place: Place, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place.error(f"expected a number, got {kind_of(value)}")
    return value


def as_integer(place: Place, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise place.error(f"expected a whole number, got {kind_of(value)}")
    return value


def check_name(place: Place, name: str, taken: Mapping[str, str]) -> None:
    """A name must be a word that the grammar can read and must not have been given to something else."""
    if not name.isidentifier() or not name.isascii() or name in WORDS:
        rule = "names are words of letters, digits and _, other than 'and', 'or', 'not' and 'pi'"
        raise place.error(f"'{shorten(name)}' cannot be a name; {rule}")
    if name in taken:
        raise place.error(f"the name '{name}' is already used for {taken[name]}")
