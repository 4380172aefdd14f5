"""Recognising the incompressible Navier-Stokes equations in a problem."""

from dataclasses import dataclass

import sympy
from sympy.core.function import AppliedUndef

from physolve.errors import UnsupportedError
from physolve.spec import Problem, Shape, div, dot, dt, grad, laplacian, split_time


@dataclass(frozen=True)
class StatedFlow:
    """A problem that states dt(v) + (v . grad) v + grad p = nu lap v + f, div v = 0.

    velocity     its components, in order
    pressure     over the density
    viscosity    nu, kinematic
    force        f, over the density, by component; in the coordinates alone
    space        where it flows, from time `begin` to `end`
    """

    problem: Problem
    space: Shape
    begin: float
    end: float
    velocity: tuple[AppliedUndef, ...]
    pressure: AppliedUndef
    viscosity: float
    force: tuple[sympy.Expr, ...]


def flow_of(problem: Problem) -> StatedFlow:
    """The flow that a problem states, whatever its unknowns are called, equations in any order and with any sign.

    Raises UnsupportedError, saying which equation is another one, for anything else.
    """
    velocity, pressure = _unknowns(problem)
    space, interval = split_time(problem.domain)
    if space is None or interval is None:
        raise UnsupportedError(f"flow: got the domain {problem.domain}, expected a shape in space times an interval")
    (begin,), (end,) = interval.bounds
    equations = [sympy.expand(residual) for residual in problem.residuals]
    v = sympy.ImmutableDenseMatrix(list(velocity))
    continuity = sympy.expand(div(v))
    found = [
        k for k, e in enumerate(equations) if sympy.expand(e - continuity) == 0 or sympy.expand(e + continuity) == 0
    ]
    if not found:
        raise UnsupportedError(f"flow: no equation of '{problem.name}' is div({_name(problem)}) = 0")
    rest = [(k, e) for k, e in enumerate(equations) if k != found[0]]
    viscosity = _viscosity(rest, velocity[0], problem)
    inertia = dt(v) + dot(grad(v), v) + grad(pressure) - viscosity * laplacian(v)
    force = [_force(k, rest, sympy.expand(row), problem) for k, row in enumerate(inertia)]
    return StatedFlow(problem, space, float(begin), float(end), velocity, pressure, float(viscosity), tuple(force))


def _unknowns(problem: Problem) -> tuple[tuple[AppliedUndef, ...], AppliedUndef]:
    """The vector with as many components as space has, and the scalar."""
    dim, groups = len(problem.space), problem.groups
    vectors = [indices for _, indices in groups if len(indices) == dim]
    scalars = [k for k in range(len(problem.unknowns)) if all(k not in indices for _, indices in groups)]
    if problem.time is None or len(groups) != 1 or len(vectors) != 1 or len(scalars) != 1:
        raise UnsupportedError(
            f"flow: expected one velocity of {dim} components, one pressure and the time t; '{problem.name}' has"
            f" {', '.join(map(str, problem.unknowns))}"
        )
    return tuple(problem.unknowns[k] for k in vectors[0]), problem.unknowns[scalars[0]]


def _name(problem: Problem) -> str:
    return problem.groups[0][0]


def _viscosity(rest: list[tuple[int, sympy.Expr]], u: AppliedUndef, problem: Problem) -> sympy.Expr:
    """Minus the factor of the second derivative in the equation with dt(u), over that of dt(u)."""
    rate, bent = sympy.diff(u, problem.time), sympy.diff(u, problem.space[0], 2)
    for _, equation in rest:
        scale = equation.coeff(rate)
        if scale != 0:
            viscosity = sympy.simplify(-equation.coeff(bent) / scale)
            if viscosity.is_number and viscosity >= 0:
                return viscosity
            raise UnsupportedError(f"flow: got the viscosity {viscosity}, expected a number from 0")
    raise UnsupportedError(f"flow: no equation of '{problem.name}' has {rate}")


def _force(k: int, rest: list[tuple[int, sympy.Expr]], wanted: sympy.Expr, problem: Problem) -> sympy.Expr:
    """What is left of the equation that is this row of the momentum balance."""
    for _, equation in rest:
        for sign in (1, -1):
            left = sympy.expand(wanted - sign * equation)
            if not left.atoms(AppliedUndef):
                return left
    raise UnsupportedError(
        f"flow: no equation of '{problem.name}' is component {k + 1} of dt(v) + (v . grad) v + grad(p) = nu lap(v) + f"
    )
