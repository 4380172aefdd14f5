"""Values of expressions while they are read: what may be combined, how large it may get, where a refusal belongs."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import sympy
from sympy.logic.boolalg import Boolean

from ..errors import SpecificationError
from ._numeric import check_power, check_result, estimate, power_estimate
from ._surface import branches
from ._tokens import Token, fail

MAX_NODES = 20_000
MAX_DIFFERENTIATED = 2_000

REFUSED = (
    ArithmeticError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    NotImplementedError,
    RecursionError,
)


class Builder:
    """Builds the values of one text, keeping count of their size and estimates of their constants."""

    def __init__(self, text: str):
        self.text, self.nodes = text, 0
        self.constants: dict[sympy.Basic, float] = {sympy.pi: math.pi}
        self.sizes: dict[sympy.Basic, int] = {}

    def error(self, token: Token, message: str) -> SpecificationError:
        return fail(self.text, token.at, message)

    # --- what values may be

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

    # --- combining them

    def apply(self, token: Token, build: Callable[..., Any], *values: Any, approximate: Any = None) -> Any:
        """`build(*values)`, its constants kept in bounds and every refusal given its position."""
        try:
            constant = self._constant(values, approximate)
            result = as_sympy(build(*values))
            for entry in result if isinstance(result, sympy.MatrixBase) else (result,):
                check_result(entry)
        except REFUSED as error:
            raise self.error(token, _first_line(error)) from None
        if constant is not None:
            self.constants[result] = constant
        return result

    def _constant(self, values: Sequence[Any], approximate: Any) -> float | None:
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

    def check_size(self, token: Token, value: Any, order: int) -> None:
        """Refuses to differentiate what is so large that its derivatives would fill the memory."""
        if tree_size(branches(value), self.sizes) > MAX_DIFFERENTIATED // order**2:
            raise self.error(token, "the expression to be differentiated is too large; name its parts as unknowns")


def tree_size(value: sympy.Basic, sizes: dict[sympy.Basic, int]) -> int:
    """How many nodes the expression has when written out; `sizes` remembers what was counted."""
    if value not in sizes:
        parts = list(value) if isinstance(value, sympy.MatrixBase) else value.args
        sizes[value] = 1 + sum(tree_size(part, sizes) for part in parts)
    return sizes[value]


def is_condition(value: object) -> bool:
    """Whether `value` is true or false; symbols count as numbers, though sympy lets them be both."""
    return isinstance(value, Boolean) and not isinstance(value, sympy.Expr)


def literal(value: int | float) -> sympy.Expr:
    """An exact integer, or a Float of 53 bits."""
    return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value)


def as_sympy(value: Any) -> Any:
    """A number, truth value or matrix of Python as sympy has it."""
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
