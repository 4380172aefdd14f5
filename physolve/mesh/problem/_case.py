"""A stated flow on a mesh as the beginning of a rollout."""

from collections.abc import Mapping

import numpy as np
import sympy
from jaxtyping import Float
from numpy.typing import NDArray

from physolve.errors import SpecificationError, UnsupportedError
from physolve.spec import Initial, stated_values

from ..rollout import Case
from ._boundary import boundary_types, boundary_values, evaluated
from ._flow import StatedFlow

VELOCITY, PRESSURE = "velocity", "pressure"
"""Names of the fields, whatever the problem calls its unknowns."""


def flow_case(
    flow: StatedFlow, points: Float[np.ndarray, "n dim"], cells: Mapping[str, NDArray[np.integer]], dt: float
) -> Case:
    """The flow from its initial state on, in steps of `dt`: known nodes take the values of the conditions at every
    time; the truth is the exact solution where the problem has one.

    Raises SpecificationError for a problem without an initial velocity, UnsupportedError for one with a force, and as
    `boundary_types`.
    """
    _refuse_force(flow)
    types = boundary_types(flow, points, cells)
    given = boundary_values(flow, points, types)
    instant, steps = flow.begin, int((flow.end - flow.begin) / dt + 1e-9)

    def known(step: int) -> dict[str, NDArray[np.floating]]:
        values = np.zeros_like(points)
        for expressions, nodes in given.items():
            values[nodes] = evaluated(expressions, flow, points[nodes], instant + step * dt)
        return {VELOCITY: values}

    exact = _exact(flow)
    start = {} if exact is None else dict(_fields(exact, flow, points, instant))
    start[VELOCITY] = evaluated(_initial(flow), flow, points, instant)
    return Case(
        name=flow.problem.name or "flow",
        points=points,
        cells=cells,
        node_type=types,
        start=start,
        known=known,
        truth=None if exact is None else (lambda step: _fields(exact, flow, points, instant + step * dt)),
        steps=0 if exact is None else steps,
        time=instant,
    )


def _initial(flow: StatedFlow) -> tuple[sympy.Expr, ...]:
    stated = stated_values(flow.problem.conditions, Initial)
    missing = [u for u in flow.velocity if u not in stated]
    if missing:
        raise SpecificationError(f"flow: no initial condition gives {missing[0]}; state one, at rest for example")
    return tuple(stated[u] for u in flow.velocity)


def _refuse_force(flow: StatedFlow) -> None:
    if any(f != 0 for f in flow.force):
        raise UnsupportedError(
            f"flow: the momentum equation has the force ({', '.join(map(str, flow.force))}), which simulators do not"
            " know of; expected none: take the potential of one that has it into the pressure"
        )


def _exact(flow: StatedFlow) -> tuple[sympy.Expr, ...] | None:
    """Of velocity and pressure, where the problem has all."""
    exact, unknowns = flow.problem.exact or {}, (*flow.velocity, flow.pressure)
    return tuple(exact[u] for u in unknowns) if all(u in exact for u in unknowns) else None


def _fields(
    exact: tuple[sympy.Expr, ...], flow: StatedFlow, points: NDArray[np.floating], time: float
) -> dict[str, NDArray[np.floating]]:
    values = evaluated(exact, flow, points, time)
    return {VELOCITY: values[:, :-1], PRESSURE: values[:, -1]}
