"""Expressions from text: a Pratt parser over a whitelist. Nothing in the text is ever executed.

    or < and < not < comparison < + - < * / < unary minus < ** (right), as in Python; '^' is '**'.

Numbers: 2 is an exact integer, 1/3 an exact fraction, 0.1 the nearest double (a sympy Float of 53 bits).
Vectors are written [a, b], matrices [[a, b], [c, d]], cases where(condition, value, otherwise). Functions are
those of `_functions.py`, names those the caller gives. `print_expression` in `_print.py` is the inverse.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from ..errors import SpecificationError
from ._data import GridData
from ._functions import ALIASES, CASES, FUNCTION_NAMES, OPERATORS, SCALAR_FUNCTIONS, Operator
from ._numeric import check_power, check_result, estimate, power_estimate
from ._operators import Eq
from ._symbols import Parameter
from ._tokens import MAX_DEPTH, Token, fail, number, tokenize

MAX_NODES = 20_000
MAX_ORDER = 4
MAX_DIFFERENTIATED = 2_000

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER = 1, 2, 3, 4, 5, 6, 7, 8
_BINDING = {
    **{"or": _OR, "and": _AND},
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARE),
    **{"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER, "^": _POWER},
}
_RELATIONS = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq, "!=": sympy.Ne}
_REFUSED = (
    ArithmeticError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    NotImplementedError,
    RecursionError,
)


def parse_expression(text: str, names: Mapping[str, object]) -> Any:
    """The sympy expression, or the matrix for a vector, that `text` stands for.

    `names` gives what the names in the text mean: symbols, unknowns, vectors, expressions, numbers, `GridData`. Raises
    SpecificationError, one line starting with the position: "column 7: 'w' is not a known name; ...".
    """
    return _guarded(text, lambda: _whole(Parser(text, names), _SUM, "an expression"))


def parse_condition(text: str, names: Mapping[str, object]) -> Any:
    """The sympy relation that a condition such as "x < 0.5 and y > 0" stands for; see `parse_expression`."""
    return _guarded(text, lambda: _condition(Parser(text, names)))


def parse_equation(text: str, names: Mapping[str, object]) -> Any:
    """The equation that "lhs = rhs" (or "lhs == rhs") stands for; its sides may be vectors."""
    return _guarded(text, lambda: _equation(Parser(text, names)))


def _guarded(text: str, parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except RecursionError:
        raise SpecificationError(f"the expression is nested too deeply; at most {MAX_DEPTH} levels are read") from None


def _whole(parser: "Parser", binding: int, what: str) -> Any:
    at = parser.token
    value = parser.parse(binding)
    parser.expect_end()
    if is_condition(value):
        raise parser.error(at, f"expected {what}, got a comparison")
    return value


def _condition(parser: "Parser") -> Any:
    at = parser.token
    value = parser.parse(_OR)
    parser.expect_end()
    if not is_condition(value):
        raise parser.error(at, "expected a comparison such as x < 0.5, got an expression")
    return value


def _equation(parser: "Parser") -> Any:
    left = parser.parse(_SUM)
    sign = parser.token
    if sign.text not in ("=", "=="):
        if sign.kind == "end":
            raise parser.error(sign, "expected '=' and a right-hand side, got the end; write 'lhs = rhs'")
        parser.expect_end(", or '=' and the right-hand side")
    parser.advance()
    right = parser.parse(_SUM)
    if parser.token.text in ("=", "=="):
        raise parser.error(parser.token, "a second '='; an equation has one")
    parser.expect_end()
    try:
        return Eq(left, right)
    except _REFUSED as error:
        raise parser.error(sign, str(error).removeprefix("equation: ")) from None


def near(name: str, known: Iterable[str], limit: int = 12) -> str:
    """What to try instead of an unknown name: "did you mean 'x'?" or the list of what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    close = close or [n for n in names if n.lower() == name.lower()]
    if close:
        return "did you mean " + " or ".join(f"'{n}'" for n in close) + "?"
    if not names:
        return "nothing is known here"
    return "known: " + ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")


