"""sympy expressions compiled to a short instruction list that runs on numpy arrays and torch tensors alike.

No code is generated: a program is a list of (operation, inputs) over registers. Equal subexpressions share
one register (hash-consing of the expression tree); a register is dropped after its last use.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import sympy
import torch
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import BooleanAtom

from ..errors import SpecificationError, UnsupportedError
from ._data import GridData


class Instruction(NamedTuple):
    """registers[output] = operation(*(registers[i] for i in inputs)); then the registers in `dead` are
    dropped.
    """

    operation: str | GridCall
    output: int
    inputs: tuple[int, ...]
    dead: tuple[int, ...] = ()


class GridCall(NamedTuple):
    """Evaluation of grid data, or of its derivative of the given orders."""

    data: GridData
    orders: tuple[int, ...]


class Program:
    """Evaluates `expressions` on columns of values for `arguments`.

    - `expressions`: sympy expressions, relationals or booleans.
    - `arguments`: symbols, or whole subexpressions such as u(x, y) or its derivatives.

    `program(*columns)` returns one array per expression. Columns are numpy arrays or torch tensors (all on
    one device) or numbers; every result has the columns' common shape and dtype, constants are spread; a
    relational gives booleans. In torch the results are differentiable, except through grid data, which counts
    as constant.

    Raises `UnsupportedError` naming a function that has no numerical meaning here, `SpecificationError` for a
    symbol that is not among the arguments.
    """

    def __init__(self, expressions: Iterable[Any], arguments: Sequence[Any]) -> None:
        self.expressions = tuple(sympy.sympify(e, strict=True) for e in expressions)
        self.arguments = tuple(arguments)
        compiler = _Compiler(self.arguments)
        self._outputs = tuple(compiler.register(e) for e in self.expressions)
        self._constants = MappingProxyType(compiler.constants)
        self._size = compiler.size
        self.instructions = _with_dead(compiler.instructions, self._outputs)

    def __call__(self, *columns: Any) -> list[Any]:
        if len(columns) != len(self.arguments):
            raise SpecificationError(
                f"program of {len(self.arguments)} arguments called with {len(columns)} columns"
            )
        arrays, backend = _prepare(columns)
        registers: list[Any] = [*arrays, *([None] * (self._size - len(arrays)))]
        for index, value in self._constants.items():
            registers[index] = value
        with np.errstate(all="ignore"):
            for operation, output, inputs, dead in self.instructions:
                function = (
                    backend.grid(operation) if isinstance(operation, GridCall) else backend.table[operation]
                )
                registers[output] = function(*[registers[i] for i in inputs])
                for i in dead:
                    registers[i] = None
        shape = backend.shape(arrays)
        return [backend.spread(registers[i], shape, arrays) for i in self._outputs]

    def __repr__(self) -> str:
        return (
            f"Program({len(self.expressions)} expressions of {len(self.arguments)} arguments, "
            f"{len(self.instructions)} steps)"
        )


# --- compiling ------------------------------------------------------------------------------------------

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


class _Compiler:
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
        if isinstance(node, sympy.ITE):
            return self.emit("where", *map(self.register, node.args))
        if isinstance(node, (AppliedUndef, sympy.Derivative, sympy.Subs)):
            return self._grid(node)
        return self._call(node)

    def _varies(self, node: Any) -> bool:
        return bool(node.free_symbols) or node.has(AppliedUndef)

    def _names(self) -> str:
        return (
            ", ".join(str(a) for a in self.registers if isinstance(a, sympy.Basic) and a.is_Symbol)
            or "the arguments"
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


def _grid_call(node: Any) -> tuple[GridData, tuple[int, ...], tuple[Any, ...]]:
    """Data, derivative orders and arguments of f(...), Derivative(f(...), ...) or Subs(Derivative(f(...),
    ...)).
    """
    inner, substitution = (
        (node.expr, dict(zip(node.variables, node.point, strict=True)))
        if isinstance(node, sympy.Subs)
        else (node, {})
    )
    counts = dict(inner.variable_count) if isinstance(inner, sympy.Derivative) else {}
    applied = inner.expr if isinstance(inner, sympy.Derivative) else inner
    data = getattr(applied.func, "data", None)
    if not isinstance(data, GridData) or any(s not in applied.args for s in counts):
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


def _with_dead(instructions: list[Instruction], outputs: Sequence[int]) -> tuple[Instruction, ...]:
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


# --- running --------------------------------------------------------------------------------------------

_COMMON: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "neg": operator.neg,
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
    "eq": operator.eq, "ne": operator.ne,
    "and": operator.and_, "or": operator.or_, "xor": operator.xor, "abs": abs,
}  # fmt: skip


def _special(name: str) -> Callable[..., Any]:
    def run(x: Any) -> Any:
        import scipy.special  # only where it is needed: importing it takes a fifth of a second

        return getattr(scipy.special, name)(x)

    return run


_BY_NAME = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "sign", "floor")
_ARCS = ("asin", "acos", "atan", "asinh", "acosh", "atanh")


class _NumpyBackend:
    table: dict[str, Callable[..., Any]] = {  # noqa: RUF012
        **_COMMON,
        **{name: getattr(np, name) for name in _BY_NAME},
        **{name: getattr(np, "arc" + name[1:]) for name in _ARCS},
        "atan2": np.arctan2, "ceiling": np.ceil, "erf": _special("erf"), "erfc": _special("erfc"),
        "min": np.minimum, "max": np.maximum, "mod": np.mod, "not": np.logical_not,
        "pow": operator.pow, "heaviside": np.heaviside, "where": np.where,
    }  # fmt: skip

    @staticmethod
    def grid(call: GridCall) -> Callable[..., Any]:
        def run(*columns: Any) -> np.ndarray:
            columns = np.broadcast_arrays(*columns)
            dtype = np.result_type(*columns)
            points = np.stack([np.ravel(c) for c in columns], axis=1)
            return call.data.sample(points, call.orders).reshape(columns[0].shape).astype(dtype, copy=False)

        return run

    @staticmethod
    def shape(arrays: Sequence[Any]) -> tuple[int, ...]:
        return np.broadcast_shapes(*(a.shape for a in arrays))

    @staticmethod
    def spread(value: Any, shape: tuple[int, ...], arrays: Sequence[Any]) -> np.ndarray:
        dtype = _numpy_type(arrays)
        if isinstance(value, bool) or getattr(value, "dtype", None) == np.dtype(bool):
            dtype = np.dtype(bool)
        return np.array(np.broadcast_to(value, shape), dtype=dtype)


def _torch_pair(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """`function` of two tensors where one of the two may be a number."""

    def run(a: Any, b: Any) -> torch.Tensor:
        if not isinstance(a, torch.Tensor):
            a = torch.full_like(b, a)
        elif not isinstance(b, torch.Tensor):
            b = torch.full_like(a, b)
        return function(a, b)

    return run


def _torch_where(condition: Any, a: Any, b: Any) -> Any:
    if isinstance(condition, bool):
        return a if condition else b
    if not isinstance(a, torch.Tensor) and not isinstance(b, torch.Tensor):
        # of two numbers torch.where makes float32; `spread` settles the dtype
        a = torch.tensor(a, dtype=torch.float64, device=condition.device)
    return torch.where(condition, a, b)


def _torch_heaviside(x: torch.Tensor, at_zero: Any) -> torch.Tensor:
    step = (x > 0).to(x.dtype)
    return torch.where(x == 0, at_zero, step)


class _TorchBackend:
    table: dict[str, Callable[..., Any]] = {  # noqa: RUF012
        **_COMMON,
        **{name: getattr(torch, name) for name in (*_BY_NAME, *_ARCS, "erf", "erfc", "abs")},
        "ceiling": torch.ceil, "not": torch.logical_not, "pow": torch.pow, "where": _torch_where,
        "heaviside": _torch_heaviside, "atan2": _torch_pair(torch.atan2),
        "min": _torch_pair(torch.minimum), "max": _torch_pair(torch.maximum), "mod": torch.remainder,
    }  # fmt: skip

    @staticmethod
    def grid(call: GridCall) -> Callable[..., Any]:
        return partial(_torch_grid, call)

    @staticmethod
    def shape(arrays: Sequence[torch.Tensor]) -> tuple[int, ...]:
        return torch.broadcast_shapes(*(a.shape for a in arrays))

    @staticmethod
    def spread(value: Any, shape: tuple[int, ...], arrays: Sequence[torch.Tensor]) -> torch.Tensor:
        dtype, device = _torch_type(arrays)
        if isinstance(value, torch.Tensor):
            value = value if value.dtype == torch.bool else value.to(dtype)
            return value if value.shape == torch.Size(shape) else value.expand(shape).contiguous()
        return torch.full(shape, value, dtype=torch.bool if isinstance(value, bool) else dtype, device=device)


def _torch_grid(call: GridCall, *columns: Any) -> torch.Tensor:
    given = [c for c in columns if isinstance(c, torch.Tensor)]
    dtype, device = _torch_type(given)
    plain = [c.detach().cpu().numpy() if isinstance(c, torch.Tensor) else c for c in columns]
    values = _NumpyBackend.grid(call)(*(np.asarray(p, dtype=np.float64) for p in plain))
    return torch.from_numpy(np.ascontiguousarray(values)).to(device=device, dtype=dtype)


def _numpy_type(arrays: Sequence[np.ndarray]) -> np.dtype:
    """Common floating dtype; columns with points decide before single numbers (parameters)."""
    chosen = [a for a in arrays if a.ndim] or list(arrays)
    dtype = np.result_type(*chosen) if chosen else np.dtype(np.float64)
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def _torch_type(arrays: Sequence[torch.Tensor]) -> tuple[torch.dtype, torch.device]:
    """Common dtype and device; columns with points decide before 0-dimensional ones (parameters)."""
    chosen = [a for a in arrays if a.dim()] or list(arrays)
    dtype = chosen[0].dtype
    for a in chosen[1:]:
        dtype = torch.promote_types(dtype, a.dtype)
    return dtype, chosen[0].device


def _prepare(columns: Sequence[Any]) -> tuple[list[Any], Any]:
    """Columns as arrays of one kind, numbers included, and the backend that runs them."""
    tensors = [c for c in columns if isinstance(c, torch.Tensor)]
    if not tensors:
        arrays = [np.asarray(c) for c in columns]
        common = _numpy_type(arrays)
        return [a.astype(common, copy=False) for a in arrays], _NumpyBackend
    dtype, device = _torch_type(tensors)
    dtype = dtype if dtype.is_floating_point else torch.float64
    return [
        c.to(dtype) if isinstance(c, torch.Tensor) else torch.as_tensor(c, dtype=dtype, device=device)
        for c in columns
    ], _TorchBackend
