"""sympy expressions compiled to a short instruction list that runs on numpy arrays and torch tensors alike.

No code is generated: a program is a list of (operation, inputs) over registers. Equal subexpressions share
one register (hash-consing of the expression tree); a register is dropped after its last use.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy
import torch

from ..errors import SpecificationError
from ._compile import Compiler, GridCall, with_dead


class Program:
    """Evaluates `expressions` on columns of values for `arguments`.

    - `expressions`: sympy expressions, relationals or booleans.
    - `arguments`: symbols, or whole subexpressions such as u(x, y) or its derivatives.

    `program(*columns)` returns one array per expression. Columns are numpy arrays or torch tensors (all on one device)
    or numbers; every result has the columns' common shape and dtype, constants are spread; a relational gives booleans.
    In torch the results are differentiable, except through grid data, which counts as constant.

    Raises `UnsupportedError` naming a function that has no numerical meaning here, `SpecificationError` for a
    symbol that is not among the arguments.
    """

    def __init__(self, expressions: Iterable[Any], arguments: Sequence[Any]) -> None:
        self.expressions = tuple(sympy.sympify(e, strict=True) for e in expressions)
        self.arguments = tuple(arguments)
        compiler = Compiler(self.arguments)
        self._outputs = tuple(compiler.register(e) for e in self.expressions)
        self._constants = MappingProxyType(compiler.constants)
        self._size = compiler.size
        self.instructions = with_dead(compiler.instructions, self._outputs)

    def __call__(self, *columns: Any) -> list[Any]:
        if len(columns) != len(self.arguments):
            raise SpecificationError(f"program of {len(self.arguments)} arguments called with {len(columns)} columns")
        arrays, backend = _prepare(columns)
        registers: list[Any] = [*arrays, *([None] * (self._size - len(arrays)))]
        for index, value in self._constants.items():
            registers[index] = value
        with np.errstate(all="ignore"):
            for operation, output, inputs, dead in self.instructions:
                function = backend.grid(operation) if isinstance(operation, GridCall) else backend.table[operation]
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
        shapes = {a.shape for a in arrays}  # torch's function is slow, and one shape is the rule
        return shapes.pop() if len(shapes) == 1 else torch.broadcast_shapes(*shapes)

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
        c.to(dtype) if isinstance(c, torch.Tensor) else torch.as_tensor(c, dtype=dtype, device=device) for c in columns
    ], _TorchBackend
