"""The words of `--method`."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..solve import Method


class MethodName(enum.StrEnum):
    """The methods of `solve` by their names on the command line."""

    AUTO = "auto"
    LEAST_SQUARES = "least-squares"
    GAUSS_NEWTON = "gauss-newton"
    ADAM = "adam"
    LAGRANGIAN = "lagrangian"
    MARCHING = "marching"
    SHOOTING = "shooting"


def method_of(name: MethodName) -> Method | None:
    """The method object, with its own defaults; None leaves the choice to `solve`."""
    if name is MethodName.AUTO:
        return None
    from ..lagrangian import Lagrangian
    from ..solve import AdamLBFGS, GaussNewton, LeastSquares, Marching, Shooting

    makers: dict[MethodName, Callable[[], Method]] = {
        MethodName.LEAST_SQUARES: LeastSquares,
        MethodName.GAUSS_NEWTON: GaussNewton,
        MethodName.ADAM: AdamLBFGS,
        MethodName.LAGRANGIAN: Lagrangian,
        MethodName.MARCHING: Marching,
        MethodName.SHOOTING: Shooting,
    }
    return makers[name]()
