"""Expressions from text: a Pratt parser over a whitelist. Nothing in the text is ever executed.

    or < and < not < comparison < + - < * / < unary minus < ** (right), as in Python; '^' is '**'.

Numbers: 2 is an exact integer, 1/3 an exact fraction, 0.1 the nearest double (a sympy Float of 53 bits).
Vectors are written [a, b], matrices [[a, b], [c, d]], cases where(condition, value, otherwise). Functions are
those of `_functions.py`, names those the caller gives. `print_expression` in `_print.py` is the inverse.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from ..errors import SpecificationError
from ._build import REFUSED, Builder, as_sympy, is_condition, literal
from ._calls import cases, operator_call, scalar_call
from ._data import GridData
from ._functions import ALIASES, CASES, FUNCTION_NAMES, OPERATORS, SCALAR_FUNCTIONS
from ._operators import Eq
from ._station_data import StationData
from ._tokens import MAX_DEPTH, Token, number, tokenize

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER = 1, 2, 3, 4, 5, 6, 7, 8
_BINDING = {
    **{"or": _OR, "and": _AND},
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARE),
    **{"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER, "^": _POWER},
}
_RELATIONS = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq, "!=": sympy.Ne}


def parse_expression(text: str, names: Mapping[str, object]) -> Any:
    """The sympy expression, or the matrix for a vector, that `text` stands for.

    `names` gives what the names in the text mean: symbols, unknowns, vectors, expressions, numbers, data. Raises
    SpecificationError, one line starting with the position: "column 7: 'w' is not a known name; ...".
    """
    return _guarded(lambda: _whole(Parser(text, names), _SUM, "an expression"))


def parse_condition(text: str, names: Mapping[str, object]) -> Any:
    """The sympy relation that a condition such as "x < 0.5 and y > 0" stands for; see `parse_expression`."""
    return _guarded(lambda: _condition(Parser(text, names)))


def parse_equation(text: str, names: Mapping[str, object]) -> Any:
    """The equation that "lhs = rhs" (or "lhs == rhs") stands for; its sides may be vectors."""
    return _guarded(lambda: _equation(Parser(text, names)))


def _guarded(parse: Callable[[], Any]) -> Any:
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
    except REFUSED as error:
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
    """The state of one parse: the tokens, where it stands, how deep, and the builder of its values."""

    def __init__(self, text: str, names: Mapping[str, object]):
        self.text, self.names = text, names
        self.tokens = tokenize(text)
        self.index, self.depth, self.build = 0, 0, Builder(text)

    # --- tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def advance(self) -> Token:
        token = self.token
        self.index += token.kind != "end"
        return token

    def error(self, token: Token, message: str) -> SpecificationError:
        return self.build.error(token, message)

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
            return self.build.count(token, literal(number(self.text, token)))
        if token.text in ("-", "+"):
            value = self.build.arithmetic(token, self.parse(_SIGN))
            return value if token.text == "+" else self.build.times(token, sympy.Integer(-1), value)
        if token.text == "not":
            return self.build.apply(token, sympy.Not, self.build.truth(token, self.parse(_NOT)))
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
            right = self.build.truth(token, self.parse(own + 1))
            return self.build.apply(token, sympy.And if own == _AND else sympy.Or, self.build.truth(token, left), right)
        if own == _POWER:
            return self.build.power(token, self.build.scalar(token, left), self.build.scalar(token, self.parse(_SIGN)))
        right = self.build.arithmetic(token, self.parse(_SIGN))
        if token.text == "*":
            return self.build.times(token, self.build.arithmetic(token, left), right)
        inverse = self.build.power(token, self.build.scalar(token, right, "divides by"), sympy.Integer(-1))
        return self.build.times(token, self.build.arithmetic(token, left), inverse)

    def sum(self, token: Token, left: Any) -> Any:
        """A whole chain of + and - at once, so that long sums stay cheap."""
        terms = [self.build.arithmetic(token, left)]
        while True:
            term = self.build.arithmetic(token, self.parse(_PRODUCT))
            terms.append(term if token.text == "+" else self.build.times(token, sympy.Integer(-1), term))
            if self.binding() != _SUM:
                return self.build.add(token, terms)
            token = self.advance()

    def compare(self, token: Token, left: Any) -> Any:
        """One comparison, or a chain such as 0 < x < 1."""
        parts = []
        left = self.build.scalar(token, left)
        while True:
            right = self.build.scalar(token, self.parse(_SUM))
            parts.append(self.build.apply(token, _RELATIONS[token.text], left, right))
            if self.binding() != _COMPARE:
                return parts[0] if len(parts) == 1 else self.build.apply(token, sympy.And, *parts)
            token, left = self.advance(), right

    # --- names, vectors, calls

    def name(self, token: Token) -> Any:
        if token.text == "pi" and "pi" not in self.names:
            return self.build.count(token, sympy.pi)
        if token.text not in self.names:
            if token.text in FUNCTION_NAMES:
                raise self.error(token, f"'{token.text}' is a function; write {token.text}(...)")
            message = f"{token} is not a known name; {near(token.text, {*self.names, 'pi'})}"
            raise self.error(token, message)
        value = self.names[token.text]
        if isinstance(value, GridData | StationData):
            raise self.error(
                token,
                f"'{token.text}' is data; call it with coordinates, such as {token.text}(x, y)",
            )
        return self.build.count(token, as_sympy(value))

    def vector(self, token: Token) -> Any:
        entries = self.arguments("]", token)
        if not entries:
            raise self.error(token, "a vector needs at least one component")
        if all(isinstance(e, sympy.MatrixBase) for e in entries):
            if any(e.shape != (entries[0].rows, 1) for e in entries):
                raise self.error(token, "the rows of a matrix must be vectors of the same length")
            return sympy.ImmutableDenseMatrix([list(e) for e in entries])
        return sympy.ImmutableDenseMatrix([self.build.scalar(token, e) for e in entries])

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
        if name not in FUNCTION_NAMES and not isinstance(known, GridData | StationData | AppliedUndef):
            self.not_a_function(token)
        values = self.arguments(")", self.advance())
        if isinstance(known, GridData | StationData):
            return self.build.apply(token, known, *[self.build.scalar(token, v) for v in values])
        if name == CASES:
            return cases(self.build, token, values)
        if name in SCALAR_FUNCTIONS:
            return scalar_call(self.build, token, name, values)
        if name in OPERATORS:
            return operator_call(self.build, token, name, values)
        return self.unknown_call(token, known, values)

    def not_a_function(self, token: Token) -> None:
        if token.text in self.names:
            raise self.error(token, f"'{token.text}' is not a function; write '*' to multiply")
        data = {n for n, value in self.names.items() if isinstance(value, GridData | StationData)}
        known = (FUNCTION_NAMES - ALIASES.keys()) | data
        raise self.error(token, f"{token} is not a known function; {near(token.text, known, 30)}")

    def unknown_call(self, token: Token, known: Any, values: Sequence[Any]) -> Any:
        if tuple(values) != known.args:
            raise self.error(token, f"'{token.text}' stands for {known}; it cannot be taken at other points here")
        return known
