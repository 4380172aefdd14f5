"""The text of a problem file to a `Problem`. TOML is read by tomllib, expressions by `_grammar.py`: nothing
is executed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import sympy

from ._file_checks import Place, as_list, as_number, as_table, as_text, check_keys, check_name, kind_of
from ._file_conditions import Vocabulary, expression, read_condition
from ._file_data import Files, read_data
from ._functions import FUNCTION_NAMES
from ._grammar import near, parse_equation
from ._problem import Problem
from ._shapes_grammar import parse_shape
from ._symbols import coordinates, normal, parameter, unknown

MAX_BYTES = 20_000_000
KEYS = (
    *(
        "name",
        "title",
        "comment",
        "coordinates",
        "equations",
        "domain",
        "order",
        "unknowns",
        "constants",
        "parameters",
    ),
    *("expressions", "data", "shapes", "conditions", "exact"),
)
REQUIRED = ("coordinates", "unknowns", "equations", "domain")


def read_text(text: str, file: str, name: str, base: Path | None, data: Mapping[str, str | PathLike[str]]) -> Problem:
    """The problem that the text states.

    `file` names the text in messages, `name` the problem if the text does not, `base` is the folder of its
    files, `data` gives files by name.
    """
    top = Place(file)
    document = parse_toml(text, top)
    check_keys(top, document, KEYS, "a key of a problem file")
    for key in REQUIRED:
        if key not in document:
            raise top.error(f"{key} is missing; a problem file needs {', '.join(REQUIRED)}")
    return _Reader(top, document, Files(base, data)).problem(name)


def parse_toml(text: str, top: Place) -> dict[str, Any]:
    """The TOML document; ProblemFileError with line and column for what is none."""
    if not isinstance(text, str):
        raise top.error(f"expected the text of a problem file, got {type(text).__name__}")
    if len(text) > MAX_BYTES:
        raise top.error(f"the file has {len(text):,} characters; at most {MAX_BYTES:,} are read")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise top.error(f"not valid TOML: {error}") from None
    except RecursionError:
        raise top.error("not valid TOML: nested too deeply") from None
    except ValueError as error:  # a date or a number beyond bounds
        raise top.error(f"not valid TOML: {error}") from None


class _Reader:
    """Reads one document from top to bottom; `names` grows by what each section declares."""

    def __init__(self, top: Place, document: dict[str, Any], files: Files):
        self.top, self.document, self.files = top, document, files
        self.names: dict[str, object] = {}
        self.kinds: dict[str, str] = {}
        self.unknowns: dict[str, Any] = {}
        self.shapes: dict[str, Any] = {}

    def problem(self, name: str) -> Problem:
        self.read_coordinates()
        self.read_unknowns()
        self.read_constants()
        parameters = self.read_parameters()
        self.read_data()
        self.read_expressions()
        self.read_shapes()
        domain = self.read_domain()
        equations = self.read_equations()
        words = Vocabulary(self.names, self.normals(), self.shapes, domain, self.files)
        conditions = self.read_conditions(words)
        exact = self.read_exact()
        text = {key: self.text(key) for key in ("title", "comment")}
        description = "\n\n".join(value for value in text.values() if value is not None)
        given_name = self.text("name")
        with self.top.watch():
            return Problem(
                equations,
                domain,
                conditions,
                parameters,
                exact,
                name if given_name is None else given_name,
                description,
                self.order(),
            )

    # --- sections

    def text(self, key: str) -> str | None:
        return as_text(self.top.at(key), self.document[key]) if key in self.document else None

    def table(self, key: str) -> dict[str, Any]:
        return as_table(self.top.at(key), self.document.get(key, {}))

    def once(self, key: str, names: list[Any]) -> dict[str, Any]:
        """A list of names as a table of empty entries."""
        place = self.top.at(key)
        found: dict[str, Any] = {}
        for name in names:
            if as_text(place, name) in found:
                raise place.error(f"'{name}' is listed twice; name each once")
            found[name] = {}
        return found

    def declare(self, place: Place, name: str, kind: str, value: object) -> None:
        check_name(place, name, self.kinds)
        self.kinds[name], self.names[name] = kind, value

    def read_coordinates(self) -> None:
        place = self.top.at("coordinates")
        names = [as_text(place, name) for name in as_list(place, self.document["coordinates"])]
        with self.top.watch():
            made = coordinates(*names)
        self.coordinates = made
        for name, symbol in zip(names, made, strict=True):
            self.declare(place, name, "a coordinate", symbol)

    def normals(self) -> dict[str, object]:
        space = [s for s in self.coordinates if s.name != "t"]
        return {n.name: n for n in normal(*space)} if space else {}

    def read_unknowns(self) -> None:
        value = self.document["unknowns"]
        if isinstance(value, list):
            value = self.once("unknowns", value)
        table = as_table(self.top.at("unknowns"), value)
        if not table:
            raise self.top.at("unknowns").error('none is named; write unknowns = ["u"]')
        for name, entry in table.items():
            self.read_unknown(self.top.at(f"unknowns.{name}"), name, as_table(self.top.at(f"unknowns.{name}"), entry))

    def read_unknown(self, place: Place, name: str, entry: dict[str, Any]) -> None:
        check_keys(place, entry, ("components",), "a field of an unknown")
        check_name(place, name, self.kinds)
        with self.top.watch():
            made = unknown(name, *self.coordinates, components=entry.get("components", 1))
        self.declare(place, name, "an unknown", made)
        self.unknowns[name] = made
        if isinstance(made, sympy.MatrixBase):
            for component in made:
                self.declare(place, component.func.__name__, "a component of an unknown", component)

    def order(self) -> tuple[Any, ...]:
        """The unknowns in their order: as declared, or as the key 'order' lists their components."""
        if "order" not in self.document:
            return tuple(self.unknowns.values())
        place = self.top.at("order")
        names = [as_text(place, name) for name in as_list(place, self.document["order"])]
        for name in names:
            if self.kinds.get(name) not in ("an unknown", "a component of an unknown"):
                raise place.error(f"'{name}' is not an unknown; {near(name, self.unknowns)}")
        return tuple(self.names[name] for name in names)

    def read_constants(self) -> None:
        for name, value in self.table("constants").items():
            place = self.top.at(f"constants.{name}")
            number = expression(place, value, {n: v for n, v in self.names.items() if self.kinds[n] == "a constant"})
            self.declare(place, name, "a constant", number)

    def read_parameters(self) -> tuple[Any, ...]:
        value = self.document.get("parameters", {})
        if isinstance(value, list):
            value = self.once("parameters", value)
        made = []
        for name, entry in as_table(self.top.at("parameters"), value).items():
            place = self.top.at(f"parameters.{name}")
            entry = entry if isinstance(entry, dict) else {"guess": entry}
            check_keys(place, entry, ("guess",), "a field of a parameter")
            guess = as_number(place.at("guess"), entry.get("guess", 1.0))
            check_name(place, name, self.kinds)
            with self.top.watch():
                made.append(parameter(name, guess))
            self.declare(place, name, "a parameter", made[-1])
        return tuple(made)

    def read_data(self) -> None:
        table = self.table("data")
        for name, entry in table.items():
            place = self.top.at(f"data.{name}")
            if name in FUNCTION_NAMES:
                raise place.error(f"'{name}' is the name of a function; choose another one")
            check_name(place, name, self.kinds)
            self.declare(place, name, "data", read_data(place, name, as_table(place, entry), self.files))
        known = {*table, *self.observation_names()}
        for name in self.files.given:
            if name not in known:
                message = f"a file is given for '{name}', which this problem does not use"
                raise self.top.at("data").error(f"{message}; {near(name, known)}")

    def observation_names(self) -> set[str]:
        conditions = self.document.get("conditions", [])
        tables = [c for c in conditions if isinstance(c, dict)] if isinstance(conditions, list) else []
        return {str(c.get("data", "observations")) for c in tables if c.get("kind") == "observations"}

    def read_expressions(self) -> None:
        for name, value in self.table("expressions").items():
            place = self.top.at(f"expressions.{name}")
            check_name(place, name, self.kinds)
            self.declare(place, name, "an expression", expression(place, value, self.names))

    def read_shapes(self) -> None:
        for name, value in self.table("shapes").items():
            place = self.top.at(f"shapes.{name}")
            text = as_text(place, value)
            with place.watch():
                self.shapes[name] = parse_shape(text, {**self.constants(), **self.shapes}, self.files.base).named(name)

    def constants(self) -> dict[str, object]:
        return {name: value for name, value in self.names.items() if self.kinds[name] == "a constant"}

    def read_domain(self) -> Any:
        place = self.top.at("domain")
        text = as_text(place, self.document["domain"])
        with place.watch():
            return parse_shape(text, {**self.constants(), **self.shapes}, self.files.base)

    def read_equations(self) -> tuple[Any, ...]:
        value = self.document["equations"]
        made = []
        for i, text in enumerate(value if isinstance(value, list) else [value], 1):
            place = self.top.at(f"equation {i}")
            with place.watch():
                made.append(parse_equation(as_text(place, text), self.names))
        if not made:
            raise self.top.error('equations: none is given; write equations = ["-laplacian(u) = 1"]')
        return tuple(made)

    def read_conditions(self, words: Vocabulary) -> tuple[Any, ...]:
        value = self.document.get("conditions", [])
        if isinstance(value, dict):
            raise self.top.error("conditions: expected a list of tables; write [[conditions]] with two brackets")
        made = []
        for i, entry in enumerate(as_list(self.top.at("conditions"), value), 1):
            place = self.top.at(f"condition {i}")
            if not isinstance(entry, dict):
                raise place.error(f"expected a table, got {kind_of(entry)}; write [[conditions]]")
            made.append(read_condition(place, entry, words))
        return tuple(made)

    def read_exact(self) -> dict[Any, Any] | None:
        table = self.table("exact")
        exact = {}
        for name, value in table.items():
            place = self.top.at(f"exact.{name}")
            if self.kinds.get(name) not in ("an unknown", "a component of an unknown"):
                raise place.error(f"'{name}' is not an unknown; {near(name, self.unknowns)}")
            exact[self.names[name]] = expression(place, value, self.names)
        return exact if "exact" in self.document else None
