"""Animations of a prediction on a mesh, beside the truth and the error where the truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike

import numpy as np

from ..errors import SpecificationError, UnsupportedError
from ..io import MeshField
from ._figure import Film, add_color_bar, page
from ._film import write_film
from ._flat import FlatPanel, dress
from ._render import Pixels
from ._scale import fit_scale
from ._solution_like import Floats
from ._style import Style

_WIDTH, _WIDE = 8.0, 1.5  # inches of a panel; ratio from which panels lie below each other


def comparison_film(
    path: str | PathLike[str],
    mesh: MeshField,
    times: Sequence[float],
    found: Floats,
    truth: Floats | None = None,
    *,
    label: str = "value",
    title: str = "",
    style: Style | None = None,
) -> None:
    """Draw values (frames, n) at the nodes of a plane mesh as .gif or .mp4: prediction, truth, prediction - truth.

    Prediction and truth share their colours, which are those of the truth where there is one. NaN in the truth is
    drawn grey, and its error too.

    Raises:
        UnsupportedError: a mesh that is not of triangles and quads in the plane.
        SpecificationError: values that do not fit the mesh and the times.
        ProblemFileError: the file cannot be written.
        NumericalError: nothing finite to draw.
    """
    expected = (len(times), len(mesh.points))
    for name, values in (("prediction", found), ("truth", truth)):
        if values is not None and values.shape != expected:
            raise SpecificationError(f"film: got the {name} of shape {values.shape}, expected {expected}")
    style = style or Style()
    write_film(_frames(triangulated(mesh), times, found, truth, label, title, style), path, style.fps)


def triangulated(mesh: MeshField) -> MeshField:
    """The mesh with its quads cut in two. Raises UnsupportedError for other cells and outside the plane."""
    others = [kind for kind in mesh.cells if kind not in ("triangle", "quad", "line", "vertex")]
    if mesh.dim != 2 or others:
        raise UnsupportedError(
            f"film: got {', '.join(mesh.cells)} in {mesh.dim}-D, expected triangles and quads in the plane; write a"
            " series and open it in ParaView"
        )
    quads = mesh.cells.get("quad", np.empty((0, 4), dtype=np.int64))
    blocks = [mesh.cells.get("triangle", np.empty((0, 3), dtype=np.int64)), quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]
    return MeshField(mesh.points, {"triangle": np.concatenate(blocks)})


def _frames(
    mesh: MeshField,
    times: Sequence[float],
    found: Floats,
    truth: Floats | None,
    label: str,
    title: str,
    style: Style,
) -> Iterator[Pixels]:
    rows = [("prediction", found)]
    if truth is not None:
        rows += [("truth", truth), ("prediction − truth", found - truth)]
    shared = fit_scale("sequential", found if truth is None else truth, label)
    size = np.ptp(mesh.points, axis=0)
    below = float(size[0] / size[1]) > _WIDE
    width, height = (_WIDTH, _WIDTH * float(size[1] / size[0])) if below else (_WIDTH / 2, _WIDTH / 2)
    shape = (len(rows), 1) if below else (1, len(rows))
    figure, axes = page(shape[1] * (width + 1.6), shape[0] * (height + 0.8) + 0.5, *shape, dpi=style.dpi)
    panels = []
    for cell, (name, values) in zip(axes.ravel(), rows, strict=True):
        scale = shared if name in ("prediction", "truth") else fit_scale("diverging", values, "the error")
        panels.append(FlatPanel(cell, mesh, scale, None))
        dress(cell, ("x", "y"))
        cell.set_title(name, fontsize=11)
        add_color_bar(figure, cell, scale, label if scale is shared else "error")
    heading = figure.suptitle(_heading(title, times[-1]), fontsize=13)
    film = None
    for k, time in enumerate(times):
        heading.set_text(_heading(title, time))
        for panel, (_, values) in zip(panels, rows, strict=True):
            panel.show(values[k])
        film = film or Film(figure, style.dpi)
        yield film.frame()


def _heading(title: str, time: float) -> str:
    return f"{title}, t = {time:.4g}" if title else f"t = {time:.4g}"
