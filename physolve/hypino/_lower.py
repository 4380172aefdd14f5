"""Lowering: a `Problem` of HyPINO's class to points and rasters in the square, and the way back to its coordinates."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points
from physolve.jets import Architecture
from physolve.nets import Expansion, GeneratedBasis
from physolve.residual import Collocation, Form
from physolve.spec import Condition, Initial, Problem

from ._affine import Affine
from ._batch import ProblemBatch
from ._class import Member, member
from ._head import own_head
from ._placement import Placement, Resolution, place
from ._pose import PosedTerms, pose


@dataclass(frozen=True, eq=False)
class Lowered:
    """A problem in the square: L[v] = f there, with u(x) = amplitude v(xi(x)).

    posed   a batch of one; points and values in float64, the raster in float32
    equation_scale, amplitude   what the equation and the unknown were divided by, see `_pose.py`
    """

    problem: Problem
    affine: Affine
    equation_scale: float
    amplitude: float
    posed: ProblemBatch

    def to_square(self, points: Points) -> Points:
        """Points of the problem in the square."""
        return self.affine.to_square(points)

    def basis(self, architecture: Architecture, weights: Float[Tensor, "networks count"]) -> GeneratedBasis:
        """The last hidden layers of generated networks and a constant, as functions of the problem's coordinates."""
        return GeneratedBasis.of(self.affine.place(architecture), weights)

    def field(
        self,
        architecture: Architecture,
        weights: Float[Tensor, "networks count"],
        head: Float[Tensor, " size"] | None = None,
    ) -> Expansion:
        """u in the problem's coordinates: amplitude times sum_j head_j h_j of the basis above (the constant last).

        Without a `head` it is the mean of the generated networks, each with its own last layer.
        """
        basis = self.basis(architecture, weights)
        head = own_head(architecture, weights[None])[0] if head is None else head
        return Expansion(basis, self.amplitude * head.detach().double()[:, None])


def lower(problem: Problem, grid: int = 64, points: int = 2048, edge: int = 1024, seed: int = 0) -> Lowered:
    """The problem in the square: `grid` nodes along each side, `points` inside, `edge` points on the boundary.

    Outside the domain the raster of the source is zero, as in the published rasters. Raises UnsupportedError with the
    reason where the problem is not in the class.
    """
    found = member(problem)
    return _lowered(found, _place(found, Resolution(grid, points, edge, seed)))


def lower_many(
    problems: Sequence[Problem], grid: int = 64, points: int = 2048, edge: int = 1024, seed: int = 0
) -> list[Lowered]:
    """Every problem lowered; those on one domain with conditions at the same places share the geometry's work.

    `stack([one.posed for one in lower_many(problems)])` is their batch.
    """
    return list(lowered_one_by_one(problems, Resolution(grid, points, edge, seed)))


def lowered_one_by_one(problems: Iterable[Problem], at: Resolution) -> Iterator[Lowered]:
    """As `lower_many`, each when it is asked for."""
    members: dict[Hashable, Member] = {}
    placements: dict[Hashable, Placement] = {}
    for problem in problems:
        asked, places = _asked(problem), _places(problem)
        found = member(problem, like=members.get(asked))
        members.setdefault(asked, found)
        if places not in placements:
            placements[places] = _place(found, at)
        yield _lowered(found, placements[places])


def lower_sweep(
    problem: Problem,
    values: Float[Tensor, "batch parameters"],
    grid: int = 64,
    points: int = 2048,
    edge: int = 1024,
    seed: int = 0,
) -> list[Lowered]:
    """One problem for many values of its parameters (in the order of `problem.parameters`), read only once.

    Parameters may stand in coefficients, source and conditions. Raises UnsupportedError like `lower`.
    """
    table = [tuple(row) for row in torch.as_tensor(values, dtype=torch.float64).tolist()]
    if not table:
        return []
    found = member(problem, table[0])
    placement = _place(found, Resolution(grid, points, edge, seed))
    return [_lowered(Member(found.collocation, row), placement) for row in table]


def place_of(
    collocation: Collocation, conditions: Sequence[tuple[Condition, tuple[Form, ...]]], at: Resolution
) -> Placement:
    """The points of these conditions: those with derivatives are Neumann's, the others Dirichlet's."""
    kinds = [(any(f.order == 0 for f in forms), any(f.order > 0 for f in forms)) for _, forms in conditions]
    return place(collocation, [condition for condition, _ in conditions], kinds, at)


def _place(found: Member, at: Resolution) -> Placement:
    return place_of(found.collocation, found.conditions, at)


def _has_velocity(condition: Any) -> bool:
    return isinstance(condition, Initial) and condition.velocity is not None


def _places(problem: Problem) -> Hashable:
    """Equal for problems that can share a placement."""
    conditions = tuple((type(c), c.on, _has_velocity(c)) for c in problem.conditions)
    return problem.coordinates, problem.domain, conditions


def _asked(problem: Problem) -> Hashable:
    """Equal for problems that can share what is made of their conditions."""
    return problem.coordinates, problem.unknowns, problem.parameters, problem.conditions


def _lowered(found: Member, placement: Placement) -> Lowered:
    terms = PosedTerms(_coefficients(found), found.equation, tuple(f for _, f in found.conditions), found.parameters)
    batch, scale, size = pose(terms, placement)
    return Lowered(found.problem, placement.affine, scale, size, batch)


def _coefficients(found: Member) -> dict[tuple[int, ...], float]:
    """The equation's coefficients, which are the same everywhere: plain numbers, else taken at one point."""
    slopes = dict(zip(found.equation.atoms, found.equation.slopes, strict=True))
    if not any(slope.free_symbols for slope in slopes.values()):
        return {atom.orders: float(slope) for atom, slope in slopes.items() if slope != 0}
    point = torch.tensor([Affine.around(found.problem.domain).center], dtype=torch.float64)
    state = {atom: point.new_zeros(1) for atom in found.equation.atoms}
    local = found.equation.linearize(point, None, state, found.parameters)
    return {atom.orders: float(slope) for atom, slope in local.slopes.items() if float(slope)}