class Parser:
    """The state of one parse: the tokens, where it stands, how deep, how much it has built."""

    def __init__(self, text: str, names: Mapping[str, object]):
        self.text, self.names = text, names
        self.tokens = tokenize(text)
        self.index, self.depth, self.nodes = 0, 0, 0
        self.constants: dict[sympy.Basic, float] = {sympy.pi: math.pi}
        self.sizes: dict[sympy.Basic, int] = {}

    # --- tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def advance(self) -> Token:
        token = self.token
        self.index += token.kind != "end"
        return token

    def error(self, token: Token, message: str) -> SpecificationError:
        return fail(self.text, token.at, message)

    def expect(self, symbol: str, after: str) -> None:
        if self.token.text != symbol or self.token.kind != "symbol":
            raise self.error(self.token, f"expected '{symbol}' {after}, got {self.token}")
        self.advance()

    def expect_end(self, alternative: str = "") -> None:
        if self.token.kind != "end":
            raise self.error(self.token, f"expected an operator{alternative}, got {self.token}{self._hint()}")

    def _hint(self) -> str:
        if self.token.kind in ("name", "number") or self.token.text == "(":
            return "; write '*' to multiply"
        hints = {"|": "; write 'or'", "&": "; write 'and'", "=": "; write '==' to compare"}
        return hints.get(self.token.text, "")

    # --- the Pratt loop

    def parse(self, binding: int) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(self.token, f"the expression is nested too deeply; at most {MAX_DEPTH} levels are read")
        value = self.prefix(self.advance())
        while (own := self.binding()) >= binding:
            value = self.infix(self.advance(), value, own)
        self.depth -= 1
        return value

    def binding(self) -> int:
        token = self.token
        return _BINDING.get(token.text, 0) if token.kind in ("symbol", "name") else 0

    def prefix(self, token: Token) -> Any:
        if token.kind == "number":
            return self.count(token, literal(number(self.text, token)))
        if token.text in ("-", "+"):
            value = self.arithmetic(token, self.parse(_SIGN))
            return value if token.text == "+" else self.times(token, sympy.Integer(-1), value)
        if token.text == "not":
            return self.apply(token, sympy.Not, self.truth(token, self.parse(_NOT)))
        if token.kind == "name" and token.text not in ("and", "or"):
            return self.call(token) if self.token.text == "(" else self.name(token)
        if token.text == "(":
            value = self.parse(_OR)
            self.expect(")", f"to close '(' at column {token.at + 1}")
            return value
        if token.text == "[":
            return self.vector(token)
        raise self.error(token, f"expected a number, a name or '(', got {token}")

    def infix(self, token: Token, left: Any, own: int) -> Any:
        if own == _SUM:
            return self.sum(token, left)
        if own == _COMPARE:
            return self.compare(token, left)
        if own in (_AND, _OR):
            right = self.truth(token, self.parse(own + 1))
            return self.apply(token, sympy.And if own == _AND else sympy.Or, self.truth(token, left), right)
        if own == _POWER:
            return self.power(token, self.scalar(token, left), self.scalar(token, self.parse(_SIGN)))
        right = self.arithmetic(token, self.parse(_SIGN))
        if token.text == "*":
            return self.times(token, self.arithmetic(token, left), right)
        inverse = self.power(token, self.scalar(token, right, "divides by"), sympy.Integer(-1))
        return self.times(token, self.arithmetic(token, left), inverse)

    def sum(self, token: Token, left: Any) -> Any:
        """A whole chain of + and - at once, so that long sums stay cheap."""
        terms = [self.arithmetic(token, left)]
        while True:
            term = self.arithmetic(token, self.parse(_PRODUCT))
            terms.append(term if token.text == "+" else self.times(token, sympy.Integer(-1), term))
            if self.binding() != _SUM:
                return self.add(token, terms)
            token = self.advance()

    def add(self, token: Token, terms: list[Any]) -> Any:
        shapes = [t.shape if isinstance(t, sympy.MatrixBase) else None for t in terms]
        for shape in shapes[1:]:
            if shape != shapes[0]:
                raise self.error(token, f"'{token.text}' joins {_kind(shapes[0])} and {_kind(shape)}")
        if shapes[0] is None:
            return self.apply(token, sympy.Add, *terms, approximate=lambda *v: math.fsum(v))
        total = terms[0]
        for term in terms[1:]:
            total = self.apply(token, lambda a, b: a + b, total, term)
        return total

    def times(self, token: Token, left: Any, right: Any) -> Any:
        if isinstance(left, sympy.MatrixBase) and isinstance(right, sympy.MatrixBase):
            if left.cols != right.rows:
                kinds = f"{_kind(left.shape)} and {_kind(right.shape)}"
                raise self.error(token, f"'*' joins {kinds}; write dot(a, b) for the product of two vectors")
            return self.apply(token, lambda a, b: a * b, left, right)
        return self.apply(token, lambda a, b: a * b, left, right, approximate=lambda a, b: a * b)

    def power(self, token: Token, base: sympy.Expr, exponent: sympy.Expr) -> Any:
        try:
            check_power(base, exponent)
        except ValueError as error:
            raise self.error(token, str(error)) from None
        return self.apply(token, sympy.Pow, base, exponent, approximate=power_estimate)

    def compare(self, token: Token, left: Any) -> Any:
        """One comparison, or a chain such as 0 < x < 1."""
        parts = []
        left = self.scalar(token, left)
        while True:
            right = self.scalar(token, self.parse(_SUM))
            parts.append(self.apply(token, _RELATIONS[token.text], left, right))
            if self.binding() != _COMPARE:
                return parts[0] if len(parts) == 1 else self.apply(token, sympy.And, *parts)
            token, left = self.advance(), right

    # --- names, vectors, calls

    def name(self, token: Token) -> Any:
        if token.text == "pi" and "pi" not in self.names:
            return self.count(token, sympy.pi)
        if token.text not in self.names:
            if token.text in FUNCTION_NAMES:
                raise self.error(token, f"'{token.text}' is a function; write {token.text}(...)")
            message = f"{token} is not a known name; {near(token.text, {*self.names, 'pi'})}"
            raise self.error(token, message)
        value = self.names[token.text]
        if isinstance(value, GridData):
            raise self.error(
                token,
                f"'{token.text}' is data on a grid; call it with coordinates, such as {token.text}(x, y)",
            )
        return self.count(token, _as_sympy(value))

    def vector(self, token: Token) -> Any:
        entries = self.arguments("]", token)
        if not entries:
            raise self.error(token, "a vector needs at least one component")
        if all(isinstance(e, sympy.MatrixBase) for e in entries):
            if any(e.shape != (entries[0].rows, 1) for e in entries):
                raise self.error(token, "the rows of a matrix must be vectors of the same length")
            return sympy.ImmutableDenseMatrix([list(e) for e in entries])
        return sympy.ImmutableDenseMatrix([self.scalar(token, e) for e in entries])

    def arguments(self, closing: str, opening: Token) -> list[Any]:
        """What stands between brackets, separated by commas; the opening bracket has been read."""
        values: list[Any] = []
        while self.token.text != closing or self.token.kind != "symbol":
            values.append(self.parse(_OR))
            if self.token.text == ",":
                self.advance()
            elif self.token.text != closing:
                raise self.error(self.token, f"expected ',' or '{closing}', got {self.token}{self._hint()}")
        self.advance()
        return values

    def call(self, token: Token) -> Any:
        name = ALIASES.get(token.text, token.text)
        known = self.names.get(token.text)
        if name not in FUNCTION_NAMES and not isinstance(known, GridData | AppliedUndef):
            self.not_a_function(token)
        values = self.arguments(")", self.advance())
        if isinstance(known, GridData):
            return self.apply(token, known, *[self.scalar(token, v) for v in values])
        if name == CASES:
            return self.cases(token, values)
        if name in SCALAR_FUNCTIONS:
            return self.scalar_call(token, name, values)
        if name in OPERATORS:
            return self.operator_call(token, name, values)
        return self.unknown_call(token, known, values)

    def not_a_function(self, token: Token) -> None:
        if token.text in self.names:
            raise self.error(token, f"'{token.text}' is not a function; write '*' to multiply")
        data = {n for n, value in self.names.items() if isinstance(value, GridData)}
        known = (FUNCTION_NAMES - ALIASES.keys()) | data
        raise self.error(token, f"{token} is not a known function; {near(token.text, known, 30)}")

    def unknown_call(self, token: Token, known: Any, values: Sequence[Any]) -> Any:
        if tuple(values) != known.args:
            raise self.error(token, f"'{token.text}' stands for {known}; it cannot be taken at other points here")
        return known

    def scalar_call(self, token: Token, name: str, values: Sequence[Any]) -> Any:
        function = SCALAR_FUNCTIONS[name]
        self.arity(token, name, len(values), function.fewest, function.most)
        values = [self.scalar(token, v, f"{name}(...) takes") for v in values]
        return self.apply(token, function.function, *values, approximate=function.estimate)

    def operator_call(self, token: Token, name: str, values: Sequence[Any]) -> Any:
        operator = OPERATORS[name]
        self.arity(token, name, len(values), operator.fewest, operator.most, f"; write {operator.usage}")
        values = [self.arithmetic(token, v) for v in values]
        if not operator.order:
            return self.apply(token, operator.function, *values)
        result, directions = values[0], [self.direction(token, name, v) for v in values[1:]]
        if name == "d" and isinstance(directions[0], int):
            raise self.error(token, f"d takes a coordinate before an order; write {operator.usage}")
        for step in _steps(name, operator, directions):
            self.check_size(token, result, operator.order)
            result = self.apply(token, *step[:1], result, *step[1:])
        if result.has(sympy.Subs):
            raise self.error(token, "data on a grid can be differentiated at plain coordinates only")
        return result

    def check_size(self, token: Token, value: Any, order: int) -> None:
        """Refuses to differentiate what is so large that its derivatives would fill the memory."""
        if tree_size(value, self.sizes) > MAX_DIFFERENTIATED // order**2:
            raise self.error(token, "the expression to be differentiated is too large; name its parts as unknowns")

    def direction(self, token: Token, name: str, value: Any) -> Any:
        """A coordinate, or an order of d(u, x, 2) as a Python integer."""
        if name != "dt" and isinstance(value, sympy.Symbol) and not isinstance(value, Parameter):
            return value
        if name in ("d", "dt") and value.is_Integer and 1 <= value <= MAX_ORDER:
            return int(value)
        wanted = "an order" if name == "dt" else "coordinates and orders" if name == "d" else "coordinates"
        limits = "" if wanted == "coordinates" else f" from 1 to {MAX_ORDER}"
        raise self.error(
            token, f"{name} takes {wanted}{limits} after its first argument; write {OPERATORS[name].usage}"
        )

    def cases(self, token: Token, values: Sequence[Any]) -> Any:
        if len(values) < 2:
            raise self.error(token, "where takes a condition, a value and the value otherwise: where(x < 0, 1, 2)")
        pairs = []
        for condition, value in zip(values[0::2], values[1::2], strict=False):
            pairs.append((self.scalar(token, value), self.truth(token, condition)))
        if len(values) % 2:
            pairs.append((self.scalar(token, values[-1]), sympy.true))
        return self.apply(token, sympy.Piecewise, *pairs)

    def arity(self, token: Token, name: str, got: int, fewest: int, most: int, usage: str = "") -> None:
        if not fewest <= got <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
            plural = "" if wanted == "1" else "s"
            raise self.error(token, f"{name} takes {wanted} argument{plural}, got {got}{usage}")

    # --- what values may be, and building them

    def scalar(self, token: Token, value: Any, what: str = "") -> Any:
        what = what or f"{token} takes"
        if isinstance(value, sympy.MatrixBase):
            raise self.error(token, f"{what} numbers, got a vector")
        return self.arithmetic(token, value)

    def arithmetic(self, token: Token, value: Any) -> Any:
        if is_condition(value):
            raise self.error(token, f"{token} takes expressions, got a comparison")
        return value

    def truth(self, token: Token, value: Any) -> Any:
        if not is_condition(value):
            raise self.error(token, f"{token} takes comparisons such as x < 0.5, got an expression")
        return value

    def apply(self, token: Token, build: Callable[..., Any], *values: Any, approximate: Any = None) -> Any:
        """`build(*values)`, its constants kept in bounds and every refusal given its position."""
        try:
            constant = self.constant(values, approximate)
            result = _as_sympy(build(*values))
            for entry in result if isinstance(result, sympy.MatrixBase) else (result,):
                check_result(entry)
        except _REFUSED as error:
            raise self.error(token, _first_line(error)) from None
        if constant is not None:
            self.constants[result] = constant
        return result

    def constant(self, values: Sequence[Any], approximate: Any) -> float | None:
        if approximate is None:
            return None
        numbers = [float(v) if isinstance(v, sympy.Number) else self.constants.get(v) for v in values]
        known = [n for n in numbers if n is not None]
        return estimate(approximate, known) if len(known) == len(numbers) else None

    def count(self, token: Token, value: Any) -> Any:
        """Adds a leaf to the size of what is built, so that names inside names cannot grow without bound."""
        self.nodes += tree_size(value, self.sizes)
        if self.nodes > MAX_NODES:
            raise self.error(
                token,
                f"the expression is too large once its names are filled in; at most {MAX_NODES:,} parts",
            )
        if isinstance(value, sympy.Expr) and not isinstance(value, sympy.Number) and value.is_number:
            self.constants.setdefault(value, float(value))
        return value


