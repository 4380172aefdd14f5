"""Reference solutions by quadratic finite elements on a family of graded meshes, refined to a tolerance."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NumericalError, SpecificationError, UnsupportedError
from ..io import MeshField
from ..spec import (
    BoundaryEquation,
    Condition,
    Dirichlet,
    MeanValue,
    Neumann,
    Periodic,
    PointValue,
    Problem,
    Program,
    Robin,
)
from ._assembly import Discretisation, System, assembled, curved, intervals, norm, p2_field, solved
from ._fitted import fitted_mesh
from ._p2_field import P2Field
from ._triangulation import Triangulation, refined
from ._weak import BoundaryForm, WeakForm, boundary_form, weak_form

_BOUNDARY = (Dirichlet, Neumann, Robin, BoundaryEquation)
_ORDER = 3  # of P2 elements in L2


@dataclass(frozen=True)
class MeshLevel:
    """One mesh of the family: unknowns, ||u - u_previous|| / ||u|| in L2 (nan on the first), seconds so far."""

    unknowns: int
    difference: float
    seconds: float


@dataclass(frozen=True, eq=False)
class FEMSolution:
    """A finite-element solution of a problem.

    Attributes:
        problem: what was solved.
        field: the finite-element function.
        estimate: estimated relative L2 error, from the differences between successive meshes (nan for one
        mesh). converged: whether `estimate` met the tolerance.
        history: the meshes.
    """

    problem: Problem
    field: P2Field = dataclasses.field(repr=False)
    estimate: float
    converged: bool
    history: tuple[MeshLevel, ...] = dataclasses.field(repr=False)

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (n, 1) at the points (n, dim); NaN outside the domain."""
        return self._inside(points, lambda inner: self.field(inner)[:, None], 1)

    def gradient(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Gradients (n, dim) at the points (n, dim); NaN outside the domain."""
        return self._inside(points, self.field.gradient, self.field.dim)

    @property
    def mesh(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Points (n, dim) of all nodes, and elements (m, dim + 1) by their corners."""
        return self.field.nodes, self.field.elements[:, : self.field.dim + 1]

    @property
    def unknowns(self) -> int:
        """Number of degrees of freedom."""
        return len(self.field.values)

    @property
    def seconds(self) -> float:
        """What it took."""
        return self.history[-1].seconds

    def mesh_field(self) -> MeshField:
        """The solution on its mesh of quadratic elements, for `physolve.io`."""
        kind = "triangle6" if self.field.dim == 2 else "line3"
        name = self.problem.unknowns[0].func.__name__
        return MeshField(self.field.nodes, {kind: self.field.elements}, {name: self.field.values})

    def _inside(self, points: Any, evaluate: Callable[[Any], Any], columns: int) -> NDArray[np.float64]:
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != self.field.dim:
            raise SpecificationError(f"points: got shape {points.shape}, expected (n, {self.field.dim})")
        inside = self.problem.domain.contains(points, tolerance=1e-9 * self.problem.domain.size)
        values = np.full((len(points), columns), np.nan)
        if inside.any():
            values[inside] = evaluate(points[inside])
        return values


def solve_fem(
    problem: Problem,
    h: float | None = None,
    tol: float | None = 1e-5,
    *,
    max_unknowns: int = 500_000,
    refinements: int = 0,
) -> FEMSolution:
    """Solves a linear scalar second-order problem in one or two dimensions by quadratic finite elements.

    The equation A_ij u_ij + B_i u_i + C u = f may have variable coefficients and data on a grid; conditions: Dirichlet,
    Neumann, Robin and first-order boundary equations anywhere on the boundary, periodic ones on rectangles and
    intervals, a mean value or point value where the solution is otherwise fixed up to a constant.

    - `h`: edge length of the first mesh; by default a fine enough one to start from.
    - `tol`: relative L2 error to reach; meshes are refined until the estimate is below it, or until the next
      one would have more than `max_unknowns` unknowns (then `converged` is False). None: one mesh.
    - `refinements`: how often the first mesh is refined before anything is solved.

    The estimate is d / (2^q - 1) with d the relative difference to the mesh before and q the observed order, at most 3.

    Raises UnsupportedError with the reason for problems beyond this, NumericalError for singular ones.
    """
    start = time.perf_counter()
    statement = _Statement.of(problem)
    step = statement.first_step(h)
    for _ in range(refinements):
        step()
    solution: P2Field | None = None
    history: list[MeshLevel] = []
    while True:
        space = step()
        basis, values = _solution_on(space, statement)
        current = p2_field(basis, values)
        difference = np.nan
        if solution is not None:
            before = solution(current.nodes)
            difference = norm(basis, values - before) / max(norm(basis, values), 1e-300)
        history.append(MeshLevel(len(values), float(difference), time.perf_counter() - start))
        estimate = _estimate(history)
        solution = current
        if tol is None or estimate <= tol or len(values) * 2**problem.domain.dim > max_unknowns:
            return FEMSolution(problem, current, estimate, tol is None or estimate <= tol, tuple(history))


def _estimate(history: list[MeshLevel]) -> float:
    """Richardson's, from three meshes."""
    if len(history) < 3:
        return np.nan
    before, last = (max(level.difference, 1e-300) for level in history[-2:])
    order = float(np.clip(np.log2(before / last), 0.5, _ORDER))
    return last / (2**order - 1)


@dataclass(frozen=True, eq=False)
class _Statement:
    """A problem sorted for finite elements: `conditions` on the boundary, with their `forms` in the same
    order (None for periodic ones)."""

    problem: Problem
    weak: WeakForm
    conditions: tuple[Condition, ...]
    forms: tuple[BoundaryForm | None, ...]
    constraint: MeanValue | PointValue | None

    @classmethod
    def of(cls, problem: Problem) -> _Statement:
        weak = weak_form(problem)
        u, coords = problem.unknowns[0], weak.coordinates
        on_boundary = tuple(c for c in problem.conditions if isinstance(c, (*_BOUNDARY, Periodic)))
        others = [c for c in problem.conditions if c not in on_boundary]
        forms = tuple(None if isinstance(c, Periodic) else boundary_form(c, u, coords) for c in on_boundary)
        constraints = [c for c in others if isinstance(c, (MeanValue, PointValue))]
        unknown = [c for c in others if c not in constraints]
        if unknown:
            raise UnsupportedError(f"finite elements: a condition of kind '{unknown[0].kind}' is not supported")
        statement = cls(problem, weak, on_boundary, forms, constraints[0] if constraints else None)
        statement._check(len(constraints))
        return statement

    def _check(self, constraints: int) -> None:
        free = self.weak.reaction == 0 and all(
            form is None or (not form.is_dirichlet and form.alpha == 0) for form in self.forms
        )
        if free and constraints == 0:
            raise UnsupportedError(
                "finite elements: the solution is fixed only up to a constant; add MeanValue(u, 0) or a PointValue"
            )
        if constraints > 1 or (constraints and not free):
            raise UnsupportedError(
                "finite elements: a mean value or point value besides conditions that already fix the solution; drop it"
            )
        if isinstance(self.constraint, MeanValue) and self.constraint.over is not None:
            raise UnsupportedError("finite elements: a mean value over a part of the domain; give it over the whole")

    def first_step(self, h: float | None) -> Callable[[], Discretisation]:
        """A function that gives the next finer discretisation at every call."""
        return self._plane(h) if self.problem.domain.dim == 2 else self._line(h)

    def _plane(self, h: float | None) -> Callable[[], Discretisation]:
        domain = self.problem.domain
        h = h or float(np.sqrt(domain.measure) / 9)
        is_dirichlet = [form is not None and form.is_dirichlet for form in self.forms]
        made: list[Triangulation] = []

        def step() -> Discretisation:
            made.append(
                refined(made.pop(), domain.signed_distance)
                if made
                else fitted_mesh(self.problem, self.conditions, is_dirichlet, h)
            )
            return curved(made[0], domain.signed_distance)

        return step

    def _line(self, h: float | None) -> Callable[[], Discretisation]:
        (a,), (b,) = self.problem.domain.bounds
        cells = [max(2, round((b - a) / h)) if h else 16]
        ends = [self._at_end(point, name) for point, name in ((a, "left"), (b, "right"))]

        def step() -> Discretisation:
            cells.append(2 * cells[-1])
            return intervals(np.linspace(a, b, cells[-2] + 1), ends)

        return step

    def _at_end(self, point: float, name: str) -> int:
        """The number of the condition at one end of an interval."""
        found = [k for k, c in enumerate(self.conditions) if _holds_at(self.problem, c, point)]
        if len(found) != 1:
            raise UnsupportedError(
                f"finite elements: {len(found)} conditions at the {name} end x = {point:g}; give exactly one"
            )
        return found[0]


def _holds_at(problem: Problem, condition: Condition, point: float) -> bool:
    from ._boundary import predicate_of

    if condition.on is None:
        return True
    predicate = predicate_of(problem, condition)
    if predicate:
        return bool(predicate(np.array([[point]]))[0])
    samples = problem.domain.sample_boundary(4, on=condition.on)
    return bool((np.abs(samples.points[:, 0] - point) < 1e-9 * problem.domain.size).any())


def _solution_on(space: Discretisation, statement: _Statement) -> tuple[Any, NDArray[np.float64]]:
    system, basis = assembled(space, statement.weak, statement.forms)
    for condition in statement.conditions:
        if isinstance(condition, Periodic):
            _join(system, basis, statement.problem, condition)
    _constrain(system, basis, statement)
    values, multiplier = solved(system)
    if system.constraint is not None:
        _check_compatible(system, multiplier)
    return basis, values


def _join(system: System, basis: Any, problem: Problem, condition: Periodic) -> None:
    """Degrees of freedom at the upper end of a coordinate made equal to those at the lower end."""
    k = problem.coordinates.index(condition.along)
    nodes = basis.doflocs.T
    lower, upper = problem.domain.bounds
    slack = 1e-12 * problem.domain.size
    low, high = (np.flatnonzero(np.abs(nodes[:, k] - end[k]) < slack) for end in (lower, upper))
    others = np.delete(nodes, k, axis=1)
    low, high = (ends[np.lexsort(others[ends].T)] if others.shape[1] else ends for ends in (low, high))
    if len(low) != len(high) or len(low) == 0 or np.abs(others[low] - others[high]).max(initial=0) > 1e3 * slack:
        raise UnsupportedError(
            f"finite elements: periodic along {condition.along} needs a rectangle or an interval in that coordinate"
        )
    for a, b in zip(high.tolist(), low.tolist(), strict=True):
        # a corner of a doubly periodic rectangle follows the chain to the one corner
        system.same[a] = system.same.get(b, b)


def _constrain(system: System, basis: Any, statement: _Statement) -> None:
    from skfem import LinearForm

    condition = statement.constraint
    if condition is None:
        return
    if isinstance(condition, MeanValue):
        row = LinearForm(lambda v, _: v).assemble(basis)
        (value,) = Program(condition.values(), statement.weak.coordinates)(
            *np.zeros((len(statement.weak.coordinates), 1))
        )
        system.constraint = row, float(value[0] * row.sum())
        return
    point = np.array([condition.point])
    numbers, weights = p2_field(basis, np.zeros(basis.N)).weights(point)
    row = np.zeros(basis.N)
    row[numbers[0]] = weights[0]
    (value,) = Program([condition.value], statement.weak.coordinates)(*point.T)
    system.constraint = row, float(value[0])


def _check_compatible(system: System, multiplier: float) -> None:
    """Pure Neumann data must balance the source: the multiplier is what is missing."""
    row, _ = system.constraint  # type: ignore[misc]
    missing, total = abs(multiplier) * row.sum(), np.abs(system.load).sum()
    if missing > 1e-2 * total and missing > 1e-12:
        raise NumericalError(
            f"finite elements: the source and the boundary fluxes do not balance (by {missing / total:.2g} of their "
            "size), so there is no solution; change one of them"
        )
