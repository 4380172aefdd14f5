"""Everything a picture is made from, checked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SpecificationError, UnsupportedError
from ..spec.geometry import Shape, split_time
from ._quantity import Function, Quantity, check_units, mathematics, quantities, reference_function
from ._scale import Scale, fit_scale
from ._solution_like import Floats, SolutionLike
from ._style import Style


@dataclass(frozen=True, eq=False)
class Request:
    """What to draw.

    - `space`: the domain without time, None for an ordinary equation; `plane`: the whole domain.
    - `span`: first and last time, None without time; `times`: those asked for, None for a free choice.
    - `labels`, `plain`: of the coordinates with units, for matplotlib and for plain text.
    - `compared`: reference values to be drawn beside a curve.
    """

    problem: Any
    quantities: tuple[Quantity, ...]
    space: Shape | None
    plane: Shape
    span: tuple[float, float] | None
    times: tuple[float, ...] | None
    resolution: int | None
    title: str
    labels: tuple[str, ...]
    plain: tuple[str, ...]
    style: Style
    compared: Function | None = None

    @property
    def dimension(self) -> int:
        """Number of space coordinates."""
        return len(self.problem.space)

    def instants(self, count: int) -> tuple[float | None, ...]:
        """The times asked for, else `count` from first to last; (None,) without time."""
        if self.span is None:
            return (None,)
        if self.times is not None:
            return self.times
        return tuple(np.linspace(*self.span, count)) if count > 1 else self.span[1:]

    def clock(self, time: float | None) -> str:
        """The time as a title, or nothing."""
        return "" if time is None else f"{mathematics('t')} = {time:.4g}{self.time_unit}"

    def heading(self, time: float | None) -> str:
        """Title and time in one line."""
        return ",  ".join(filter(None, [self.title, self.clock(time)]))

    @property
    def time_unit(self) -> str:
        """The unit of the time with a space before it, or nothing."""
        label = self.plain[-1]
        return " " + label[label.index("[") + 1 : -1] if "[" in label else ""

    def space_part(self) -> Shape:
        """The space of a product with time, or of a problem without time."""
        if self.space is None:
            raise UnsupportedError(
                "plot: the domain is not a product of a shape with a TimeInterval; "
                "pictures at one time of moving domains are not made"
            )
        return self.space


def make_request(
    solution: SolutionLike,
    quantity: str,
    unknown: object,
    reference: object,
    time: float | Sequence[float] | None,
    resolution: int | None,
    units: Mapping[str, str] | None,
    title: str | None,
    style: Style,
    curve: bool,
) -> Request:
    """Check what the user asked for and gather it; `curve` draws components instead of vectors."""
    problem = solution.problem
    units = check_units(units, problem)
    _check_resolution(resolution)
    if reference is not None and quantity != "error" and not (curve and quantity == "field"):
        raise SpecificationError(f"plot: reference is of no use for this picture of the {quantity}; leave it out")
    space, interval = split_time(problem.domain)
    span, ended = _span(problem, interval), getattr(solution, "valid_until", None)
    if span is not None and ended is not None:
        span = (span[0], ended)  # nothing is known after it
    chosen = quantities(solution, quantity, unknown, reference, units, split=curve)
    overlay = reference_function(problem, reference) if reference is not None and quantity == "field" else None
    names = [s.name for s in problem.coordinates]
    return Request(
        problem=problem,
        quantities=chosen,
        space=space if interval is not None or problem.time is None else None,
        plane=problem.domain,
        span=span,
        times=_times(time, span, ended is not None),
        resolution=resolution,
        title=problem.name if title is None else title,
        labels=tuple(_with_unit(mathematics(name), units.get(name, "")) for name in names),
        plain=tuple(_with_unit(name, units.get(name, "")) for name in names),
        style=style,
        compared=overlay,
    )


def common_scale(quantity: Quantity, frames: Sequence[Floats]) -> Scale:
    """One range for all frames."""
    return fit_scale(quantity.kind, frames, quantity.name)


def _check_resolution(resolution: int | None) -> None:
    if resolution is not None and (isinstance(resolution, bool) or not isinstance(resolution, int) or resolution < 2):
        raise SpecificationError(f"plot: resolution must be an integer of at least 2, got {resolution!r}")


def _with_unit(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def _span(problem: Any, interval: Any) -> tuple[float, float] | None:
    if problem.time is None:
        return None
    if interval is not None:
        return float(interval.t0), float(interval.t1)
    lower, upper = problem.domain.bounds
    return float(lower[-1]), float(upper[-1])


def _times(
    time: float | Sequence[float] | None, span: tuple[float, float] | None, ended: bool
) -> tuple[float, ...] | None:
    if time is None:
        return None
    if span is None:
        raise SpecificationError(f"plot: time {time!r} given for a problem without time; leave it out")
    found = tuple(float(t) for t in np.atleast_1d(np.asarray(time, dtype=np.float64)))
    margin = 1e-9 * (span[1] - span[0])
    for t in found:
        if not span[0] - margin <= t <= span[1] + margin:
            whose = "in which the solution is valid" if ended else "of the problem"
            raise SpecificationError(f"plot: time {t:g} is outside {span[0]:g} to {span[1]:g}, the time {whose}")
    return tuple(min(max(t, span[0]), span[1]) for t in found)
