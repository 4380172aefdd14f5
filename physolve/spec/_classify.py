"""What kind of problem this is: order, linearity, type, and how strong convection is.

The type is that of the equations linearised and frozen at points of the domain (`_frozen`), where plane waves tell
(`_plane_waves`); for a nonlinear problem around a state of the size that the conditions suggest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ._atoms import Linearisation, linearise
from ._data import grid_data_of
from ._frozen import frozen_matrices, linearised
from ._peclet import peclet_number
from ._plane_waves import evolution_kind, stationary_kind, wave_types

if TYPE_CHECKING:
    from ._problem import Problem

Kind: TypeAlias = Literal["elliptic", "parabolic", "hyperbolic", "mixed", "ordinary", "other"]

DOMINATED = 50.0
"""Péclet number from which convection is called dominant: layers thinner than 2 % of the domain."""


@dataclass(frozen=True)
class Classification:
    """The class of a problem.

    - `order`: highest order of a derivative; `time_order`: of a time derivative.
    - `linear`: equations and conditions are affine in all unknowns together (parameters count as known).
    - `constant_coefficients`: linear, and no coefficient depends on a coordinate or on data.
    - `kind`: "mixed" when the type changes within the domain or between the fields; "ordinary" with derivatives along
      one coordinate only; "other" for what is none of these (dispersive equations, for one).
    - `peclet`: |b| L / (diffusion), L the largest extent in space, at its largest; infinite for pure
      transport, None where nothing is convected.
    """

    order: int
    linear: bool
    constant_coefficients: bool
    kind: Kind
    time_dependent: bool
    convection_dominated: bool
    peclet: float | None
    time_order: int = 0


def classify(problem: Problem) -> Classification:
    """The class of a problem; the type is judged at two dozen points of the domain."""
    parts = linearised(problem)
    atoms = {a for part in parts for a in part.coefficients}
    linear = all(p.linear for p in parts)
    peclet = peclet_number(problem, parts)
    coordinates = set(problem.coordinates)
    coefficients = [c for p in parts for c in p.coefficients.values()]
    return Classification(
        order=max((a.order for a in atoms), default=0),
        linear=linear and _conditions_linear(problem),
        constant_coefficients=linear and not any(c.free_symbols & coordinates or grid_data_of(c) for c in coefficients),
        kind=_kind(problem, parts),
        time_dependent=problem.time is not None,
        convection_dominated=peclet is not None and peclet >= DOMINATED,
        peclet=peclet,
        time_order=max((a.orders[-1] for a in atoms), default=0) if problem.time is not None else 0,
    )


def grows(problem: Problem) -> bool:
    """Whether short waves grow without bound in time with nothing to balance them: an ill-posed evolution."""
    if problem.time is None or not problem.space or len(problem.equations) != len(problem.unknowns):
        return False
    some = frozen_matrices(problem, linearised(problem))[:6]
    return any(wave_types(m, len(problem.coordinates)) == {"growing"} for m in some)


def _conditions_linear(problem: Problem) -> bool:
    expressions = [e for c in problem.conditions for e in c.equations(problem.coordinates)]
    return all(linearise(e, problem.unknowns, problem.coordinates).linear for e in expressions)


def _kind(problem: Problem, parts: tuple[Linearisation, ...]) -> Kind:
    used = {k for p in parts for a in p.coefficients for k, order in enumerate(a.orders) if order}
    if len(used) <= 1:
        return "ordinary"
    if len(problem.equations) != len(problem.unknowns):
        return "other"
    frozen = frozen_matrices(problem, parts)
    if problem.time is None or len(problem.coordinates) - 1 not in used:
        kinds = {stationary_kind(m, len(problem.coordinates)) for m in frozen}
    else:
        kinds = {evolution_kind(wave_types(m, len(problem.coordinates))) for m in frozen}
    kinds.discard("degenerate")
    if len(kinds) == 1:
        return kinds.pop()  # type: ignore[return-value]
    return "mixed" if kinds else "other"
