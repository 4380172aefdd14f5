"""What a flow's conditions say of the nodes of a mesh."""

from collections.abc import Mapping

import numpy as np
import sympy
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from physolve.errors import SpecificationError, UnsupportedError
from physolve.spec import Program

from .._facets import boundary_facets
from .._node_types import NodeType
from ..rollout import surface_shares
from ._flow import StatedFlow
from ._given import OPEN, Given, given_velocity, refuse_unknown

ACROSS = 1e-6  # of a normal's length: components below it lie along the boundary


def boundary_types(
    flow: StatedFlow, points: Float[np.ndarray, "n dim"], cells: Mapping[str, NDArray[np.integer]]
) -> Int[np.ndarray, " n"]:
    """Node types by what the conditions give: where the whole velocity is given, and is zero at all times, a wall, or
    an obstacle on an inner boundary; where it is not zero, inflow; elsewhere on the boundary outflow, which is
    predicted. What is given twice counts as the wall.

    Raises SpecificationError for a mesh of another dimension, and where no node of the mesh lies on a condition's part;
    UnsupportedError for conditions that simulators cannot know of, such as periodic ones and slip at a wall.
    """
    if points.shape[1] != flow.space.dim:
        raise SpecificationError(f"flow: got a mesh in {points.shape[1]}-D for a problem in {flow.space.dim}-D")
    refuse_unknown(flow)
    outline, inner = _outline(points, cells)
    given = given_velocity(flow, points, outline)
    _refuse_slip(flow, given, points, cells)
    types = np.where(outline, NodeType.OUTFLOW, NodeType.NORMAL).astype(np.int64)
    types[given.whole] = NodeType.INFLOW
    types[given.rests] = NodeType.WALL
    types[given.rests & inner] = NodeType.OBSTACLE
    return types


def boundary_values(
    flow: StatedFlow, points: Float[np.ndarray, "n dim"], types: Int[np.ndarray, " n"]
) -> dict[tuple[sympy.Expr, ...], Int[np.ndarray, " some"]]:
    """Expressions of the whole velocity to the nodes that they are given at; walls stay at zero and are left out."""
    given, inflow = given_velocity(flow, points, types != NodeType.NORMAL), types == NodeType.INFLOW
    return {
        tuple(given.values[k] for k in row): np.flatnonzero(inflow & (given.chosen == row).all(1))
        for row in np.unique(given.chosen[inflow], axis=0)
    }


def _refuse_slip(
    flow: StatedFlow, given: Given, points: NDArray[np.floating], cells: Mapping[str, NDArray[np.integer]]
) -> None:
    """Where a part of the velocity is given, it is not what flows through the boundary: that would be no outflow."""
    for k, u in enumerate(flow.velocity):
        held = given.chosen[:, k] != OPEN
        normal = surface_shares(points, cells, held)
        across = np.abs(normal[:, k]) > ACROSS * np.linalg.norm(normal, axis=1)
        slips = np.flatnonzero(held & across & ~given.whole)
        if len(slips):
            place = ", ".join(f"{x:g}" for x in points[slips[0]])
            raise UnsupportedError(
                f"flow: at ({place}) and {len(slips) - 1} more nodes {u.func} is given across the boundary and the rest"
                " of the velocity is not, as at a wall with slip, which simulators do not know; give the whole velocity"
            )


def _outline(
    points: NDArray[np.floating], cells: Mapping[str, NDArray[np.integer]]
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Nodes on the boundary, and those of them on pieces that another one encloses: of obstacles."""
    pairs = [facets[:, [0, k]] for facets, _ in boundary_facets(cells) for k in range(facets.shape[1])]
    ends = np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs])
    outline = np.zeros(len(points), dtype=bool)
    outline[ends] = True
    graph = coo_array((np.ones(len(ends)), ends.T), shape=(len(points), len(points)))
    _, piece = connected_components(graph, directed=False)
    return outline, outline & np.isin(piece, _enclosed(points, np.where(outline, piece, -1)))


def _enclosed(points: NDArray[np.floating], piece: Int[np.ndarray, " n"]) -> NDArray[np.integer]:
    """Pieces, from 0, whose bounding box lies inside that of another one."""
    pieces = np.unique(piece[piece >= 0])
    low, high = (np.array([bound(points[piece == k], axis=0) for k in pieces]) for bound in (np.min, np.max))
    inside = ((low[:, None] > low) & (high[:, None] < high)).all(-1)
    return pieces[inside.any(-1)]


def evaluated(
    expressions: tuple[sympy.Expr, ...], flow: StatedFlow, points: Float[np.ndarray, "n dim"], time: float
) -> Float[np.ndarray, "n columns"]:
    """Expressions of the coordinates at points and a time."""
    columns = Program(expressions, flow.problem.coordinates)(*points.T, np.full(len(points), time))
    return np.stack(columns, 1)
