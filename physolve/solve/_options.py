"""Checks of the options of methods, made where a method is."""

import math
from numbers import Integral, Real

from physolve.errors import SpecificationError


def check_option(method: object, name: str, right: bool, expected: str) -> None:
    """Raises SpecificationError, naming the method and what the option is, unless `right`."""
    if not right:
        raise SpecificationError(f"{type(method).__name__}: got {name}={getattr(method, name)!r}, expected {expected}")


def check_whole(method: object, least: int, *names: str) -> None:
    """Raises SpecificationError for the first option that is no whole number from `least` on."""
    for name in names:
        value = getattr(method, name)
        right = isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least
        check_option(method, name, right, f"a whole number from {least} on")


def check_number(method: object, name: str, low: float, high: float = math.inf) -> None:
    """Raises SpecificationError unless the option is a finite number from `low` to `high`."""
    value = getattr(method, name)
    right = isinstance(value, Real) and math.isfinite(value) and low <= float(value) <= high
    check_option(method, name, right, f"a number from {low:g} {'on' if high == math.inf else f'to {high:g}'}")


def check_positive(method: object, *names: str) -> None:
    """Raises SpecificationError for the first option that is no finite number above zero."""
    for name in names:
        value = getattr(method, name)
        right = isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < math.inf
        check_option(method, name, right, "a positive number")
