"""Differential operators on sympy expressions, and equations between scalars or vectors.

Conventions: grad(v)[i, j] = d v_i / d x_j; div of a matrix goes row by row; laplacian of a vector by
component. The space coordinates are those of the unknowns in the expression without t; an expression without
an unknown (a manufactured solution, say) needs them as arguments: laplacian(sin(x)*y, x, y).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import sympy
from sympy.core.function import AppliedUndef
from sympy.matrices import MatrixBase

from ..errors import SpecificationError
from ._surface import derivative
from ._symbols import check_coordinates, space_of, time_of, unknowns_of

Operand: TypeAlias = Any  # sympy.Expr | sympy.MatrixBase | number | list | tuple
Matrix = sympy.ImmutableDenseMatrix


def d(expr: Operand, *coords: sympy.Symbol | int) -> Any:
    """Partial derivative: d(u, x), d(u, x, x) or d(u, x, 2), d(u, x, y); of a vector, by component.

    Where a function with branches jumps, `Problem` asks for an Interface; sympy's own `diff` leaves nothing to ask by.
    """
    if not coords or not isinstance(coords[0], sympy.Symbol):
        raise SpecificationError("d: expected an expression and the coordinates, as in d(u, x) or d(u, x, 2)")
    for c in coords:
        if not isinstance(c, sympy.Symbol) and not (isinstance(c, (int, sympy.Integer)) and int(c) >= 0):
            raise SpecificationError(f"d: expected a coordinate or an order after it, got {c!r}")
    expr = as_operand(expr, "d")
    own = _coordinates_in(expr) if unknowns_of(expr) else ()
    for c in coords:
        if own and isinstance(c, sympy.Symbol) and c not in own:
            raise SpecificationError(f"d: {_short(expr)} does not depend on {c}, only on {_names(own)}")
    return _each(expr, lambda e: derivative(e, *coords))


def dt(expr: Operand, order: int = 1) -> Any:
    """Time derivative of the given order."""
    expr = as_operand(expr, "dt")
    coords = _coordinates_in(expr)
    time = time_of(coords) if coords else sympy.Symbol("t", real=True)
    if time is None:
        raise SpecificationError(f"dt: {_short(expr)} depends on {_names(coords)}, not on the time t")
    return _each(expr, lambda e: derivative(e, time, order))


def grad(expr: Operand, *coords: sympy.Symbol) -> Any:
    """Gradient: of a scalar, the column of d/dx_j; of a vector, the matrix J[i, j] = d v_i / d x_j."""
    expr = as_operand(expr, "grad")
    space = _space(expr, coords, "grad")
    if isinstance(expr, MatrixBase):
        entries = _entries(expr, "grad")
        return Matrix([[derivative(e, s) for s in space] for e in entries])
    return Matrix([derivative(expr, s) for s in space])


def div(expr: Operand, *coords: sympy.Symbol) -> Any:
    """Divergence: of a vector, sum_j d v_j / d x_j; of a matrix, the column of its rows' divergences."""
    expr = as_operand(expr, "div")
    space = _space(expr, coords, "div")
    if not isinstance(expr, MatrixBase):
        raise SpecificationError(f"div: expected a vector, got the scalar {_short(expr)}")
    if expr.cols == 1:
        _check_size(expr.rows, space, "div")
        return sympy.Add(*(derivative(e, s) for e, s in zip(expr, space, strict=True)))
    _check_size(expr.cols, space, "div")
    rows = [sympy.Add(*(derivative(expr[i, j], s) for j, s in enumerate(space))) for i in range(expr.rows)]
    return Matrix(rows)


def laplacian(expr: Operand, *coords: sympy.Symbol) -> Any:
    """Sum of the second derivatives along the space coordinates; of a vector, by component."""
    expr = as_operand(expr, "laplacian")
    space = _space(expr, coords, "laplacian")
    return _each(expr, lambda e: sympy.Add(*(derivative(e, s, 2) for s in space)))


def biharmonic(expr: Operand, *coords: sympy.Symbol) -> Any:
    """Laplacian of the laplacian."""
    expr = as_operand(expr, "biharmonic")
    space = _space(expr, coords, "biharmonic")
    return laplacian(laplacian(expr, *space), *space)


def curl(expr: Operand, *coords: sympy.Symbol) -> Any:
    """Curl: in two dimensions the scalar d v_y/dx - d v_x/dy, in three the vector."""
    expr = as_operand(expr, "curl")
    space = _space(expr, coords, "curl")
    v = _entries(expr, "curl")
    _check_size(len(v), space, "curl")
    if len(space) == 2:
        return derivative(v[1], space[0]) - derivative(v[0], space[1])
    if len(space) == 3:
        turns = ((1, 2), (2, 0), (0, 1))
        return Matrix([derivative(v[j], space[i]) - derivative(v[i], space[j]) for i, j in turns])
    raise SpecificationError("curl: expected a vector in two or three space dimensions, got one dimension")


def dot(a: Operand, b: Operand) -> Any:
    """Vector . vector (a scalar), or matrix . vector: dot(grad(v), v) is (v . grad) v."""
    a, b = as_operand(a, "dot"), as_operand(b, "dot")
    if not (isinstance(a, MatrixBase) and isinstance(b, MatrixBase) and b.cols == 1):
        raise SpecificationError("dot: expected two vectors, or a matrix and a vector")
    if a.cols == 1 and a.rows == b.rows:
        return sympy.Add(*(p * q for p, q in zip(a, b, strict=True)))
    if a.cols == b.rows and a.cols > 1:
        return Matrix(a * b)
    raise SpecificationError(f"dot: shapes {a.shape} and {b.shape} do not fit")


