"""What a flow's conditions say of the nodes of a mesh."""

from collections.abc import Mapping

import numpy as np
import sympy
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sympy.core.function import AppliedUndef

from physolve.errors import SpecificationError
from physolve.spec import Dirichlet, Program, Wall, condition_label, holds_at, stated_values

from .._facets import boundary_facets
from .._node_types import NodeType
from ..data import nodes_on_part
from ._flow import Flow


def boundary_types(
    flow: Flow, points: Float[np.ndarray, "n dim"], cells: Mapping[str, NDArray[np.integer]]
) -> Int[np.ndarray, " n"]:
    """Node types by what the conditions give: where the whole velocity is given, and is zero at all times, a wall, or
    an obstacle on an inner boundary; where it is not zero, inflow; elsewhere on the boundary outflow, which is
    predicted. What is given twice counts as the wall.

    Raises SpecificationError for a mesh of another dimension, and where no node of the mesh lies on a condition's part.
    """
    if points.shape[1] != flow.space.dim:
        raise SpecificationError(f"flow: got a mesh in {points.shape[1]}-D for a problem in {flow.space.dim}-D")
    outline, inner = _outline(cells, len(points))
    types = np.where(outline, NodeType.OUTFLOW, NodeType.NORMAL).astype(np.int64)
    zero = np.zeros(len(points), dtype=bool)
    for values, here in _given(flow, points, outline):
        if values.keys() == set(flow.velocity):
            types[here] = NodeType.INFLOW
            zero[here] |= all(value.is_zero for value in values.values())
    types[zero & outline] = NodeType.WALL
    types[zero & inner] = NodeType.OBSTACLE
    return types


def boundary_values(
    flow: Flow, points: Float[np.ndarray, "n dim"], types: Int[np.ndarray, " n"]
) -> dict[tuple[sympy.Expr, ...], Int[np.ndarray, " some"]]:
    """Expressions of the whole velocity to the nodes that they are given at; walls stay at zero and are left out."""
    found = {}
    for values, here in _given(flow, points, types != NodeType.NORMAL):
        if values.keys() == set(flow.velocity):
            ordered = tuple(values[u] for u in flow.velocity)
            found[ordered] = np.flatnonzero(here & (types == NodeType.INFLOW))
    return found


def _given(
    flow: Flow, points: NDArray[np.floating], outline: NDArray[np.bool_]
) -> list[tuple[dict[AppliedUndef, sympy.Expr], NDArray[np.bool_]]]:
    """Of every Dirichlet condition: the values of its unknowns, and the nodes."""
    found = []
    for k, condition in enumerate(flow.problem.conditions):
        if isinstance(condition, Dirichlet):
            stated = stated_values([condition], Dirichlet)
            here = _nodes(flow, points, outline, condition.on, condition_label(k + 1, condition))
            found.append((stated, here))
    return found


def _nodes(
    flow: Flow, points: NDArray[np.floating], outline: NDArray[np.bool_], on: object, item: str
) -> Bool[np.ndarray, " n"]:
    """Which nodes a condition holds at."""
    here = np.zeros(len(points), dtype=bool)
    edge = np.flatnonzero(outline)
    for each in on if isinstance(on, tuple) else (on,):
        if isinstance(each, str) and each != "boundary":
            here[edge[nodes_on_part(flow.space, each, points[edge])]] = True
        else:
            instant = np.full((len(edge), 1), flow.begin)
            here[edge[holds_at(flow.problem, each, Wall((), np.hstack([points[edge], instant])), item)]] = True
    if not here.any():
        raise SpecificationError(f"flow: no node of the mesh lies where {item} holds; is the mesh of this domain?")
    return here


def _outline(
    cells: Mapping[str, NDArray[np.integer]], nodes: int
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Nodes on the boundary, and those of them on its pieces that are not the largest: of obstacles."""
    pairs = [facets[:, [0, k]] for facets, _ in boundary_facets(cells) for k in range(facets.shape[1])]
    ends = np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs])
    outline = np.zeros(nodes, dtype=bool)
    outline[ends] = True
    _, piece = connected_components(coo_array((np.ones(len(ends)), ends.T), shape=(nodes, nodes)), directed=False)
    return outline, outline & (piece != _outer(piece, outline))


def _outer(piece: NDArray[np.integer], outline: NDArray[np.bool_]) -> int:
    counts = np.bincount(piece[outline]) if outline.any() else np.zeros(1)
    return int(np.argmax(counts))


def evaluated(
    expressions: tuple[sympy.Expr, ...], flow: Flow, points: Float[np.ndarray, "n dim"], time: float
) -> Float[np.ndarray, "n columns"]:
    """Expressions of the coordinates at points and a time."""
    columns = Program(expressions, flow.problem.coordinates)(*points.T, np.full(len(points), time))
    return np.stack(columns, 1)
