"""Data at stations as functions that may stand in an equation: wind, emissions. Their values come with the series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import sympy
from sympy.core.function import AppliedUndef

from ..errors import UnsupportedError
from ._symbols import check_name


@dataclass(frozen=True)
class StationData:
    """Something measured, or learned, at stations over time: the equation names it, the model is given it.

    `data(x, y, t)` is a sympy expression, as of `GridData`. Nothing is known of it at other points, so that only
    methods that work at stations (`physolve.air`) can use a problem that holds it.
    """

    name: str

    def __post_init__(self) -> None:
        check_name(self.name, "data")

    def __call__(self, *arguments: Any) -> AppliedUndef:
        return sympy.Function(self.name, real=True, data=self)(*arguments)  # type: ignore[return-value]

    def sample(self, points: Any, orders: Any = None) -> NoReturn:
        """Raises UnsupportedError: there is nothing between the stations."""
        raise UnsupportedError(
            f"data '{self.name}': known at stations only, wanted at other points; forecast with physolve.air,"
            " or give it on a grid"
        )
