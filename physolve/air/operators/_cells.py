"""Voronoi cells of points in a rectangle around them: the finite volumes of a station graph."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import Voronoi

SMALLEST_FACE = 1e-9
"""Faces shorter than this share of the rectangle's diagonal are corners where four cells meet."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells that cover a rectangle: cell i is what is nearer to point i than to all others.

    pairs          (2, faces) the two cells of every inner face
    lengths        (faces,) m
    normals        (faces, 2) unit vectors from the first cell into the second
    ends           (faces, 2, 2) m, where a face begins and ends: going from one to the other, the normal points right
    areas          (n,) m^2; they add up to the rectangle
    walls          (outer,) the cell of every face on the rectangle's sides
    wall_lengths   (outer,) m
    wall_normals   (outer, 2) outward
    wall_ends      (outer, 2, 2) m
    """

    pairs: Int[np.ndarray, "2 faces"]
    lengths: Float[np.ndarray, " faces"]
    normals: Float[np.ndarray, "faces 2"]
    ends: Float[np.ndarray, "faces 2 2"]
    areas: Float[np.ndarray, " n"]
    walls: Int[np.ndarray, " outer"]
    wall_lengths: Float[np.ndarray, " outer"]
    wall_normals: Float[np.ndarray, "outer 2"]
    wall_ends: Float[np.ndarray, "outer 2 2"]


def voronoi_cells(points: Float[np.ndarray, "n 2"], rectangle: Float[np.ndarray, "2 2"] | None = None) -> Cells:
    """Cells of different points in a rectangle around them, given by its lower and its upper corner.

    Where none is given it is the bounding rectangle widened by half the median distance to the next point: on a regular
    grid of spacing h the cells are squares of side h. The rectangle's sides come out as faces between a point
    and its mirror image, hence a diagram of five times the points.
    """
    images = _with_images(points, _around(points) if rectangle is None else rectangle)
    diagram = Voronoi(images)
    first, second = np.sort(diagram.ridge_points, axis=1).T
    corners = np.array([(a, b) for a, b in diagram.ridge_vertices])
    ends = diagram.vertices[corners]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    lengths[(corners < 0).any(axis=1)] = np.inf  # between images only
    kept = (first < len(points)) & (lengths > SMALLEST_FACE * np.ptp(points, axis=0).max())
    first, second, lengths = first[kept], second[kept], lengths[kept]
    steps = images[second] - images[first]
    distances = np.linalg.norm(steps, axis=1)
    normals, halves = steps / distances[:, None], lengths * distances / 4  # a triangle each side of the face
    ends = _normal_to_the_right(ends[kept], normals)
    inner = second < len(points)
    areas = np.zeros(len(points))
    np.add.at(areas, first, halves)
    np.add.at(areas, second[inner], halves[inner])
    pairs = np.stack([first[inner], second[inner]])
    faces = lengths[inner], normals[inner], ends[inner]
    return Cells(pairs, *faces, areas, first[~inner], lengths[~inner], normals[~inner], ends[~inner])


def _normal_to_the_right(
    ends: Float[np.ndarray, "faces 2 2"], normals: Float[np.ndarray, "faces 2"]
) -> Float[np.ndarray, "faces 2 2"]:
    """The ends of faces, swapped where the normal points left on the way from the first to the second."""
    along = ends[:, 1] - ends[:, 0]
    left = along[:, 1] * normals[:, 0] - along[:, 0] * normals[:, 1] < 0
    return np.where(left[:, None, None], ends[:, ::-1], ends)


def _around(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "2 2"]:
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    margin = np.median(apart.min(axis=1)) / 2
    return np.stack([points.min(axis=0) - margin, points.max(axis=0) + margin])


def _with_images(points: Float[np.ndarray, "n 2"], rectangle: Float[np.ndarray, "2 2"]) -> Float[np.ndarray, "m 2"]:
    """The points and their mirror images in the rectangle's four sides."""
    images = [points]
    for axis in (0, 1):
        for side in rectangle[:, axis]:
            image = points.copy()
            image[:, axis] = 2 * side - image[:, axis]
            images.append(image)
    return np.concatenate(images)
