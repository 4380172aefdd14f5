"""The one entry: from a solution to a picture, an animation or a scene, by the suffix of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from ..errors import UnsupportedError
from ._figure import STILLS, save_figure
from ._film import FILMS, write_film
from ._html import write_html
from ._lines import curve_figure, curve_frames
from ._planes import plane_figure, plane_frames
from ._request import Request, make_request
from ._scenes import scene_of
from ._solids import solid_figure, solid_frames
from ._solution_like import SolutionLike
from ._style import Style

#: Suffixes that `plot` understands.
SUFFIXES = (*STILLS, *FILMS, ".html")


def plot(
    solution: SolutionLike,
    path: str | PathLike[str],
    *,
    quantity: str = "field",
    unknown: object = None,
    reference: object = None,
    time: float | Sequence[float] | None = None,
    resolution: int | None = None,
    units: Mapping[str, str] | None = None,
    title: str | None = None,
    style: Style | None = None,
) -> None:
    """Draw a solution to a file. What is drawn follows from the problem, the format from the suffix.

    Pictures (.png, .svg, .pdf): curves in one dimension and for ordinary equations; the (x, t) plane, or
    curves at the times given; the plane seen from above, at several times if there is time; a solid cut open,
    at the last time. Animations (.gif, .mp4): the same over time; a solid without time turns. Scenes (.html):
    a page to turn, zoom and read values in, self-contained.

    - `quantity`: "field", "residual" (its magnitude, logarithmic) or "error" (solution - reference, symmetric colours).
    - `unknown`: name of an unknown, of a component or of a vector (or the symbol itself); None is all of them.
    - `reference`: for the error, an expression, a mapping {unknown: expression} or a callable of points (n,
      dim); None is the problem's exact solution. With a field's curves it is drawn beside them.
    - `time`: a time or several; None is a choice that shows the whole course.
    - `resolution`: mesh cells along the longest side, or points of a curve.
    - `units`: texts by name of unknown or coordinate; `title`: instead of the problem's name; `style`: see `Style`.

    Raises:
        UnsupportedError: a suffix, or a kind of picture for this problem, that is not made.
        SpecificationError: an argument that does not fit the problem.
        ProblemFileError: the file cannot be written.
        NumericalError: nothing finite to draw.
    """
    suffix = _suffix(path)
    style = style or Style()
    timed = solution.problem.time is not None
    dimension = len(solution.problem.space)
    curve = dimension == 0 or (dimension == 1 and (not timed or time is not None or suffix in FILMS))
    request = make_request(solution, quantity, unknown, reference, time, resolution, units, title, style, curve)
    if suffix == ".html":
        write_html(scene_of(request), path)
    elif suffix in FILMS:
        _check_film(request, suffix)
        make = (curve_frames, curve_frames, plane_frames, solid_frames)[dimension]
        write_film(make(request), path, style.fps)
    else:
        make_figure = curve_figure if curve else (plane_figure if dimension < 3 else solid_figure)
        save_figure(make_figure(request), path, style.dpi)


def _suffix(path: str | PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        got = f"suffix '{suffix}' is not a picture's" if suffix else "has no suffix"
        raise UnsupportedError(f"{path}: file: {got}; use one of {', '.join(SUFFIXES)}")
    return suffix


def _check_film(request: Request, suffix: str) -> None:
    if request.dimension == 0 or (request.span is None and request.dimension < 3):
        reason = "an ordinary equation is a curve over time" if request.span else "the problem has no time"
        raise UnsupportedError(f"plot: no {suffix} animation here: {reason}; use .png")
