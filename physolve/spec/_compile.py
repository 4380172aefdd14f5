"""Compiles sympy expressions to instructions over registers; `_evaluate.py` runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import sympy
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import BooleanAtom

from ..errors import SpecificationError, UnsupportedError
from ._data import GridData
from ._station_data import StationData
from ._surface import Jump


class Instruction(NamedTuple):
    """registers[output] = operation(*(registers[i] for i in inputs)); then the registers in `dead` are dropped."""

    operation: str | GridCall
    output: int
    inputs: tuple[int, ...]
    dead: tuple[int, ...] = ()


class GridCall(NamedTuple):
    """Evaluation of grid data, or of its derivative of the given orders."""

    data: GridData | StationData
    orders: tuple[int, ...]


_FUNCTIONS: dict[Any, str] = {
    sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan",
    sympy.asin: "asin", sympy.acos: "acos", sympy.atan: "atan", sympy.atan2: "atan2",
    sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh", sympy.asinh: "asinh",
    sympy.acosh: "acosh", sympy.atanh: "atanh", sympy.exp: "exp", sympy.log: "log", sympy.Abs: "abs",
    sympy.sign: "sign", sympy.floor: "floor", sympy.ceiling: "ceiling", sympy.erf: "erf", sympy.erfc: "erfc",
    sympy.Heaviside: "heaviside", sympy.Mod: "mod", sympy.Not: "not",
    sympy.Lt: "lt", sympy.Le: "le", sympy.Gt: "gt", sympy.Ge: "ge", sympy.Eq: "eq", sympy.Ne: "ne",
}  # fmt: skip
_CHAINS: dict[Any, str] = {
    sympy.Min: "min", sympy.Max: "max", sympy.And: "and", sympy.Or: "or", sympy.Xor: "xor",
}  # fmt: skip


class Compiler:
    """Grows the list of instructions; equal subexpressions share one register."""

    def __init__(self, arguments: Sequence[Any]) -> None:
        self.registers: dict[Any, int] = {}
        for argument in arguments:
            self.registers.setdefault(argument, len(self.registers))
        if len(self.registers) < len(arguments):
            raise SpecificationError("program: an argument is given twice")
        self.size = len(arguments)
        self.constants: dict[int, float | bool] = {}
        self.instructions: list[Instruction] = []

    def register(self, node: Any) -> int:
        """The register that holds `node`, compiling what is not there yet."""
        if node not in self.registers:
            self.registers[node] = self._compile(node)
        return self.registers[node]

    def emit(self, operation: str | GridCall, *inputs: int) -> int:
        return self._shared(
            (operation, inputs), lambda out: self.instructions.append(Instruction(operation, out, inputs))
        )

    def constant(self, value: float | bool) -> int:
        return self._shared(("constant", type(value), value), lambda out: self.constants.update({out: value}))

    def _shared(self, key: tuple, make: Callable[[int], None]) -> int:
        if key not in self.registers:
            self.registers[key] = self.size
            self.size += 1
            make(self.registers[key])
        return self.registers[key]

    def _compile(self, node: Any) -> int:
        if isinstance(node, BooleanAtom):
            return self.constant(bool(node))
        if isinstance(node, sympy.Expr) and not self._varies(node):
            return self.constant(_number(node))
        if isinstance(node, sympy.Symbol):
            raise SpecificationError(f"symbol '{node.name}' has no value: it is not among {self._names()}")
        if isinstance(node, sympy.Add):
            return self._add(node)
        if isinstance(node, sympy.Mul):
            return self._multiply(node)
        if isinstance(node, sympy.Pow):
            return self._power(node)
        if isinstance(node, sympy.Piecewise):
            return self._piecewise(node.args)
        if isinstance(node, Jump):
            return self.constant(0.0)  # almost everywhere
        if isinstance(node, sympy.ITE):
            return self.emit("where", *map(self.register, node.args))
        if isinstance(node, (AppliedUndef, sympy.Derivative, sympy.Subs)):
            return self._grid(node)
        return self._call(node)

    def _varies(self, node: Any) -> bool:
        return bool(node.free_symbols) or node.has(AppliedUndef)

    def _names(self) -> str:
        return (
            ", ".join(str(a) for a in self.registers if isinstance(a, sympy.Basic) and a.is_Symbol) or "the arguments"
        )

    def _call(self, node: Any) -> int:
        for kind, name in _CHAINS.items():
            if isinstance(node, kind):
                first, *rest = map(self.register, node.args)
                return self._fold(name, first, rest)
        name = _FUNCTIONS.get(node.func)
        if name is None:
            raise UnsupportedError(f"function '{node.func.__name__}' cannot be evaluated (in {_short(node)})")
        return self.emit(name, *map(self.register, node.args))

    def _fold(self, operation: str, first: int, rest: Iterable[int]) -> int:
        for other in rest:
            first = self.emit(operation, first, other)
        return first

    def _add(self, node: sympy.Add) -> int:
        terms = sorted(node.args, key=lambda a: a.could_extract_minus_sign())  # a positive term first
        total = self.register(terms[0])
        for term in terms[1:]:
            if term.could_extract_minus_sign():
                total = self.emit("sub", total, self.register(-term))
            else:
                total = self.emit("add", total, self.register(term))
        return total

    def _multiply(self, node: sympy.Mul) -> int:
        coefficient, factors = node.as_coeff_mul()
        below = [f for f in factors if isinstance(f, sympy.Pow) and f.exp.is_number and f.exp.is_negative]
        above = [self.register(f) for f in factors if f not in below]
        if coefficient not in (1, -1) or not above:
            above.append(self.constant(_number(coefficient)))
            coefficient = sympy.S.One
        product = self._fold("mul", above[0], above[1:])
        if coefficient == -1:
            product = self.emit("neg", product)
        return self._fold("div", product, [self.register(1 / f) for f in below])

    def _power(self, node: sympy.Pow) -> int:
        base, exponent = node.args
        if exponent == -1:
            return self.emit("div", self.constant(1.0), self.register(base))
        if exponent == sympy.Rational(1, 2):
            return self.emit("sqrt", self.register(base))
        if exponent.is_Integer and 2 <= int(exponent) <= 8:
            return self._integer_power(base, int(exponent))
        if exponent.is_number and exponent.is_negative:
            return self.emit("div", self.constant(1.0), self.register(base ** (-exponent)))
        return self.emit("pow", self.register(base), self.register(exponent))

    def _integer_power(self, base: Any, exponent: int) -> int:
        """x^k by the binary method, sharing x^2, x^4."""
        x, result = self.register(base), None
        while True:
            if exponent & 1:
                result = x if result is None else self.emit("mul", result, x)
            exponent >>= 1
            if not exponent:
                return result  # type: ignore[return-value]
            x = self.emit("mul", x, x)

    def _piecewise(self, pairs: Sequence[Any]) -> int:
        value = self.constant(float("nan"))
        for expression, condition in reversed(pairs):
            here = self.register(expression)
            value = here if condition == True else self.emit("where", self.register(condition), here, value)  # noqa: E712
        return value

    def _grid(self, node: Any) -> int:
        data, orders, arguments = _grid_call(node)
        return self.emit(GridCall(data, orders), *map(self.register, arguments))


def _grid_call(node: Any) -> tuple[GridData | StationData, tuple[int, ...], tuple[Any, ...]]:
    """Data, derivative orders and arguments of f(...), Derivative(f(...), ...) or Subs(Derivative(f(...), ...))."""
    inner, substitution = (
        (node.expr, dict(zip(node.variables, node.point, strict=True))) if isinstance(node, sympy.Subs) else (node, {})
    )
    counts = dict(inner.variable_count) if isinstance(inner, sympy.Derivative) else {}
    applied = inner.expr if isinstance(inner, sympy.Derivative) else inner
    data = getattr(applied.func, "data", None)
    if not isinstance(data, GridData | StationData) or any(s not in applied.args for s in counts):
        raise UnsupportedError(
            f"'{_short(node)}' cannot be evaluated: it is an unknown or its derivative without a value"
        )
    if any(len([a for a in applied.args if a.has(s)]) != 1 for s in counts):
        raise UnsupportedError(
            f"'{_short(node)}': data differentiated along a coordinate that two of its arguments use"
        )
    orders = tuple(int(counts.get(a, 0)) for a in applied.args)
    return data, orders, tuple(a.xreplace(substitution) for a in applied.args)


def _number(node: Any) -> float:
    if node.has(sympy.zoo, sympy.oo, -sympy.oo, sympy.nan):
        raise SpecificationError(f"'{_short(node)}' is not a finite number")
    value = node if isinstance(node, (sympy.Integer, sympy.Rational, sympy.Float)) else node.evalf(18)
    if not value.is_Number:
        if value.is_number and value.is_real is False:
            raise UnsupportedError(
                f"'{_short(node)}' is not real; write the real and the imaginary part as two unknowns"
            )
        raise UnsupportedError(f"function '{node.func.__name__}' cannot be evaluated (in {_short(node)})")
    return float(value)


def with_dead(instructions: list[Instruction], outputs: Sequence[int]) -> tuple[Instruction, ...]:
    """Marks for every instruction the registers that nothing after it reads."""
    needed, marked = set(outputs), []
    for step in reversed(instructions):
        dead = tuple({i for i in step.inputs if i not in needed})
        needed.update(step.inputs)
        marked.append(step._replace(dead=dead))
    return tuple(reversed(marked))


def _short(node: object) -> str:
    text = " ".join(str(node).split())
    return text if len(text) <= 60 else text[:57] + "..."
