"""Boundary parts of a problem's domain on a mesh that was made elsewhere."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

from physolve.errors import SpecificationError
from physolve.spec import Shape, SpaceTime

from .._facets import boundary_nodes
from ._series import Series

SAMPLES = 20_000  # of a part: it is found to two spacings of these


def with_parts_of(series: Series, domain: Shape) -> Series:
    """The series with the boundary parts of a domain as its parts: every node on the mesh's boundary belongs to those
    parts of which it is no further away than samples are apart.

    Raises SpecificationError where the mesh has another dimension, or no node on the domain's boundary.
    """
    space = domain.space if isinstance(domain, SpaceTime) else domain
    if space.dim != series.points.shape[1]:
        raise SpecificationError(
            f"{series.origin}: the mesh is {series.points.shape[1]}-D and the problem's domain {space.dim}-D"
        )
    edge = np.flatnonzero(boundary_nodes(series.cells, len(series.points)))
    parts = {name: edge[nodes_on_part(space, name, series.points[edge])] for name in space.parts if name != "boundary"}
    if not any(len(nodes) for nodes in parts.values()):
        raise SpecificationError(
            f"{series.origin}: no node of the mesh lies on a boundary part of the problem's domain"
        )
    return replace(series, parts={**series.parts, **parts})


def nodes_on_part(space: Shape, part: str, points: Float[np.ndarray, "n dim"]) -> Bool[np.ndarray, " n"]:
    """Which points lie on a boundary part, as far as its samples tell."""
    samples = space.sample_boundary(SAMPLES if space.dim > 1 else 1, on=part, method="grid")
    tree = cKDTree(samples.points)
    spacing = 0.0 if len(samples.points) < 2 else float(np.median(tree.query(samples.points, k=2)[0][:, 1]))
    return tree.query(points)[0] <= 2 * spacing + 1e-9 * space.size
