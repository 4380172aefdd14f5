"""The functions a problem file may call: the whole list, as data."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import sympy

from . import _operators


@dataclass(frozen=True)
class ScalarFunction:
    """A function of numbers: the sympy function, its estimate in floating point, how many arguments."""

    function: Callable[..., sympy.Expr]
    estimate: Callable[..., float]
    fewest: int = 1
    most: int = 1


@dataclass(frozen=True)
class Operator:
    """An operator on expressions and vectors; `order` is how often it differentiates."""

    function: Callable[..., object]
    usage: str
    fewest: int = 1
    most: int = 1
    order: int = 0


def _step(x: float, at_zero: float = 0.5) -> float:
    return at_zero if x == 0 else float(x > 0)


def _transpose(matrix: sympy.MatrixBase) -> sympy.MatrixBase:
    return matrix.T


def _trace(matrix: sympy.MatrixBase) -> sympy.Expr:
    return matrix.trace()


def _product(*factors: sympy.Expr) -> sympy.Expr:
    """A product left as written: product(2, x + y), where 2*(x + y) would become 2*x + 2*y."""
    return sympy.Mul(*factors, evaluate=False)


SCALAR_FUNCTIONS = {
    "sin": ScalarFunction(sympy.sin, math.sin),
    "cos": ScalarFunction(sympy.cos, math.cos),
    "tan": ScalarFunction(sympy.tan, math.tan),
    "asin": ScalarFunction(sympy.asin, math.asin),
    "acos": ScalarFunction(sympy.acos, math.acos),
    "atan": ScalarFunction(sympy.atan, math.atan),
    "atan2": ScalarFunction(sympy.atan2, math.atan2, 2, 2),
    "sinh": ScalarFunction(sympy.sinh, math.sinh),
    "cosh": ScalarFunction(sympy.cosh, math.cosh),
    "tanh": ScalarFunction(sympy.tanh, math.tanh),
    "exp": ScalarFunction(sympy.exp, math.exp),
    "log": ScalarFunction(sympy.log, math.log),
    "sqrt": ScalarFunction(sympy.sqrt, math.sqrt),
    "abs": ScalarFunction(sympy.Abs, math.fabs),
    "sign": ScalarFunction(sympy.sign, lambda x: float((x > 0) - (x < 0))),
    "min": ScalarFunction(sympy.Min, lambda *values: min(values), 1, 100),
    "max": ScalarFunction(sympy.Max, lambda *values: max(values), 1, 100),
    "heaviside": ScalarFunction(sympy.Heaviside, _step, 1, 2),
    "floor": ScalarFunction(sympy.floor, math.floor),
    "erf": ScalarFunction(sympy.erf, math.erf),
}

ALIASES = {"Abs": "abs", "Min": "min", "Max": "max", "Heaviside": "heaviside", "ln": "log"}

OPERATORS = {
    "d": Operator(_operators.d, "d(u, x) or d(u, x, 2)", 2, 9, 1),
    "dt": Operator(_operators.dt, "dt(u) or dt(u, 2)", 1, 2, 1),
    "laplacian": Operator(_operators.laplacian, "laplacian(u)", 1, 4, 2),
    "biharmonic": Operator(_operators.biharmonic, "biharmonic(u)", 1, 4, 4),
    "grad": Operator(_operators.grad, "grad(u)", 1, 4, 1),
    "div": Operator(_operators.div, "div(v)", 1, 4, 1),
    "curl": Operator(_operators.curl, "curl(v)", 1, 4, 1),
    "dot": Operator(_operators.dot, "dot(v, w)", 2, 2),
    "transpose": Operator(_transpose, "transpose(A)"),
    "trace": Operator(_trace, "trace(A)"),
    "product": Operator(_product, "product(2, x + y)", 2, 100),
}

CASES = "where"
FUNCTION_NAMES = frozenset({*SCALAR_FUNCTIONS, *ALIASES, *OPERATORS, CASES})
