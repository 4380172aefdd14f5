"""Validators of constructor arguments: each checks one thing and says what to do in one line."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from physolve._typing import PointArray
from physolve.errors import SpecificationError

Vector = tuple[float, ...]


def number(value: object, name: str) -> float:
    """A finite float."""
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise SpecificationError(f"{name} must be a number, got {value!r}") from None
    if not math.isfinite(result):
        raise SpecificationError(f"{name} must be finite, got {result}")
    return result


def positive(value: object, name: str) -> float:
    """A finite float above zero."""
    result = number(value, name)
    if result <= 0:
        raise SpecificationError(f"{name} must be positive, got {text(result)}")
    return result


def vector(values: object, name: str, length: int | None = None) -> Vector:
    """A tuple of finite floats, of the given length."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        wanted = "numbers" if length is None else f"{length} numbers"
        raise SpecificationError(f"{name} must be a sequence of {wanted}, got {values!r}")
    result = tuple(number(value, f"{name}[{i}]") for i, value in enumerate(values))
    if length is not None and len(result) != length:
        raise SpecificationError(f"{name} must have {length} coordinates, got {len(result)}")
    return result


def ordered(lower: Vector, upper: Vector, name: str) -> None:
    """Every upper coordinate above its lower one."""
    if any(hi <= lo for lo, hi in zip(lower, upper, strict=True)):
        raise SpecificationError(
            f"{name}: upper corner {text(upper)} must exceed lower corner {text(lower)} in every coordinate"
        )


def same_dimension(a: int, b: int, operation: str) -> None:
    """Two shapes of one dimension."""
    if a != b:
        raise SpecificationError(
            f"{operation} needs shapes of one dimension, got a {a}-D and a {b}-D shape; "
            "multiply the spatial one with a TimeInterval if time is missing"
        )


def count(n: object, name: str) -> int:
    """A number of points, at least one."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise SpecificationError(f"{name} must be an integer of at least 1, got {n!r}")
    return int(n)


def as_points(points: object, dim: int) -> PointArray:
    """Points as a float64 array (n, dim)."""
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != dim:
        raise SpecificationError(f"points must have shape (n, {dim}), got {array.shape}")
    return array


def text(value: object) -> str:
    """A number, vector or field as one would type it: 1.0 -> '1', nested tuples likewise."""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        inner = ", ".join(text(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)