def tree_size(value: sympy.Basic, sizes: dict[sympy.Basic, int]) -> int:
    """How many nodes the expression has when written out; `sizes` remembers what was counted."""
    if value not in sizes:
        parts = list(value) if isinstance(value, sympy.MatrixBase) else value.args
        sizes[value] = 1 + sum(tree_size(part, sizes) for part in parts)
    return sizes[value]


def _steps(name: str, operator: Operator, directions: list[Any]) -> list[tuple[Any, ...]]:
    """The calls that make up a derivative of high order, so that its size can be watched on the way."""
    if name == "biharmonic":
        return [(OPERATORS["laplacian"].function, *directions)] * 2
    if name != "d":
        return [(operator.function, *directions)]
    steps: list[tuple[Any, ...]] = []
    for direction in directions:
        again = isinstance(direction, int)
        steps += steps[-1:] * (direction - 1) if again else [(operator.function, direction)]
    return steps


def is_condition(value: object) -> bool:
    """Whether `value` is true or false; symbols count as numbers, though sympy lets them be both."""
    return isinstance(value, Boolean) and not isinstance(value, sympy.Expr)


def literal(value: int | float) -> sympy.Expr:
    """An exact integer, or a Float of 53 bits."""
    return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value)


def _as_sympy(value: Any) -> Any:
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if isinstance(value, int | float):
        return literal(value)
    if isinstance(value, sympy.MatrixBase):
        return sympy.ImmutableDenseMatrix(value)
    return value


def _kind(shape: tuple[int, int] | None) -> str:
    if shape is None:
        return "a number"
    return f"a vector of {shape[0]}" if shape[1] == 1 else f"a {shape[0]} x {shape[1]} matrix"


def _first_line(error: BaseException) -> str:
    if isinstance(error, OverflowError):
        return "the number is too large; numbers go up to 1.8e308"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "this cannot be computed"
