"""Keeps constants of an expression in bounds: 2**10**10 is refused before sympy computes it.

Every constant sub-expression has an estimate in floating point, made by `math` alone. Whatever overflows,
divides by zero or is not real is refused, so that no later comparison or rounding in sympy can run away.
"""

import math
from collections.abc import Callable, Sequence

import sympy

MAX_BITS = 4096
MAX_POWER = 1000


def bits(number: sympy.Rational) -> int:
    """How many bits the numerator and the denominator take together."""
    return abs(int(number.p)).bit_length() + int(number.q).bit_length()


def estimate(function: Callable[..., float], values: Sequence[float]) -> float:
    """`function(*values)` in floating point; ValueError in words when that is no finite real number."""
    try:
        result = function(*values)
    except ZeroDivisionError:
        raise ValueError("division by zero") from None
    except OverflowError:
        raise ValueError("the number is too large; numbers go up to 1.8e308") from None
    except ValueError:
        raise ValueError("this is not a real number") from None
    if isinstance(result, complex) or math.isnan(result):
        raise ValueError("this is not a real number")
    if math.isinf(result):
        raise ValueError("the number is too large; numbers go up to 1.8e308")
    return result


def power_estimate(base: float, exponent: float) -> float:
    """base**exponent in floating point; 0**0 = 1."""
    return math.pow(base, exponent) if base or exponent >= 0 else 1 / base


def check_power(base: sympy.Expr, exponent: sympy.Expr) -> None:
    """ValueError when base**exponent would hold more digits than an equation can need."""
    if not exponent.is_Rational:
        return
    size = abs(exponent)
    coefficient = base.as_coeff_Mul()[0]
    if not base.is_number and size > MAX_POWER:
        raise ValueError(f"the power {_short(exponent)} is too large; powers go up to {MAX_POWER}")
    if coefficient.is_Rational and coefficient not in (1, -1, 0) and size * bits(coefficient) > MAX_BITS:
        raise ValueError(f"the power {_short(exponent)} gives a number that is too large")


def check_result(value: sympy.Basic) -> None:
    """ValueError when a computed value is infinite, undefined, imaginary or has too many digits."""
    if value in (sympy.zoo, sympy.oo, -sympy.oo):
        raise ValueError("division by zero")
    if value is sympy.nan:
        raise ValueError("this is not a number, such as 0/0")
    coefficient = value.as_coeff_Mul()[0] if isinstance(value, sympy.Expr) else sympy.S.One
    if coefficient.is_Rational and bits(coefficient) > MAX_BITS:
        raise ValueError("the number has too many digits")
    if coefficient.is_Float and not _is_double(coefficient):
        raise ValueError("the number is too large or too small for floating point")


def _is_double(value: sympy.Float) -> bool:
    try:
        return math.isfinite(float(value)) and (float(value) != 0) == (value != 0)
    except OverflowError:
        return False


def _short(number: sympy.Rational) -> str:
    return str(number) if bits(number) < 64 else f"{float(number):.3g}"
