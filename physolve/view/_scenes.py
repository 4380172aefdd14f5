"""Scenes to be turned and read in a browser."""

from __future__ import annotations

import numpy as np

from ..errors import UnsupportedError
from ..io import domain_mesh
from ._html import Layer, Scene
from ._mesh import boundary_faces, simplices
from ._planes import plane_of, plane_values
from ._request import Request, common_scale
from ._solid import body_values, cutaway, slices, surface
from ._solution_like import Floats

_MOMENTS = 25
_PLANE_RESOLUTION = 110  # keeps the page near a megabyte


def scene_of(request: Request) -> Scene:
    """The scene of a plane or solid field; with time, of its whole course."""
    if request.dimension == 0 or (request.dimension == 1 and request.span is None):
        raise UnsupportedError("plot: a curve has no .html scene; use .png, .svg or .pdf")
    return _solid_scene(request) if request.dimension == 3 else _plane_scene(request)


def _plane_scene(request: Request) -> Scene:
    shape, ratio = plane_of(request)
    mesh = domain_mesh(shape, request.resolution or _PLANE_RESOLUTION)
    moments = (None,) if request.dimension == 1 else request.instants(_MOMENTS)
    layers = []
    for quantity in request.quantities:
        frames = [plane_values(quantity, mesh, time) for time in moments]
        layers.append(Layer(quantity, common_scale(quantity, frames), frames))
    return Scene(
        title=_title(request),
        points=mesh.points,
        triangles=simplices(mesh),
        edges=boundary_faces(simplices(mesh)),
        names=request.plain[:2],
        layers=layers,
        ratio=ratio,
        times=_times(request, moments),
        fps=request.style.fps,
    )


def _solid_scene(request: Request) -> Scene:
    make = {"cutaway": cutaway, "slices": slices, "surface": surface}[request.style.solid]
    body = make(request.space_part(), request.resolution)
    moments = request.instants(_MOMENTS)
    layers = []
    for quantity in request.quantities:
        frames = [body_values(quantity.columns, quantity.kind, body, time) for time in moments]
        layers.append(Layer(quantity, common_scale(quantity, frames), frames))
    return Scene(
        title=_title(request),
        points=body.points,
        triangles=body.triangles,
        edges=_creases(body.points, body.triangles),
        names=request.plain[:3],
        layers=layers,
        times=_times(request, moments),
        fps=request.style.fps,
    )


def _title(request: Request) -> str:
    return request.title or ", ".join(quantity.name for quantity in request.quantities)


def _times(request: Request, moments: tuple[float | None, ...]) -> tuple[str, list[float]] | None:
    chosen = [time for time in moments if time is not None]
    return (request.plain[-1], chosen) if chosen else None


def _creases(points: Floats, triangles: np.ndarray, angle: float = 40.0) -> np.ndarray:
    """Edges (k, 2) where the surface turns by more than `angle` degrees, or ends."""
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    owner = np.tile(np.arange(len(triangles)), 3)
    distinct, inverse, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(inverse.ravel(), kind="stable")
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    other = owner[order[np.minimum(first + 1, len(order) - 1)]]
    cosine = np.sum(normals[owner[order[first]]] * normals[other], axis=1)
    return distinct[(count != 2) | (cosine < np.cos(np.radians(angle)))]
