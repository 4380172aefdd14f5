"""Which problems are in HyPINO's class, and the reason why one is not.

The class: one scalar unknown of two coordinates (of the plane, or of a line and time); one linear equation of order
2 at most with constant coefficients and without u_xy; Dirichlet, Neumann and initial conditions on the boundary.
"""

from dataclasses import dataclass

import sympy

from physolve.errors import UnsupportedError
from physolve.jets import MultiIndex
from physolve.residual import Collocation, Form
from physolve.spec import Condition, Dirichlet, Initial, Interface, Neumann, Periodic, Problem, Shape

CONDITIONS = (Dirichlet, Neumann, Initial)
NEAREST = "physolve.hypino.frozen gives the nearest problem of the class"
OTHERS = "physolve.solve has methods for it that need no hypernetwork"


@dataclass(frozen=True, eq=False)
class Member:
    """A problem with its equation and conditions as forms, found to be in the class.

    `parameters` are the values given to the problem's parameters, in their order.
    """

    collocation: Collocation
    parameters: tuple[float, ...] = ()

    @property
    def problem(self) -> Problem:
        return self.collocation.problem

    @property
    def equation(self) -> Form:
        return self.collocation.equations[0]

    @property
    def conditions(self) -> tuple[tuple[Condition, tuple[Form, ...]], ...]:
        return self.collocation.conditions


def why_not(problem: Problem) -> str | None:
    """Why the problem is not in HyPINO's class, in one line; None if it is."""
    try:
        member(problem)
    except UnsupportedError as error:
        return str(error)
    return None


def member(problem: Problem, parameters: tuple[float, ...] = (), like: Member | None = None) -> Member:
    """The problem as a member of the class, sharing the work on conditions with one that has the same.

    Raises UnsupportedError with the reason why it is not one.
    """
    check_frame(problem, parameters)
    collocation = Collocation(problem)
    found = Member(collocation if like is None else collocation.sharing(like.collocation), parameters)
    _check_equation(found)
    if not problem.conditions:
        raise UnsupportedError(
            f"hypino: no condition on the boundary; add one, for instance Dirichlet(u, 0), or {OTHERS}"
        )
    for index, condition in enumerate(problem.conditions, 1):
        _check_condition(f"condition {index} ({condition.kind})", problem, condition)
    return found


def check_frame(problem: Problem, parameters: tuple[float, ...]) -> None:
    """One equation for one unknown of two coordinates, and no parameter without a value."""
    names = ", ".join(str(u.func) for u in problem.unknowns)
    if len(problem.unknowns) != 1 or len(problem.equations) != 1:
        raise UnsupportedError(
            f"hypino: {len(problem.equations)} equations for the unknowns {names}, the class has one for one; {OTHERS}"
        )
    if len(problem.coordinates) != 2:
        coordinates = ", ".join(c.name for c in problem.coordinates)
        raise UnsupportedError(f"hypino: {names} depends on {coordinates}, the class has two coordinates; {OTHERS}")
    if len(parameters) != len(problem.parameters):
        unknown = ", ".join(p.name for p in problem.parameters)
        raise UnsupportedError(
            f"hypino: got {len(parameters)} values for the parameters ({unknown}); inverse problems are not in the "
            f"class: give values to physolve.hypino.lower_sweep, or else {OTHERS}"
        )


def check_orders(orders: MultiIndex) -> None:
    """Derivatives that a problem of the class may hold. Raises UnsupportedError for others."""
    if sum(orders) > 2:
        raise UnsupportedError(
            f"hypino: equation 1 holds a derivative of order {sum(orders)}, the class ends at 2; {OTHERS}"
        )


def _check_equation(found: Member) -> None:
    problem, form = found.problem, found.equation
    slopes: list[sympy.Expr] = [sympy.expand(slope) for slope in form.slopes]
    for atom, slope in zip(form.atoms, slopes, strict=True):
        check_orders(atom.orders)
        if atom.orders == (1, 1) and not slope.is_zero:
            mixed = "u_" + "".join(c.name for c in problem.coordinates)
            raise UnsupportedError(
                f"hypino: equation 1 holds the mixed derivative {mixed}, the class has none; turn the coordinates so "
                f"that it vanishes, or else {OTHERS}"
            )
        if slope.free_symbols & set(form.placeholders):
            raise UnsupportedError(f"hypino: equation 1 is not linear in the unknown; {NEAREST}")
        if slope.free_symbols & set(problem.coordinates):
            raise UnsupportedError(f"hypino: equation 1 has the coefficient {slope}, which is not constant; {NEAREST}")


def _check_condition(name: str, problem: Problem, condition: Condition) -> None:
    if not isinstance(condition, CONDITIONS):
        advice = OTHERS if isinstance(condition, (Periodic, Interface)) else NEAREST
        raise UnsupportedError(f"hypino: {name}: the class has Dirichlet, Neumann and initial conditions; {advice}")
    given = [condition.value, *([condition.velocity] if isinstance(condition, Initial) else [])]
    if any(value is not None and value.has(problem.unknowns[0]) for value in given):
        raise UnsupportedError(f"hypino: {name}: its value depends on the unknown; {NEAREST}")
    check_place(name, problem, condition)


def check_place(name: str, problem: Problem, condition: Condition) -> None:
    """Raises UnsupportedError for a condition on a curve inside the domain."""
    items = condition.on if isinstance(condition.on, tuple) else (condition.on,)
    domain = problem.domain
    for item in items:
        named = isinstance(item, str) and item in domain.interfaces
        if named or (isinstance(item, Shape) and _runs_inside(domain, item)):
            raise UnsupportedError(
                f"hypino: {name}: it holds on a curve inside the domain, the class has conditions on the boundary "
                f"only; {OTHERS}"
            )


def _runs_inside(domain: Shape, curve: Shape) -> bool:
    points = domain.sample_boundary(4, on=curve).points
    return bool((domain.signed_distance(points) < -1e-6 * domain.size).any())