def Eq(lhs: Operand, rhs: Operand = 0) -> Any:
    """The equation lhs = rhs, kept as written: a `sympy.Eq`, or for vectors a tuple of them.

    A vector may be set equal to 0. Raises `SpecificationError` when the sides have different sizes.
    """
    lhs, rhs = as_operand(lhs, "equation"), as_operand(rhs, "equation")
    if not isinstance(lhs, MatrixBase) and not isinstance(rhs, MatrixBase):
        return sympy.Eq(lhs, rhs, evaluate=False)
    lhs, rhs = _match(lhs, rhs), _match(rhs, lhs)
    if lhs.shape != rhs.shape:
        raise SpecificationError(f"equation: the left side has shape {lhs.shape}, the right side {rhs.shape}")
    return tuple(sympy.Eq(p, q, evaluate=False) for p, q in zip(lhs, rhs, strict=True))


def flatten_equation(equation: Any, item: str = "equation") -> tuple[sympy.Eq, ...]:
    """Scalar equations in `equation`, each side with its derivatives carried out.

    Takes a `sympy.Eq`, an expression or matrix (meaning = 0), or a tuple or list of these. `item` names the
    equation in messages.
    """
    if isinstance(equation, (bool, sympy.logic.boolalg.BooleanAtom)):
        raise SpecificationError(
            f"{item}: it is the value {bool(equation)}, always {str(bool(equation)).lower()}; "
            "write physolve.Eq(lhs, rhs) with an unknown in it ('==' compares objects)"
        )
    if isinstance(equation, (tuple, list)):
        return tuple(part for each in equation for part in flatten_equation(each, item))
    if isinstance(equation, sympy.Eq):
        made = Eq(equation.lhs, equation.rhs)
    elif isinstance(equation, (sympy.Expr, MatrixBase)):
        made = Eq(equation, 0)
    else:
        raise SpecificationError(f"{item}: expected physolve.Eq(lhs, rhs), got {_short(equation)}")
    made = made if isinstance(made, tuple) else (made,)
    return tuple(sympy.Eq(e.lhs.doit(), e.rhs.doit(), evaluate=False) for e in made)


def as_operand(value: Any, item: str) -> Any:
    """A sympy expression or an immutable matrix from numbers, expressions, lists of them; never from a string."""
    if isinstance(value, MatrixBase):
        return Matrix(value)
    if isinstance(value, (tuple, list)):
        rows = [as_operand(v, item) for v in value]
        return Matrix([list(r) if isinstance(r, MatrixBase) else [r] for r in rows])
    if isinstance(value, bool) or (callable(value) and not isinstance(value, sympy.Basic)):
        raise SpecificationError(f"{item}: expected a number or an expression, got {_short(value)}{_hint(value)}")
    try:
        made = sympy.sympify(value, strict=True)
    except (sympy.SympifyError, TypeError, ValueError):
        made = None
    if not isinstance(made, sympy.Expr):
        raise SpecificationError(f"{item}: expected a number or an expression, got {_short(value)}")
    return made


def _hint(value: Any) -> str:
    return "; apply it to the coordinates, as in data(x, y)" if hasattr(value, "sample") else ""


def _each(expr: Any, function: Any) -> Any:
    return Matrix(expr.applyfunc(function)) if isinstance(expr, MatrixBase) else function(expr)


def _match(side: Any, other: Any) -> Any:
    """`side` as a matrix of the shape of `other` if it is the number 0."""
    if isinstance(side, MatrixBase):
        return side
    if side == 0:
        return Matrix(sympy.zeros(*other.shape))
    raise SpecificationError(f"equation: one side is a vector of {other.rows} components, the other {_short(side)}")


def _entries(expr: Any, item: str) -> list[sympy.Expr]:
    if not isinstance(expr, MatrixBase) or 1 not in expr.shape:
        raise SpecificationError(f"{item}: expected a vector, got {_short(expr)}")
    return list(expr)


def _space(expr: Any, coords: tuple[sympy.Symbol, ...], item: str) -> tuple[sympy.Symbol, ...]:
    if coords:
        check_coordinates(coords, item)
    space = space_of(coords or _coordinates_in(expr))
    if not space:
        raise SpecificationError(
            f"{item}: {_short(expr)} holds no unknown with space coordinates; name them, as in {item}(f, x, y)"
        )
    return space


def _coordinates_in(expr: Any) -> tuple[sympy.Symbol, ...]:
    """Coordinates of the first unknown, else of the first data on a grid, else none."""
    found = unknowns_of(expr) or tuple(sorted(expr.atoms(AppliedUndef), key=str))
    for applied in found:
        if all(isinstance(s, sympy.Symbol) for s in applied.args):
            return applied.args  # type: ignore[return-value]
    return ()


def _check_size(size: int, space: tuple[sympy.Symbol, ...], item: str) -> None:
    if size != len(space):
        raise SpecificationError(f"{item}: a vector of {size} components in the space coordinates {_names(space)}")


def _names(coords: tuple[sympy.Symbol, ...]) -> str:
    return ", ".join(s.name for s in coords)


def _short(value: object) -> str:
    text = " ".join((str(value) if isinstance(value, sympy.Basic) else repr(value)).split())
    return text if len(text) <= 60 else text[:57] + "..."
