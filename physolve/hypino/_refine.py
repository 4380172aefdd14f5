"""Iterative refinement: the network is asked again, for what its answer leaves of equation and conditions.

    D = g - u,  N = h - du/dn,  r = f - L u;   u <- u + du,  du the answer to (D, N, r) with the same operator

(2509.05117, section 4). There u may get worse. Here a step is kept only where the residual falls at points that the
least squares did not see, and how much of the answer is added is found by least squares: of one number (the problem is
linear, so the best step length has a closed form), of the new functions, or of all functions generated so far.
"""

import dataclasses

import torch
from jaxtyping import Float
from torch import Tensor

from ._answer import Answer
from ._batch import LAYOUT, ProblemBatch
from ._head import SLOPES
from ._raster import draw, grid_nodes


def remainder(batch: ProblemBatch, answer: Answer) -> ProblemBatch:
    """The problem that the error of an answer solves, posed at the same points and drawn on the same grid."""
    n = batch.raster.shape[-1]
    edge, c = batch.boundary, batch.coefficients
    nodes = grid_nodes(n, c.dtype, c.device).reshape(1, -1, 2).expand(len(batch), -1, -1)
    applied = torch.einsum("br,brn->bn", c, answer.jet(torch.cat([batch.interior, nodes], 1), LAYOUT))
    at_points, at_nodes = applied.split([batch.interior.shape[1], nodes.shape[1]], 1)
    trace = answer.jet(edge.points, SLOPES)
    left = dataclasses.replace(
        edge,
        dirichlet=torch.where(edge.on_dirichlet, edge.dirichlet - trace[:, 0], 0),
        neumann=torch.where(edge.on_neumann, edge.neumann - (edge.normals * trace[:, 1:].mT).sum(-1), 0),
    )
    source = torch.where(batch.inside, batch.raster[:, 4] - at_nodes.unflatten(1, (n, n)), 0)
    return dataclasses.replace(
        batch,
        raster=torch.cat([batch.raster[:, :2], *_drawn(left.points, left, n), source[:, None]], 1),
        source=batch.source - at_points,
        boundary=left,
        labels=None,
    )


def _drawn(points: Float[Tensor, "batch edge 2"], edge, n: int) -> list[Tensor]:
    """Channels of the values on the boundaries."""
    dirichlet = draw(points, edge.dirichlet, edge.on_dirichlet, n).values
    neumann = draw(points, edge.neumann, edge.on_neumann, n).values
    return [dirichlet[:, None], neumann[:, None]]
