"""The map of a domain's bounding box to the square of the hypernetwork, and what it does to derivatives.

xi_k = (x_k - center_k) / half_k,        d^alpha / dx^alpha = half^-alpha d^alpha / dxi^alpha
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.jets import Architecture, MultiIndex
from physolve.spec import Shape


@dataclass(frozen=True)
class Affine:
    """[center - half, center + half] onto [-1, 1]^dim."""

    center: tuple[float, ...]
    half: tuple[float, ...]

    @classmethod
    def around(cls, domain: Shape) -> "Affine":
        """The map of the domain's bounding box."""
        lower, upper = domain.bounds
        return cls(tuple(((lower + upper) / 2).tolist()), tuple(((upper - lower) / 2).tolist()))

    def to_square(self, points: Points) -> Points:
        """Points of the problem in the square."""
        return (points - points.new_tensor(self.center)) / points.new_tensor(self.half)

    def from_square(self, points: Points) -> Points:
        """Points of the square in the problem's coordinates, never outside the box by rounding."""
        center, half = points.new_tensor(self.center), points.new_tensor(self.half)
        return (center + points * half).clamp(center - half, center + half)

    def factor(self, orders: MultiIndex) -> float:
        """half^-alpha: d^alpha in the problem's coordinates is this times d^alpha in the square."""
        return 1 / prod(h**order for h, order in zip(self.half, orders, strict=True))

    def operator(self, coefficients: Mapping[MultiIndex, float]) -> dict[MultiIndex, float]:
        """The coefficients of a differential operator with constant coefficients, seen from the square."""
        return {orders: value * self.factor(orders) for orders, value in coefficients.items()}

    def normals(self, normals: Points) -> Points:
        """Unit normals of a curve, seen from the square: gradients of a level set, so half * n up to length."""
        mapped = normals * normals.new_tensor(self.half)
        return mapped / mapped.norm(dim=1, keepdim=True)

    def slopes(self, directions: Points, values: Column) -> tuple[Points, Column]:
        """b . grad_x u = g as nu . grad_xi u = h: nu = (b / half) / |b / half| and h = g / |b / half|.

        Where the box is no square and b is not along an axis, nu is not the normal of the mapped curve although b is
        that of the curve: a Neumann condition becomes one on an oblique derivative.
        """
        mapped = directions / directions.new_tensor(self.half)
        length = mapped.norm(dim=1)
        return mapped / length[:, None], values / length

    def lengths(self, normals: Points) -> Float[Tensor, " n"]:
        """By how much a curve with these unit normals (n, 2) is stretched along itself."""
        tangents = normals.flip(1) / normals.new_tensor(self.half)
        return tangents.norm(dim=1)

    def place(self, architecture: Architecture) -> Architecture:
        """A network of the square as a network of the problem's coordinates, with the same weights."""
        inner = zip(architecture.center, architecture.slope, self.center, self.half, strict=True)
        moved = [(c + h * center, slope / h) for center, slope, c, h in inner]
        center, slope = zip(*moved, strict=True)
        return replace(architecture, center=center, slope=slope)
