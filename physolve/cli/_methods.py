"""The words of `--method`."""

from __future__ import annotations

import enum
from typing import Any


class MethodName(enum.StrEnum):
    """The methods of `solve` by their names on the command line."""

    AUTO = "auto"
    LEAST_SQUARES = "least-squares"
    GAUSS_NEWTON = "gauss-newton"
    ADAM = "adam"


def method_of(name: MethodName) -> Any:
    """The method object, with its own defaults; None leaves the choice to `solve`."""
    from ..solve import AdamLBFGS, GaussNewton, LeastSquares

    makers = {
        MethodName.LEAST_SQUARES: LeastSquares,
        MethodName.GAUSS_NEWTON: GaussNewton,
        MethodName.ADAM: AdamLBFGS,
    }
    return makers[name]() if name in makers else None
