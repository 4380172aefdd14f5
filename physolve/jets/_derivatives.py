"""One entry point for derivatives of any order: jets up to the second, nested forward differentiation above."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from ._jet import Jet
from ._layout import JetLayout, MultiIndex, directions_of

PointFunction = Callable[[Tensor], Tensor]


@runtime_checkable
class JetNetwork(Protocol):
    """A function of points that also knows its jets."""

    def __call__(self, points: Tensor, /) -> Tensor: ...

    def jet(self, points: Tensor, layout: JetLayout, /) -> Jet: ...


def derivatives(
    network: PointFunction | JetNetwork,
    points: Float[Tensor, "*batch n dim"],
    multi_indices: Sequence[MultiIndex],
) -> dict[MultiIndex, Float[Tensor, "*batch n channels"]]:
    """Derivatives of `network` (points (..., n, dim) -> (..., n, channels), each point by itself) at
    `points`.

    `multi_indices` give the orders per coordinate, e.g. (2, 1) for d3/dx2dy; (0, ..., 0) is the value.
    Up to total order 2 a `JetNetwork` uses its jets; else nested torch.func.jvp, exact for any order, slower.
    Both are differentiable in weights and points. Raises ValueError for orders that do not fit the points.
    """
    dim = points.shape[-1]
    wanted = tuple(tuple(orders) for orders in multi_indices)
    order = max((len(directions_of(orders, dim)) for orders in wanted), default=0)
    if order <= 2 and isinstance(network, JetNetwork):
        jet = network.jet(points, JetLayout.of(dim, wanted))
        return {orders: jet.derivative(orders) for orders in wanted}
    return nested_derivatives(network, points, wanted)


def nested_derivatives(
    network: PointFunction, points: Float[Tensor, "*batch n dim"], multi_indices: Sequence[MultiIndex]
) -> dict[MultiIndex, Float[Tensor, "*batch n channels"]]:
    """The exact path for any order: one forward-mode sweep nested in the next, 2^order evaluations an
    index."""
    dim = points.shape[-1]
    result = {}
    for orders in multi_indices:
        function = network
        for axis in directions_of(orders, dim):
            function = _along(function, axis)
        result[tuple(orders)] = function(points)
    return result


def _along(function: PointFunction, axis: int) -> PointFunction:
    def derivative(points: Tensor) -> Tensor:
        direction = torch.zeros_like(points)
        direction[..., axis] = 1
        return torch.func.jvp(function, (points,), (direction,))[1]

    return derivative
