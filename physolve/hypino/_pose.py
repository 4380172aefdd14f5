"""A problem's numbers at the points of a placement, in the square, brought into the range of the training.

The equation is divided by `equation_scale`, the unknown by `amplitude`; see `equation_scale` and `amplitude`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.errors import UnsupportedError
from physolve.jets import MultiIndex
from physolve.nets import Field, JetAtom
from physolve.residual import Form

from ._affine import Affine
from ._batch import LAYOUT, Boundary, ProblemBatch
from ._placement import Edge, Placement

LARGEST = 2.0
"""Coefficients of the training are U(-2, 2)."""

SMALL, LARGE = 0.05, 20.0
"""Data of a size in between are left as they are: those of the training are there, and of all published problems."""

SOURCE = 10.0
"""A source this large counts as much as a value of 1: the standard deviation of the training's constant sources."""


@dataclass(frozen=True, eq=False)
class PosedTerms:
    """sum_alpha coefficients[alpha] d^alpha u = f, what `equation` says near `state`, and the forms of the conditions.

        f = sum_alpha coefficients[alpha] d^alpha state - F(state)

    For a member of the class `state` is zero (None) and this is the equation itself.
    """

    coefficients: Mapping[MultiIndex, float]
    equation: Form
    conditions: tuple[tuple[Form, ...], ...]
    parameters: tuple[float, ...] = ()
    state: Field | None = None

    def source(self, points: Points) -> Column:
        """f at points in the problem's coordinates."""
        atoms = tuple(dict.fromkeys((*self.equation.atoms, *(JetAtom(0, alpha) for alpha in self.coefficients))))
        state = values_of(self.state, points, atoms)
        constant = -self.equation.residual(points, None, state, self.parameters)
        return constant + sum(c * state[JetAtom(0, alpha)] for alpha, c in self.coefficients.items())


class Asked(NamedTuple):
    """What is asked at the points of an edge, in the square; None where nothing is."""

    normals: Points
    dirichlet: Column | None
    neumann: Column | None


class Posed(NamedTuple):
    """A batch of one problem, and what equation and unknown were divided by."""

    batch: ProblemBatch
    equation_scale: float
    amplitude: float


def equation_scale(coefficients: Mapping[MultiIndex, float]) -> float:
    """The number by which an equation in the square is divided; its sign is kept.

    The coefficient of the highest derivative in y (of u_yy, else u_y; of x, if there is none in y) becomes 1; where
    another is then larger than LARGEST, that one becomes LARGEST. This is what the seven published problems have.
    """
    sizes = {orders: abs(value) for orders, value in coefficients.items() if value}
    leading = next(sizes[orders] for orders in ((0, 2), (0, 1), (2, 0), (1, 0), (0, 0)) if orders in sizes)
    return max(leading, max(sizes.values()) / LARGEST)


def amplitude(source: Column, values: Sequence[Tensor]) -> float:
    """The number by which the unknown is divided: 1, or the size of the data where that is SMALL or LARGE.

    The size is the largest value on the boundary or the largest source over SOURCE. The problem is linear, but the
    hypernetwork is not: it knows data of ordinary size only.
    """
    size = max(float(v.abs().max()) for v in (source / SOURCE, *values))
    return 1.0 if size == 0 or SMALL <= size <= LARGE else size


