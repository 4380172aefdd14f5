"""A scene as one HTML file that needs nothing else: data, viewer and style inside, no network."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io._files import replacing
from ._mesh import in_space
from ._quantity import Quantity
from ._scale import Scale
from ._solution_like import Floats, Integers


@dataclass(frozen=True, eq=False)
class Layer:
    """A quantity on the nodes of the scene, one array (n,) per moment."""

    quantity: Quantity
    scale: Scale
    frames: Sequence[Floats]


@dataclass(frozen=True, eq=False)
class Scene:
    """Triangles (m, 3) over points (n, 2 or 3) with values.

    - `edges`: pairs of nodes drawn as lines; `names`: of the coordinates.
    - `ratio`: width to height of a plane scene that has no true proportions, else None.
    - `times`: name of the time and its moments, if the layers have several frames.
    """

    title: str
    points: Floats
    triangles: Integers
    edges: Integers
    names: Sequence[str]
    layers: Sequence[Layer]
    ratio: float | None = None
    times: tuple[str, Sequence[float]] | None = None
    fps: int = 10


def write_html(scene: Scene, path: str | PathLike[str]) -> None:
    """Write the scene as a self-contained page. Raises ProblemFileError if it cannot be written."""
    template = resources.files(__name__.rpartition(".")[0]).joinpath("viewer.html").read_text(encoding="utf-8")
    data = json.dumps(_data(scene), allow_nan=False).replace("<", "\\u003c")  # no "</script>" inside
    page = template.replace("{{title}}", html.escape(scene.title)).replace("{{data}}", data)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _data(scene: Scene) -> Mapping[str, Any]:
    points = in_space(scene.points)
    lower, upper = points.min(axis=0), points.max(axis=0)
    stretch = [1.0, 1.0, 1.0]
    if scene.ratio is not None:
        stretch[1] = float((upper - lower)[0] / (upper - lower)[1] / scene.ratio)
    return {
        "title": scene.title,
        "solid": scene.points.shape[1] == 3,
        "names": list(scene.names),
        "lower": lower.tolist(),
        "upper": upper.tolist(),
        "stretch": stretch,
        "points": _packed(points, np.float32),
        "triangles": _packed(scene.triangles, np.uint32),
        "edges": _packed(scene.edges, np.uint32),
        "times": scene.times and {"name": scene.times[0], "values": [float(t) for t in scene.times[1]]},
        "fps": scene.fps,
        "quantities": [_layer(layer) for layer in scene.layers],
    }


def _layer(layer: Layer) -> Mapping[str, Any]:
    import matplotlib

    colors = matplotlib.colormaps[layer.scale.colormap](np.linspace(0, 1, 256), bytes=True)[:, :3]
    return {
        "label": layer.quantity.plain,
        "low": layer.scale.low,
        "high": layer.scale.high,
        "log": layer.scale.kind == "logarithmic",
        "colormap": _packed(colors, np.uint8),
        "frames": [_packed(frame, np.float32) for frame in layer.frames],
    }


def _packed(values: NDArray[Any], kind: type) -> str:
    """Little-endian bytes in base64."""
    plain = np.ascontiguousarray(values, dtype=np.dtype(kind).newbyteorder("<"))
    return base64.b64encode(plain.tobytes()).decode("ascii")
