"""What one condition must satisfy on a given problem; `item` names it in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sympy.logic.boolalg import Boolean, BooleanAtom
from sympy.matrices import MatrixBase

from ..errors import SpecificationError
from ._atoms import atoms_of
from ._condition import Condition, is_shape
from ._conditions import BoundaryEquation, Initial, Interface, Periodic, Robin, Unbounded
from ._inner_conditions import MeanValue, Observations, PointValue
from ._symbols import name_of, unknowns_of

if TYPE_CHECKING:
    from ._problem import Problem

WALL_KINDS = ("dirichlet", "neumann", "robin", "boundary_equation")


def check_condition(problem: Problem, condition: Condition, item: str) -> None:
    """Raises `SpecificationError` for the first thing about the condition that does not fit the problem."""
    _check_arity(condition, item)
    _check_where(problem, condition, item)
    match condition:
        case Robin():
            if condition.a == 0 and condition.b == 0:
                raise SpecificationError(f"{item}: a and b are both zero")
        case Initial():
            _check_initial(problem, condition, item)
        case Periodic():
            _check_periodic(problem, condition, item)
        case Unbounded() if problem.time is None:
            raise SpecificationError(f"{item}: the problem has no time; unbounded space needs data that evolve in time")
        case PointValue():
            _check_points(problem, np.array([condition.point]), item)
        case MeanValue() if condition.over is not None:
            _check_shape(problem, condition.over, item)
        case Interface():
            _check_interface(problem, condition, item)
        case Observations():
            _check_observations(problem, condition, item)
        case BoundaryEquation() if not condition.unknowns():
            raise SpecificationError(f"{item}: no unknown in it")
        case _:
            pass


def time_order(problem: Problem, unknown: Any) -> int:
    """Highest order of the time derivatives of an unknown in the equations."""
    if problem.time is None:
        return 0
    index = problem.unknowns.index(unknown)
    atoms = atoms_of(problem.residuals, problem.unknowns, problem.coordinates).values()
    return max((a.orders[-1] for a in atoms if a.unknown == index), default=0)


def _check_arity(condition: Any, item: str) -> None:
    """Scalars for a scalar unknown, as many components as the unknown has for a vector."""
    size = len(condition.u) if isinstance(getattr(condition, "u", None), MatrixBase) else 1
    for name in ("value", "velocity", "jump", "flux_jump"):
        value = getattr(condition, name, None)
        if value is None:
            continue
        label = f"the {name.replace('_', ' ')}"
        if isinstance(value, MatrixBase) and size == 1:
            raise SpecificationError(f"{item}: {label} has {len(value)} components but the unknown is a scalar")
        if not isinstance(value, MatrixBase) and size > 1:
            raise SpecificationError(f"{item}: {label} is a scalar but the unknown has {size} components")
        if isinstance(value, MatrixBase) and value.shape != (size, 1):
            raise SpecificationError(f"{item}: {label} has {len(value)} components but the unknown has {size}")
    for name in ("a", "b"):
        if isinstance(getattr(condition, name, None), MatrixBase):
            raise SpecificationError(f"{item}: {name} must be a scalar")


def _check_where(problem: Problem, condition: Condition, item: str) -> None:
    on = condition.on
    if isinstance(on, Boolean):
        _check_predicate(problem, on, item)
    if on is None and not problem.space and condition.kind in WALL_KINDS:
        raise SpecificationError(f"{item}: the problem has no boundary in space; use Initial or on='initial'")
    for each in on if isinstance(on, tuple) else (on,):
        if isinstance(each, str) and not problem.domain.has_part(each):
            parts = ", ".join(f"'{p}'" for p in plain_parts(problem.domain))
            raise SpecificationError(f"{item}: boundary part '{each}' is not a part of this domain; it has {parts}")
        if is_shape(each):
            _check_shape(problem, each, item)


def plain_parts(domain: Any) -> tuple[str, ...]:
    """The names to offer: parts without compound names, and interfaces; else 'boundary'."""
    parts = tuple(p for p in domain.parts if "." not in p and p != "boundary")
    return (parts or ("boundary",)) + tuple(getattr(domain, "interfaces", ()))


def _check_predicate(problem: Problem, on: Boolean, item: str) -> None:
    if isinstance(on, BooleanAtom):
        raise SpecificationError(f"{item}: 'on' is always {str(bool(on)).lower()}; leave it out or name a part")
    strange = sorted(str(s) for s in on.free_symbols - set(problem.coordinates))
    if strange or unknowns_of(on):
        name = strange[0] if strange else name_of(unknowns_of(on)[0])
        have = ", ".join(s.name for s in problem.coordinates)
        raise SpecificationError(f"{item}: 'on' may depend on the coordinates {have} only, but holds '{name}'")


def _check_shape(problem: Problem, shape: Any, item: str) -> None:
    wanted = {len(problem.coordinates), len(problem.space)}
    if shape.dim not in wanted:
        dims = " or ".join(str(k) for k in sorted(wanted))
        raise SpecificationError(f"{item}: the shape has {shape.dim} dimensions, expected {dims}")


def _check_initial(problem: Problem, condition: Initial, item: str) -> None:
    if problem.time is None:
        have = ", ".join(s.name for s in problem.coordinates)
        raise SpecificationError(f"{item}: the problem has no time coordinate t; its coordinates are {have}")
    if condition.velocity is not None:
        for u in condition.unknowns():
            order = time_order(problem, u)
            if order < 2:
                raise SpecificationError(
                    f"{item}: a velocity is given, but the equations are of order {order} in time for "
                    f"'{name_of(u)}'; "
                    "leave the velocity out"
                )


def _check_periodic(problem: Problem, condition: Periodic, item: str) -> None:
    if condition.along not in problem.coordinates:
        have = ", ".join(s.name for s in problem.coordinates)
        raise SpecificationError(f"{item}: '{condition.along}' is not a coordinate of this problem; it has {have}")


def _check_points(problem: Problem, points: np.ndarray, item: str) -> None:
    """Points (n, dim) lie in the closed domain, to 1e-6 of its size."""
    dim = len(problem.coordinates)
    if points.ndim != 2 or points.shape[1] != dim:
        have = ", ".join(s.name for s in problem.coordinates)
        got = points.shape[-1]
        raise SpecificationError(f"{item}: points of {got} coordinate{'s' * (got != 1)}, expected {dim} ({have})")
    lower, upper = problem.domain.bounds
    outside = ~problem.domain.contains(points, tolerance=1e-6 * float(np.linalg.norm(np.subtract(upper, lower))))
    if outside.any():
        where = ", ".join(f"{c:g}" for c in points[np.argmax(outside)])
        if len(points) == 1:
            raise SpecificationError(f"{item}: the point ({where}) is outside the domain")
        raise SpecificationError(
            f"{item}: {int(outside.sum())} of {len(points)} points are outside the domain, the first is ({where})"
        )


def _check_interface(problem: Problem, condition: Interface, item: str) -> None:
    try:
        condition.shapes(problem.domain)
    except SpecificationError as error:
        raise SpecificationError(f"{item}: {error}") from None
    size, dim = len(condition.unknowns()), len(problem.space)
    flux = condition.flux
    if flux is None:
        return
    expected = (dim, 1) if size == 1 else (size, dim)
    if not isinstance(flux, MatrixBase) or flux.shape != expected:
        got = flux.shape if isinstance(flux, MatrixBase) else "a scalar"
        raise SpecificationError(f"{item}: the flux must have shape {expected}, as k*grad(u) has, got {got}")


def _check_observations(problem: Problem, condition: Observations, item: str) -> None:
    points, values = condition.points, condition.values
    size = len(condition.unknowns())
    if len(points) == 0:
        raise SpecificationError(f"{item}: no points")
    expected = (len(points),) if size == 1 else (len(points), size)
    if values.shape != expected and not (size == 1 and values.shape == (len(points), 1)):
        raise SpecificationError(f"{item}: {len(points)} points need values of shape {expected}, got {values.shape}")
    for name, array in (("points", points), ("values", values)):
        bad = int(np.count_nonzero(~np.isfinite(array)))
        if bad:
            raise SpecificationError(f"{item}: {bad} of {array.size} numbers in the {name} are not finite")
    if condition.noise is not None and not condition.noise > 0:
        raise SpecificationError(f"{item}: the noise must be positive, got {condition.noise:g}")
    _check_points(problem, points, item)
