"""Obstacles drawn about a centre, within a radius."""

import numpy as np

from physolve.spec import Shape
from physolve.spec.geometry import Disk, Ellipse, Polygon

Point = tuple[float, float]


def circle(rng: np.random.Generator, centre: Point, radius: float) -> Shape:
    """Of that radius."""
    return Disk(centre, radius)


def ellipse(rng: np.random.Generator, centre: Point, radius: float) -> Shape:
    """Turned by any angle, its smaller radius from half of the larger one."""
    return Ellipse(centre, (radius, radius * rng.uniform(0.5, 0.9))).rotated(rng.uniform(0, np.pi), about=centre)


def rectangle(rng: np.random.Generator, centre: Point, radius: float) -> Shape:
    """Turned by any angle, its sides in a proportion from 1:1 to 1:2."""
    half = np.arctan(rng.uniform(0.5, 1.0))  # of the angle between the diagonals
    return _on_circle(centre, radius, rng.uniform(0, np.pi) + np.array([half, np.pi - half, np.pi + half, -half]))


def triangle(rng: np.random.Generator, centre: Point, radius: float) -> Shape:
    """Equilateral, turned by any angle."""
    return _on_circle(centre, radius, rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(3) / 3)


def _on_circle(centre: Point, radius: float, angles: np.ndarray) -> Shape:
    corners = np.asarray(centre) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Polygon(tuple((float(x), float(y)) for x, y in corners))
