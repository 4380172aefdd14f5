"""What a flow's conditions give of the velocity, node by node, and which conditions simulators cannot know of."""

from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from physolve.errors import SpecificationError, UnsupportedError
from physolve.spec import (
    BoundaryEquation,
    Condition,
    Dirichlet,
    Initial,
    Interface,
    Neumann,
    Periodic,
    Unbounded,
    Wall,
    condition_label,
    holds_at,
    stated_values,
)

from ..data import nodes_on_part
from ._flow import StatedFlow

REST, OPEN = 0, -1
EVERYWHERE = ("boundary", "walls")
"""What spaces, and their products with time, call their whole boundary."""


@dataclass(frozen=True, eq=False)
class Given:
    """Components of the velocity at nodes.

    values    expressions of the coordinates; the first is zero
    chosen    which of them a component takes at a node, OPEN where none is given
    """

    values: tuple[sympy.Expr, ...]
    chosen: Int[np.ndarray, "n dim"]

    @property
    def whole(self) -> Bool[np.ndarray, " n"]:
        """Where all components are given."""
        return (self.chosen != OPEN).all(1)

    @property
    def rests(self) -> Bool[np.ndarray, " n"]:
        """Where all are zero at all times."""
        return (self.chosen == REST).all(1)


def given_velocity(flow: StatedFlow, points: Float[np.ndarray, "n dim"], outline: Bool[np.ndarray, " n"]) -> Given:
    """What the Dirichlet conditions give at the nodes of the outline, whether as vectors or component by component.

    Of a component that is given twice, zero counts, else the last. Raises SpecificationError where no node lies on a
    condition's part.
    """
    numbers: dict[sympy.Expr, int] = {sympy.S.Zero: REST}
    chosen = np.full(points.shape, OPEN)
    for count, condition in enumerate(flow.problem.conditions, 1):
        if not isinstance(condition, Dirichlet) or not _velocity(flow, condition):
            continue
        here = _nodes(flow, points, outline, condition.on, condition_label(count, condition))
        for u, value in stated_values([condition], Dirichlet).items():
            if u in flow.velocity:
                column = chosen[:, flow.velocity.index(u)]
                number = numbers.setdefault(sympy.S.Zero if value.is_zero else value, len(numbers))
                column[here & (column != REST)] = number
    return Given(tuple(numbers), chosen)


def refuse_unknown(flow: StatedFlow) -> None:
    """Raises UnsupportedError for conditions that node types and given velocities do not express."""
    for count, condition in enumerate(flow.problem.conditions, 1):
        if not _known(flow, condition):
            raise UnsupportedError(
                f"flow: {condition_label(count, condition)} is nothing that simulators know of; expected the velocity"
                " at walls and inflow, and where it flows out at most a stress or a slope of zero"
            )
    pressures = {
        value
        for condition in flow.problem.conditions
        for u, value in stated_values([condition], Dirichlet).items()
        if u == flow.pressure
    }
    if len(pressures) > 1:
        raise UnsupportedError(
            f"flow: the pressure is given as {' and '.join(sorted(map(str, pressures)))}, and simulators do not know"
            " what pressure drives a flow; expected one value, and the velocity at the inflow"
        )


def _known(flow: StatedFlow, condition: Condition) -> bool:
    """Whether a condition is said by types and values of nodes, or changes nothing that is predicted."""
    match condition:
        case Initial() | Dirichlet():
            return True
        case Periodic() | Unbounded() | Interface():
            return False
        case Neumann():
            return not _velocity(flow, condition) or bool(sympy.Matrix([condition.value]).is_zero_matrix)
        case BoundaryEquation():
            sides = [side for equation in condition.equation for side in (equation.lhs, equation.rhs)]
            return not any(_itself(side).has(*flow.velocity) for side in sides)
    return not _velocity(flow, condition)


def _itself(side: sympy.Expr) -> sympy.Expr:
    """Without derivatives."""
    return side.xreplace(dict.fromkeys(side.atoms(sympy.Derivative), sympy.S.Zero))


def _velocity(flow: StatedFlow, condition: Condition) -> bool:
    return any(u in flow.velocity for u in condition.unknowns())


def _nodes(
    flow: StatedFlow, points: NDArray[np.floating], outline: NDArray[np.bool_], on: object, item: str
) -> Bool[np.ndarray, " n"]:
    """Which nodes a condition holds at."""
    here = np.zeros(len(points), dtype=bool)
    edge = np.flatnonzero(outline)
    for each in on if isinstance(on, tuple) else (on,):
        if isinstance(each, str) and each not in EVERYWHERE:
            here[edge[nodes_on_part(flow.space, each, points[edge])]] = True
        else:
            where, instant = None if isinstance(each, str) else each, np.full((len(edge), 1), flow.begin)
            here[edge[holds_at(flow.problem, where, Wall((), np.hstack([points[edge], instant])), item)]] = True
    if not here.any():
        raise SpecificationError(f"flow: no node of the mesh lies where {item} holds; is the mesh of this domain?")
    return here