def values_of(field: Field | None, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
    """Derivatives of a field, of zero for None."""
    if field is None:
        return {atom: points.new_zeros(len(points)) for atom in atoms}
    return field.derivatives(points, atoms)


def pose(terms: PosedTerms, placement: Placement) -> Posed:
    """The problem of these terms at the points of a placement.

    Raises UnsupportedError where data are not finite, or a condition says nothing.
    """
    affine = placement.affine
    inner, nodes = terms.source(torch.cat([placement.interior, placement.nodes])).split(
        [len(placement.interior), len(placement.nodes)]
    )
    asked = [ask(forms, edge, affine, terms) for forms, edge in zip(terms.conditions, placement.edges, strict=True)]
    operator = affine.operator(terms.coefficients)
    scale = equation_scale(operator)
    values = [v for each in asked for v in (each.dirichlet, each.neumann) if v is not None]
    _check_finite(inner, values)
    size = amplitude(inner / scale, values)
    boundary = _boundary(asked, placement, size)
    batch = ProblemBatch(
        coefficients=torch.tensor([[operator.get(o, 0.0) / scale for o in LAYOUT.multi_indices]], dtype=torch.float64),
        raster=_raster(asked, nodes / scale, placement, size),
        inside=placement.inside.reshape(1, placement.grid, placement.grid),
        interior=affine.to_square(placement.interior)[None],
        source=inner[None] / (scale * size),
        boundary=boundary,
    )
    return Posed(batch, scale, size)


def ask(forms: Sequence[Form], edge: Edge, affine: Affine, terms: PosedTerms) -> Asked:
    """What the forms of one condition ask at the points of its edge: a value, a slope, or both.

    A form is linearised at the state; if it holds derivatives, its share of the unknown itself is held at the state.
    """
    normals, dirichlet, neumann = affine.normals(edge.normals), None, None
    for form in forms:
        state = values_of(terms.state, edge.points, form.atoms)
        local = form.linearize(edge.points, edge.normals, state, terms.parameters)
        moving = {atom: slope for atom, slope in local.slopes.items() if sum(atom.orders)}
        if not moving:
            (atom, slope), *_ = local.slopes.items()
            dirichlet = state[atom] - local.value / slope
            continue
        direction = torch.stack([moving.get(JetAtom(0, o), torch.zeros_like(local.value)) for o in ((1, 0), (0, 1))], 1)
        value = sum(slope * state[atom] for atom, slope in moving.items()) - local.value
        # Slopes are asked along the outward normal: an initial velocity along -t.
        outward = torch.where((direction * edge.normals).sum(1) < 0, -1.0, 1.0).double()
        if not bool((direction.norm(dim=1) > 0).all()):
            raise UnsupportedError(f"hypino: {form.name}: at some points of its part of the boundary it says nothing")
        normals, neumann = affine.slopes(direction * outward[:, None], value * outward)
    return Asked(normals, dirichlet, neumann)


def _check_finite(source: Column, values: Sequence[Tensor]) -> None:
    if not bool(source.isfinite().all()):
        raise UnsupportedError("hypino: the source of equation 1 is not finite at some points of the domain")
    if not all(bool(v.isfinite().all()) for v in values):
        raise UnsupportedError("hypino: a value on the boundary is not finite at some of its points")


def _boundary(asked: Sequence[Asked], placement: Placement, size: float) -> Boundary:
    rows = placement.posed
    points = torch.cat([edge.points for edge in placement.edges])
    dirichlet, on_dirichlet = _column([a.dirichlet for a in asked], placement.edges)
    neumann, on_neumann = _column([a.neumann for a in asked], placement.edges)
    return Boundary(
        points=placement.affine.to_square(points[rows])[None],
        normals=torch.cat([a.normals for a in asked])[rows][None],
        dirichlet=dirichlet[rows][None] / size,
        on_dirichlet=on_dirichlet[rows][None],
        neumann=neumann[rows][None] / size,
        on_neumann=on_neumann[rows][None],
    )


def _column(values: Sequence[Tensor | None], edges: Sequence[Edge]) -> tuple[Column, Tensor]:
    """The values of all edges one after the other, zero where there are none, and where there are."""
    some = [torch.zeros(len(e.points)).double() if v is None else v for v, e in zip(values, edges, strict=True)]
    used = [torch.full((len(e.points),), v is not None) for v, e in zip(values, edges, strict=True)]
    return torch.cat(some), torch.cat(used)


def _raster(asked: Sequence[Asked], source: Column, at: Placement, size: float) -> Float[Tensor, "1 5 grid grid"]:
    """The five channels in float32. A node on the boundary where the source is not finite counts as outside."""
    raster = torch.zeros(5, at.grid**2, dtype=torch.float64)
    for k, (drawn, values) in enumerate(
        ((at.dirichlet, [a.dirichlet for a in asked]), (at.neumann, [a.neumann for a in asked]))
    ):
        raster[k, drawn.nodes] = 1
        raster[2 + k, drawn.nodes] = _column(values, at.edges)[0][drawn.nearest] / size
    raster[4, at.inside] = torch.nan_to_num(source / size, nan=0.0, posinf=0.0, neginf=0.0)
    return raster.float().reshape(1, 5, at.grid, at.grid)
