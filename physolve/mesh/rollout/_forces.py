"""What a flow does to an obstacle, and how far it is from free of divergence, from the fields at the nodes."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray

from physolve.errors import SpecificationError

from .._cells import mesh_edges
from .._facets import boundary_facets
from .._node_types import NodeType
from ..operators import NodeGradient, least_squares_gradient

BODIES = (NodeType.OBSTACLE, NodeType.AIRFOIL)


class Forces:
    """The force of a flow on the obstacles of a mesh, over the density: the sum over their nodes of

        (p - nu (grad v + grad v^T)) N,   N = the node's share of the surface, with the normal out of the fluid,

    gradients by least squares of degree 2, one-sided at the surface: errors O(h^2). p is the pressure over the density,
    nu the kinematic viscosity. The first component is the drag where the flow comes along x, the second the lift; in
    2-D per unit of depth.

    Raises SpecificationError for a mesh without obstacle.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "n dim"],
        cells: Mapping[str, NDArray[np.integer]],
        node_type: Int[np.ndarray, " n"],
        viscosity: float,
    ) -> None:
        shares = surface_shares(points, cells, np.isin(node_type, BODIES))
        if not shares.any():
            raise SpecificationError(
                "forces: got a mesh without obstacle, expected nodes of type 1 or 2 on its boundary"
            )
        self.viscosity = viscosity
        self.shares = torch.from_numpy(shares)
        self.gradient: NodeGradient = least_squares_gradient(points, mesh_edges(cells, len(points)), degree=2)

    def __call__(
        self, velocity: Float[np.ndarray, "n dim"], pressure: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " dim"]:
        v, p = torch.from_numpy(np.asarray(velocity, dtype=float)), torch.from_numpy(np.asarray(pressure, dtype=float))
        slopes = self.gradient(v)
        strain = slopes + slopes.mT
        traction = p[:, None] * self.shares - self.viscosity * (strain @ self.shares[..., None])[..., 0]
        return traction.sum(0).numpy()


def surface_shares(
    points: Float[np.ndarray, "n dim"], cells: Mapping[str, NDArray[np.integer]], body: NDArray[np.bool_]
) -> Float[np.ndarray, "n dim"]:
    """Of the boundary facets whose corners all belong to a body: normal times area, outward, shared by the corners."""
    dim, shares = points.shape[1], np.zeros_like(points, dtype=float)
    for facets, owners in boundary_facets(cells):
        corners = facets[:, : {2: 2}.get(dim, 3 if facets.shape[1] in (3, 6) else 4)]
        here = body[corners].all(1)
        corners, owner = corners[here], owners[here]
        normal = _normals(points[corners])
        outward = points[corners].mean(1) - points[owner].mean(1)
        normal *= np.sign(np.sum(normal * outward, 1, keepdims=True))
        for column in corners.T:
            np.add.at(shares, column, normal / corners.shape[1])
    return shares


def _normals(x: Float[np.ndarray, "facets corners dim"]) -> Float[np.ndarray, "facets dim"]:
    """Normal times length or area."""
    if x.shape[2] == 2:
        along = x[:, 1] - x[:, 0]
        return np.stack([along[:, 1], -along[:, 0]], 1)
    if x.shape[1] == 3:
        return np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]) / 2
    return np.cross(x[:, 2] - x[:, 0], x[:, 3] - x[:, 1]) / 2
