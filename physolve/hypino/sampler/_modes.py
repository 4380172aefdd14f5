"""Products X(x) Y(y) that solve the equation without a source, or that are zero on the whole square."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ._draws import Draws
from ._fields import Modes

FREE = 0.6
"""Share of the free modes in elliptic problems; the rest are products of sines, zero on the square."""

FAST = 40.0
"""Modes that decay faster than exp(-40 t) are layers no grid sees; they get smaller with the square of their rate."""


def random_modes(
    draws: Draws,
    coefficients: Float[Tensor, "batch 5"],
    initial: Bool[Tensor, " batch"],
    largest: float,
    terms: int = 4,
) -> Modes:
    """Sums of 1 to `terms` modes with wave numbers up to `largest`; `initial` marks the time-dependent problems.

    Free modes sin(p (x + 1) + alpha) Y(y) satisfy c4 Y'' + c2 Y' + (c0 - c3 p^2) Y = 0, so that heat decays as
    exp(-a p^2 t) and a string stands as cos(c p t). With a term c1 u_x the equation is left with a source.
    """
    count = len(coefficients)
    p, alpha = _profile(draws, count, largest, terms)
    rate, frequency = _roots(coefficients, p, draws.chance(0.5, count, terms))
    start = torch.where(draws.chance(0.5, count, 1), 0.0, draws.uniform(count, terms, high=2 * math.pi))
    beta = torch.where(frequency > 0, start, 0.0)  # half of the strings start at rest
    free = initial[:, None] | draws.chance(FREE, count, 1)
    zero = torch.zeros_like(p)
    return Modes(
        amplitude=_amplitudes(draws, (FAST / rate.abs().clamp(min=FAST)).square()),
        number=torch.where(free, p, _whole(draws, count, largest, terms)),
        alpha=torch.where(free, alpha, zero),
        rate=torch.where(free, rate, zero),
        origin=torch.where(rate > 0, 1.0, -1.0),
        frequency=torch.where(free, frequency, _whole(draws, count, largest, terms)),
        beta=torch.where(free, beta, zero - math.pi / 2),
    )


def random_profile(draws: Draws, count: int, largest: float, terms: int = 4) -> Modes:
    """Functions of x alone, zero at x = +-1: an initial state between held ends."""
    zero = torch.zeros(count, terms, device=draws.device)
    return Modes(_amplitudes(draws, zero + 1), _whole(draws, count, largest, terms), zero, zero, zero, zero, zero)


def _profile(draws: Draws, count: int, largest: float, terms: int) -> tuple[Tensor, Tensor]:
    """Wave numbers and phases in x: zero at both ends for two samples of three."""
    held = draws.chance(2 / 3, count, 1)
    loose = draws.uniform(count, terms, high=largest)
    phase = draws.uniform(count, terms, high=2 * math.pi)
    return torch.where(held, _whole(draws, count, largest, terms), loose), torch.where(held, 0.0, phase)


def _whole(draws: Draws, count: int, largest: float, terms: int) -> Float[Tensor, "count terms"]:
    """k pi / 2 up to a bound of the sample's own: sin(k pi (x + 1) / 2) is zero at x = +-1."""
    most = max(1.0, largest / (math.pi / 2))
    bound = draws.log_uniform(count, 1, low=1.0, high=most + 1)
    return (1 + (bound * draws.uniform(count, terms)).floor().clamp(max=math.floor(most) - 1)) * math.pi / 2


def _amplitudes(draws: Draws, weights: Float[Tensor, "count terms"]) -> Float[Tensor, "count terms"]:
    """Normal times the weights, for 1 to all of the terms; together 0.3 to 3 high."""
    count, terms = weights.shape
    used = torch.arange(terms, device=draws.device) < draws.integers(1, terms + 1, count, 1)
    amplitude = weights * draws.normal(count, terms) * used
    return draws.log_uniform(count, 1, low=0.3, high=3.0) * amplitude / amplitude.norm(dim=1, keepdim=True)


def _roots(
    coefficients: Float[Tensor, "batch 5"], p: Float[Tensor, "batch terms"], plus: Bool[Tensor, "batch terms"]
) -> tuple[Tensor, Tensor]:
    """Rate and frequency of a root r +- i w of c4 z^2 + c2 z + (c0 - c3 p^2); zero where there is no such term."""
    c0, _, c2, c3, c4 = coefficients[..., None].unbind(1)
    rest = c0 - c3 * p * p
    linear = torch.where(c2 != 0, -rest / torch.where(c2 != 0, c2, 1.0), 0.0)
    lead = torch.where(c4 != 0, c4, 1.0)
    middle = -c2 / (2 * lead)
    square = middle.square() - rest / lead
    offset = square.clamp(min=0).sqrt() * torch.where(plus, 1.0, -1.0)
    quadratic = c4 != 0
    rate = torch.where(quadratic, middle + offset, linear)
    return rate, torch.where(quadratic, (-square).clamp(min=0).sqrt(), 0.0)
