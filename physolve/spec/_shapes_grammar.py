"""Shapes from text and back: "rectangle([-1, -1], [1, 1]) - disk([0, 0], 1/2)".

Nothing in the text is executed.

Operators as in Python, from loose to tight: `|` union, `&` intersection, `-` difference, `*` product with a
time interval. Numbers may be constant expressions. `translate(shape, [dx, dy])`, `rotate(shape, degrees,
[about], [axis])` (or `rotate_radians`), `named(shape, "name")`, `mesh("file.msh")`.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import sympy

from ..errors import SpecificationError
from . import geometry
from ._build import is_condition
from ._grammar import _SUM, Parser, near
from ._print import print_number
from ._tokens import MAX_DEPTH, Token
from .geometry import Shape


def _translate(shape: Shape, vector: Sequence[float]) -> Shape:
    return shape.translated(tuple(vector))


def _rotate(shape: Shape, degrees: float, *center: Sequence[float]) -> Shape:
    return geometry.Rotated(shape, math.radians(degrees), *map(tuple, center))


def _rotate_radians(shape: Shape, angle: float, *center: Sequence[float]) -> Shape:
    return geometry.Rotated(shape, angle, *map(tuple, center))


@dataclass(frozen=True)
class Constructor:
    """How a shape is made from its arguments, of which the last `optional` ones may be left out."""

    make: Callable[..., Shape]
    arguments: tuple[str, ...]
    usage: str
    optional: int = 0


_TURN = ("shape", "number", "vector", "vector")
CONSTRUCTORS = {
    "interval": Constructor(geometry.Interval, ("number", "number"), "interval(0, 1)"),
    "rectangle": Constructor(geometry.Rectangle, ("vector", "vector"), "rectangle([0, 0], [1, 1])"),
    "box": Constructor(geometry.Box, ("vector", "vector"), "box([0, 0, 0], [1, 1, 1])"),
    "disk": Constructor(geometry.Disk, ("vector", "number"), "disk([0, 0], 1)"),
    "ball": Constructor(geometry.Ball, ("vector", "number"), "ball([0, 0, 0], 1)"),
    "ellipse": Constructor(geometry.Ellipse, ("vector", "vector"), "ellipse([0, 0], [2, 1])"),
    "polygon": Constructor(geometry.Polygon, ("vectors",), "polygon([[0, 0], [1, 0], [0, 1]])"),
    "triangle": Constructor(geometry.Triangle, ("vector",) * 3, "triangle([0, 0], [1, 0], [0, 1])"),
    "cylinder": Constructor(geometry.Cylinder, ("vector", "number", "number"), "cylinder([0, 0, 0], 1, 2)"),
    "stations": Constructor(
        geometry.StationSet, ("vectors",), "stations([[116.4, 39.9], [116.5, 40.0], [116.3, 40.1]])"
    ),
    "time": Constructor(geometry.TimeInterval, ("number", "number"), "time(0, 1)"),
    "translate": Constructor(_translate, ("shape", "vector"), "translate(shape, [1, 0])"),
    "rotate": Constructor(_rotate, _TURN, "rotate(shape, 45)", 2),
    "rotate_radians": Constructor(_rotate_radians, _TURN, "rotate_radians(shape, 0.5)", 2),
    "named": Constructor(geometry.Named, ("shape", "text"), 'named(shape, "inlet")'),
}
MESH = "mesh"
MESH_USAGE = 'mesh("file.msh")'

_UNION, _INTERSECTION, _DIFFERENCE, _PRODUCT = 1, 2, 3, 4
_BINDING = {"|": _UNION, "&": _INTERSECTION, "-": _DIFFERENCE, "*": _PRODUCT}
_JOIN: dict[str, Callable[[Any, Any], Shape]] = {
    "|": lambda a, b: a | b,
    "&": lambda a, b: a & b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


def parse_shape(text: str, names: Mapping[str, object], base: Path | None = None) -> Shape:
    """The shape that `text` stands for.

    `names` gives shapes and constants by name, `base` the folder that mesh files are looked for in. Raises
    SpecificationError, one line starting with the position: "column 7: 'disc' is not a known shape; ...".
    """
    parser = _ShapeParser(text, names, base)
    try:
        shape = parser.parse(_UNION)
        parser.expressions.expect_end()
    except RecursionError:
        raise SpecificationError(f"the shape is nested too deeply; at most {MAX_DEPTH} levels are read") from None
    return shape


class _ShapeParser:
    """Shapes over the tokens of an expression parser, which reads the numbers in them."""

    def __init__(self, text: str, names: Mapping[str, object], base: Path | None):
        self.shapes = {name: value for name, value in names.items() if isinstance(value, Shape)}
        constants = {name: value for name, value in names.items() if name not in self.shapes}
        self.expressions, self.base, self.depth = Parser(text, constants), base, 0

    @property
    def token(self) -> Token:
        return self.expressions.token

    def error(self, token: Token, message: str) -> SpecificationError:
        return self.expressions.error(token, message)

    def parse(self, binding: int) -> Shape:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(self.token, f"the shape is nested too deeply; at most {MAX_DEPTH} levels are read")
        shape = self.operand(self.expressions.advance())
        while (own := _BINDING.get(self.token.text, 0)) >= binding and self.token.kind == "symbol":
            sign = self.expressions.advance()
            shape = self.build(sign, _JOIN[sign.text], shape, self.parse(own + 1))
        self.depth -= 1
        return shape

    def operand(self, token: Token) -> Shape:
        if token.text == "(":
            shape = self.parse(_UNION)
            self.expressions.expect(")", f"to close '(' at column {token.at + 1}")
            return shape
        if token.kind != "name":
            raise self.error(token, f"expected a shape such as disk([0, 0], 1), got {token}")
        if self.token.text == "(":
            return self.call(token)
        if token.text in self.shapes:
            return self.shapes[token.text]
        if token.text in CONSTRUCTORS:
            raise self.error(token, f"{token} needs its arguments; write {CONSTRUCTORS[token.text].usage}")
        known = {*self.shapes, *CONSTRUCTORS, MESH}
        raise self.error(token, f"{token} is not a known shape; {near(token.text, known, 20)}")

    def call(self, token: Token) -> Shape:
        self.expressions.advance()
        if token.text == MESH:
            return self.mesh(token)
        if token.text not in CONSTRUCTORS:
            known = {*CONSTRUCTORS, MESH}
            raise self.error(token, f"{token} is not a known shape; {near(token.text, known, 20)}")
        constructor = CONSTRUCTORS[token.text]
        values = [self.argument(token, constructor, kind) for kind in self.kinds(token, constructor)]
        return self.build(token, constructor.make, *values)

    def kinds(self, token: Token, constructor: Constructor) -> Any:
        """The kinds of the arguments one after the other, with the commas between them read."""
        wanted = len(constructor.arguments)
        for k, kind in enumerate(constructor.arguments):
            if self.token.text == ")" and k >= wanted - constructor.optional:
                break
            if self.token.text == ")":
                raise self.error(token, f"{token.text} has too few arguments; write {constructor.usage}")
            yield kind
            if self.token.text == ",":
                self.expressions.advance()
            elif self.token.text != ")":
                raise self.error(self.token, f"expected ',' or ')', got {self.token}; write {constructor.usage}")
        if self.token.text != ")":
            raise self.error(token, f"{token.text} has too many arguments; write {constructor.usage}")
        self.expressions.advance()

    def argument(self, token: Token, constructor: Constructor, kind: str) -> Any:
        if kind == "shape":
            return self.parse(_UNION)
        at = self.token
        if kind == "text":
            if at.kind != "string":
                raise self.error(at, f"expected text in quotes, got {at}; write {constructor.usage}")
            return self.expressions.advance().text[1:-1]
        value = self.expressions.parse(_SUM)
        return self.numbers(at, value, kind, constructor.usage)

    def numbers(self, at: Token, value: Any, kind: str, usage: str) -> Any:
        """A float, a list of floats or a list of lists of floats."""
        wrong = self.error(at, f"expected {_KINDS[kind]}; write {usage}")
        if isinstance(value, sympy.MatrixBase) != (kind != "number") or is_condition(value):
            raise wrong
        if isinstance(value, sympy.MatrixBase):
            if (value.cols == 1) != (kind == "vector"):
                raise wrong
            rows = [[self.number(at, entry) for entry in row] for row in value.tolist()]
            return [row[0] for row in rows] if kind == "vector" else rows
        return self.number(at, value)

    def number(self, at: Token, value: sympy.Expr) -> float:
        if not value.is_number:
            raise self.error(at, f"expected constants, got {value}")
        return float(value)

    def mesh(self, token: Token) -> Shape:
        name = self.argument(token, Constructor(geometry.Named, ("text",), MESH_USAGE), "text")
        self.expressions.expect(")", "after the file's name")
        path = Path(name) if self.base is None else self.base / name
        if not path.is_file():
            raise self.error(token, f"the mesh file '{name}' does not exist in '{self.base or Path()}'")
        return self.build(token, geometry.MeshDomain.read, path)

    def build(self, token: Token, make: Callable[..., Shape], *values: Any) -> Shape:
        try:
            return make(*values)
        except SpecificationError as error:
            raise self.error(token, str(error)) from None


_KINDS = {
    "number": "a number",
    "vector": "a point or vector such as [0, 1]",
    "vectors": "a list of points such as [[0, 0], [1, 0], [0, 1]]",
}


def print_shape(shape: Shape, names: Mapping[str, Shape] | None = None, base: Path | None = None) -> str:
    """Text that `parse_shape` turns back into an equal shape.

    Shapes in `names` are written by their name, mesh files relative to `base`. Raises SpecificationError for
    a shape that no text stands for, such as a mesh that was not read from a file.
    """
    return _Writer(names or {}, base).write(shape, _UNION)


@dataclass(frozen=True)
class _Writer:
    names: Mapping[str, Shape]
    base: Path | None

    def write(self, shape: Shape, outer: int) -> str:
        text, binding = self.text(shape)
        return text if binding >= outer else f"({text})"

    def text(self, shape: Shape) -> tuple[str, int]:
        if isinstance(shape, geometry.Named):
            return self.named(shape), 5
        for kind, sign, sides in _OPERATORS:
            if isinstance(shape, kind):
                own = _BINDING[sign]
                left, right = (getattr(shape, side) for side in sides)
                return f"{self.write(left, own)} {sign} {self.write(right, own + 1)}", own
        return self.call(shape), 5

    def named(self, shape: geometry.Named) -> str:
        if self.names.get(shape.name) == shape:
            return shape.name
        if '"' in shape.name and "'" in shape.name:
            raise SpecificationError(f"the shape's name {shape.name!r} cannot be written to a problem file")
        quote = "'" if '"' in shape.name else '"'
        return f"named({self.write(shape.shape, _UNION)}, {quote}{shape.name}{quote})"

    def call(self, shape: Shape) -> str:
        if isinstance(shape, geometry.Translated):
            return f"translate({self.write(shape.shape, _UNION)}, {_vector(shape.vector)})"
        if isinstance(shape, geometry.Rotated):
            return self.rotated(shape)
        if isinstance(shape, geometry.MeshDomain):
            return f'{MESH}("{self.mesh_path(shape)}")'
        for name, constructor in CONSTRUCTORS.items():
            if type(shape) is constructor.make:
                values = (getattr(shape, f.name) for f in fields(shape))  # type: ignore[arg-type]
                return f"{name}({', '.join(map(_vector, values))})"
        raise SpecificationError(f"the shape {type(shape).__name__} cannot be written to a problem file")

    def rotated(self, shape: geometry.Rotated) -> str:
        degrees = _degrees(shape.angle)
        name, angle = ("rotate_radians", shape.angle) if degrees is None else ("rotate", degrees)
        center = [] if not any(shape.about or ()) and shape.axis in (None, (0.0, 0.0, 1.0)) else [shape.about]
        axis = [] if shape.axis in (None, (0.0, 0.0, 1.0)) else [shape.axis]
        arguments = [print_number(angle), *map(_vector, center + axis)]
        return f"{name}({self.write(shape.shape, _UNION)}, {', '.join(arguments)})"

    def mesh_path(self, shape: Any) -> str:
        source = shape.source
        if source is None:
            raise SpecificationError("a mesh that was not read from a file cannot be written to a problem file")
        return relative(Path(source), self.base)


def relative(path: Path, base: Path | None) -> str:
    """The path as written to a file in the folder `base`; absolute without one."""
    path = path.resolve()
    if base is None:
        return path.as_posix()
    try:
        return Path(os.path.relpath(path, base.resolve())).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


_OPERATORS = (
    (geometry.Union, "|", ("a", "b")),
    (geometry.Intersection, "&", ("a", "b")),
    (geometry.Difference, "-", ("a", "b")),
    (geometry.SpaceTime, "*", ("space", "time")),
)


def _vector(value: Any) -> str:
    return f"[{', '.join(map(_vector, value))}]" if isinstance(value, tuple) else print_number(value)


def _degrees(angle: float) -> float | None:
    """Degrees that turn into exactly this angle, the shortest first."""
    guess = math.degrees(angle)
    around = [round(guess, digits) for digits in (0, 3, 6, 9, 12)]
    around += [guess, math.nextafter(guess, math.inf), math.nextafter(guess, -math.inf)]
    return next((value for value in around if math.radians(value) == angle), None)
