"""Calls in expressions: functions of numbers, operators on fields, and cases, with their arguments checked."""

from collections.abc import Sequence
from typing import Any

import sympy

from ._build import Builder
from ._functions import OPERATORS, SCALAR_FUNCTIONS, Operator
from ._symbols import Parameter
from ._tokens import Token

MAX_ORDER = 4


def scalar_call(build: Builder, token: Token, name: str, values: Sequence[Any]) -> Any:
    """A function of numbers: sin(...), max(...), ..."""
    function = SCALAR_FUNCTIONS[name]
    _arity(build, token, name, len(values), function.fewest, function.most)
    values = [build.scalar(token, v, f"{name}(...) takes") for v in values]
    return build.apply(token, function.function, *values, approximate=function.estimate)


def operator_call(build: Builder, token: Token, name: str, values: Sequence[Any]) -> Any:
    """An operator on fields: d(u, x, 2), laplacian(u), dot(a, b), ..."""
    operator = OPERATORS[name]
    _arity(build, token, name, len(values), operator.fewest, operator.most, f"; write {operator.usage}")
    values = [build.arithmetic(token, v) for v in values]
    if not operator.order:
        return build.apply(token, operator.function, *values)
    result, directions = values[0], [_direction(build, token, name, v) for v in values[1:]]
    if name == "d" and isinstance(directions[0], int):
        raise build.error(token, f"d takes a coordinate before an order; write {operator.usage}")
    for step in _steps(name, operator, directions):
        build.check_size(token, result, operator.order)
        result = build.apply(token, *step[:1], result, *step[1:])
    if result.has(sympy.Subs):
        raise build.error(token, "data on a grid can be differentiated at plain coordinates only")
    return result


def cases(build: Builder, token: Token, values: Sequence[Any]) -> Any:
    """where(condition, value, ..., otherwise)."""
    if len(values) < 2:
        raise build.error(token, "where takes a condition, a value and the value otherwise: where(x < 0, 1, 2)")
    pairs = []
    for condition, value in zip(values[0::2], values[1::2], strict=False):
        pairs.append((build.scalar(token, value), build.truth(token, condition)))
    if len(values) % 2:
        pairs.append((build.scalar(token, values[-1]), sympy.true))
    return build.apply(token, sympy.Piecewise, *pairs)


def _direction(build: Builder, token: Token, name: str, value: Any) -> Any:
    """A coordinate, or an order of d(u, x, 2) as a Python integer."""
    if name != "dt" and isinstance(value, sympy.Symbol) and not isinstance(value, Parameter):
        return value
    if name in ("d", "dt") and value.is_Integer and 1 <= value <= MAX_ORDER:
        return int(value)
    wanted = "an order" if name == "dt" else "coordinates and orders" if name == "d" else "coordinates"
    limits = "" if wanted == "coordinates" else f" from 1 to {MAX_ORDER}"
    raise build.error(token, f"{name} takes {wanted}{limits} after its first argument; write {OPERATORS[name].usage}")


def _arity(build: Builder, token: Token, name: str, got: int, fewest: int, most: int, usage: str = "") -> None:
    if not fewest <= got <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        plural = "" if wanted == "1" else "s"
        raise build.error(token, f"{name} takes {wanted} argument{plural}, got {got}{usage}")


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
