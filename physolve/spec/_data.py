"""Data on a regular grid as a function that may stand in an expression."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
import torch
from sympy.core.function import AppliedUndef

from .._typing import ColumnArray, PointArray
from ..errors import SpecificationError
from ._station_data import StationData
from ._symbols import check_name

if TYPE_CHECKING:
    from scipy.interpolate import NdBSpline


@dataclass(frozen=True, eq=False)
class GridData:
    """Values on a regular grid, interpolated by a tensor product of splines.

    - `values`: array or tensor, axis k belongs to coordinate k; copied, float64, read-only.
    - `extent`: ((lo, hi), ...), the coordinates of the first and the last sample along each axis.
    - `order`: 1 (linear) or 3 (cubic, not-a-knot at the ends).
    - `source`: where the values come from, for writing files; not part of equality.

    `data(x, y)` is a sympy expression; equality is by value. Raises `SpecificationError` for values that are
    not finite, too few samples, an extent that does not fit.
    """

    name: str
    values: np.ndarray
    extent: tuple[tuple[float, float], ...]
    order: int = 3
    source: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_name(self.name, "data")
        values = np.array(_numbers(self.values, self.name), dtype=np.float64)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "extent", _extent(self.extent, values, self.name))
        _check_values(values, self.order, self.name)

    @classmethod
    def from_raster(
        cls,
        name: str,
        image: np.ndarray,
        extent: Sequence[Sequence[float]],
        order: int = 3,
        source: Any = None,
    ) -> GridData:
        """From an image: row 0 is y = max, column 0 is x = min; the pixel samples lie on the extent's end points."""
        image = _array(image)
        if image.ndim != 2:
            raise SpecificationError(f"data '{name}': a raster has 2 axes (rows, columns), got {image.ndim}")
        return cls(name, image[::-1].T, tuple(map(tuple, extent)), order, source)  # type: ignore[arg-type]

    def __call__(self, *arguments: Any) -> AppliedUndef:
        if len(arguments) != self.dim:
            raise SpecificationError(f"data '{self.name}' has {self.dim} axes, but is given {len(arguments)} arguments")
        return sympy.Function(self.name, real=True, data=self)(*arguments)  # type: ignore[return-value]

    @property
    def dim(self) -> int:
        return self.values.ndim

    def sample(self, points: PointArray, orders: Sequence[int] | None = None) -> ColumnArray:
        """The spline, or its derivative of order `orders[k]` along axis k, at the points (n, dim); shape (n,).

        Raises `SpecificationError` for points outside the extent (by more than 1e-9 of its size).
        """
        points = np.asarray(points, dtype=np.float64).reshape(-1, self.dim)
        lower, upper = np.array(self.extent).T
        slack = 1e-9 * (upper - lower)
        outside = np.any((points < lower - slack) | (points > upper + slack), axis=1)
        if outside.any():
            worst = tuple(float(f"{c:.6g}") for c in points[np.argmax(outside)])
            raise SpecificationError(f"data '{self.name}': the point {worst} lies outside its extent {self.extent}")
        nu = tuple(orders) if orders is not None else (0,) * self.dim
        return self._spline(np.clip(points, lower, upper), nu=nu)

    @cached_property
    def _spline(self) -> NdBSpline:
        from scipy.interpolate import (  # half a second that most problems never need
            NdBSpline,
            make_interp_spline,
        )

        knots, coefficients = [], self.values
        for k, (lo, hi) in enumerate(self.extent):
            spline = make_interp_spline(np.linspace(lo, hi, self.values.shape[k]), coefficients, self.order, axis=k)
            knots.append(spline.t)
            coefficients = np.moveaxis(spline.c, 0, k)
        return NdBSpline(tuple(knots), np.ascontiguousarray(coefficients), self.order)

    @cached_property
    def _key(self) -> tuple:
        digest = hashlib.blake2b(self.values.tobytes(), digest_size=16).hexdigest()
        return self.name, self.values.shape, self.extent, self.order, digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GridData) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.values.shape))
        return f"GridData({self.name!r}, {shape} values, extent={self.extent}, order={self.order})"


def grid_data_of(*expressions: Any) -> tuple[GridData | StationData, ...]:
    """The data used in these expressions or matrices, on grids or at stations, in order of first appearance."""
    found: dict[GridData | StationData, None] = {}
    for expression in expressions:
        for node in sympy.preorder_traversal(expression):
            if isinstance(node, AppliedUndef) and getattr(node.func, "data", None) is not None:
                found.setdefault(node.func.data)
    return tuple(found)


def _array(values: Any) -> np.ndarray:
    """Arrays, lists, and tensors wherever they are."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _numbers(values: Any, name: str) -> np.ndarray:
    array = _array(values)
    if array.dtype.kind not in "fiub" or array.ndim == 0:
        raise SpecificationError(
            f"data '{name}': expected an array of real numbers, got {array.dtype} of {array.ndim} axes"
        )
    return array


def _extent(extent: Any, values: np.ndarray, name: str) -> tuple[tuple[float, float], ...]:
    try:
        made = tuple((float(lo), float(hi)) for lo, hi in extent)
    except (TypeError, ValueError):
        raise SpecificationError(f"data '{name}': the extent must be ((lo, hi), ...), got {extent!r}") from None
    if len(made) != values.ndim:
        raise SpecificationError(f"data '{name}': {values.ndim} axes, but an extent of {len(made)} pairs")
    for lo, hi in made:
        if not (np.isfinite(lo) and np.isfinite(hi) and lo < hi):
            raise SpecificationError(f"data '{name}': the extent ({lo:g}, {hi:g}) is not an interval")
    return made


def _check_values(values: np.ndarray, order: int, name: str) -> None:
    if order not in (1, 3):
        raise SpecificationError(f"data '{name}': the spline order must be 1 or 3, got {order!r}")
    if min(values.shape) < order + 1:
        raise SpecificationError(f"data '{name}': order {order} needs {order + 1} samples per axis, got {values.shape}")
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise SpecificationError(f"data '{name}': {bad} of {values.size} values are not finite")
