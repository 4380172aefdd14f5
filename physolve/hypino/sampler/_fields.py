"""Random functions of (x, y) with their jets, one of its own for every sample of a batch.

A field's `jet` takes points (batch, n, 2) to (batch, 5, n): u, u_x, u_y, u_xx, u_yy, as LAYOUT orders them.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._draws import Draws

Jets = Float[Tensor, "batch 5 n"]
Points = Float[Tensor, "batch n 2"]
PerTerm = Float[Tensor, "batch terms"]


class RandomField(Protocol):
    """One function a sample."""

    def jet(self, points: Points) -> Jets: ...


@dataclass(frozen=True, eq=False)
class Waves:
    """sum_k a_k sin(p_k x + q_k y + phase_k)."""

    amplitude: PerTerm
    numbers: Float[Tensor, "batch terms 2"]
    phase: PerTerm

    def jet(self, points: Points) -> Jets:
        z = torch.baddbmm(self.phase[..., None], self.numbers, points.mT)
        a, (p, q) = self.amplitude, self.numbers.unbind(-1)
        even = torch.stack([a, -a * p * p, -a * q * q], 1) @ z.sin()
        odd = torch.stack([a * p, a * q], 1) @ z.cos()
        return torch.cat([even[:, :1], odd, even[:, 1:]], 1)


@dataclass(frozen=True, eq=False)
class Bumps:
    """sum_k a_k exp(-(x - x_k)^2 / 2 s_k^2 - (y - y_k)^2 / 2 t_k^2), widths (s_k, t_k)."""

    amplitude: PerTerm
    centers: Float[Tensor, "batch terms 2"]
    widths: Float[Tensor, "batch terms 2"]

    def jet(self, points: Points) -> Jets:
        p, q = (1 / self.widths).unbind(-1)
        x0, y0 = self.centers.unbind(-1)
        x = p[..., None] * (points[:, None, :, 0] - x0[..., None])
        y = q[..., None] * (points[:, None, :, 1] - y0[..., None])
        g = self.amplitude[..., None] * torch.exp(-0.5 * (x * x + y * y))
        gx, gy = g * x, g * y
        zeroth, first, second = torch.ones_like(p), (-p, -q), (p * p, q * q)
        rows = [(zeroth, g), (first[0], gx), (first[1], gy), (second[0], gx * x - g), (second[1], gy * y - g)]
        return torch.cat([weight[:, None] @ value for weight, value in rows], 1)


@dataclass(frozen=True, eq=False)
class Modes:
    """sum_k a_k sin(p_k (x + 1) + alpha_k) exp(r_k (y - y_k)) cos(w_k (y + 1) + beta_k)."""

    amplitude: PerTerm
    number: PerTerm
    alpha: PerTerm
    rate: PerTerm
    origin: PerTerm
    frequency: PerTerm
    beta: PerTerm

    def jet(self, points: Points) -> Jets:
        x, y = points[:, None, :, 0], points[:, None, :, 1]
        p, r, w = (part[..., None] for part in (self.number, self.rate, self.frequency))
        z = p * (x + 1) + self.alpha[..., None]
        angle = w * (y + 1) + self.beta[..., None]
        X, dX = self.amplitude[..., None] * z.sin(), self.amplitude[..., None] * p * z.cos()
        envelope = torch.exp(r * (y - self.origin[..., None]))
        Y = envelope * angle.cos()
        dY = r * Y - w * envelope * angle.sin()
        ddY = 2 * r * dY - (r * r + w * w) * Y
        return torch.stack(
            [(X * Y).sum(1), (dX * Y).sum(1), (X * dY).sum(1), (-p * p * X * Y).sum(1), (X * ddY).sum(1)], 1
        )


@dataclass(frozen=True, eq=False)
class Vanishing:
    """X(x) Y(y) with X = 1 - x^2 for samples that vanish in x, Y = 1 - y^2 for those that do in y, else 1."""

    in_x: Bool[Tensor, " batch"]
    in_y: Bool[Tensor, " batch"]

    def jet(self, points: Points) -> Jets:
        x, y = points.unbind(-1)
        (X, dX, ddX), (Y, dY, ddY) = _parabola(x, self.in_x), _parabola(y, self.in_y)
        return torch.stack([X * Y, dX * Y, X * dY, ddX * Y, X * ddY], 1)


def _parabola(x: Float[Tensor, "batch n"], bent: Bool[Tensor, " batch"]) -> tuple[Tensor, Tensor, Tensor]:
    b = bent[:, None].to(x.dtype)
    return 1 - b * x * x, -2 * b * x, (-2 * b).expand_as(x)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Samples `rows[i]` have the functions `parts[i]`; rows named by none are zero."""

    count: int
    rows: tuple[Int[Tensor, " some"], ...]
    parts: tuple[RandomField, ...]

    def jet(self, points: Points) -> Jets:
        result = points.new_zeros(self.count, 5, points.shape[1])
        for rows, part in zip(self.rows, self.parts, strict=True):
            if len(rows):
                result[rows] = part.jet(points[rows])
        return result


@dataclass(frozen=True, eq=False)
class Product:
    """left * right."""

    left: RandomField
    right: RandomField

    def jet(self, points: Points) -> Jets:
        return multiply(self.left.jet(points), self.right.jet(points))


def multiply(a: Jets, b: Jets) -> Jets:
    """The product rule."""
    u, v = a[:, :1], b[:, :1]
    first, second = slice(1, 3), slice(3, 5)
    return torch.cat(
        [
            u * v,
            a[:, first] * v + u * b[:, first],
            a[:, second] * v + 2 * a[:, first] * b[:, first] + u * b[:, second],
        ],
        1,
    )


def random_waves(draws: Draws, count: int, largest: float, terms: int = 6) -> Waves:
    """1 to `terms` waves with numbers up to a bound of the sample's own, at most `largest` per coordinate."""
    bound = draws.log_uniform(count, 1, 1, low=min(1.0, largest), high=largest)
    amplitude = draws.normal(count, terms) * _first(draws, count, terms)
    scale = draws.log_uniform(count, 1, low=0.2, high=2.0) / (0.5 * amplitude.square().sum(1, keepdim=True)).sqrt()
    numbers = bound * draws.uniform(count, terms, 2, low=-1, high=1)
    return Waves(amplitude * scale, numbers, draws.uniform(count, terms, high=2 * math.pi))


def random_bumps(draws: Draws, count: int, narrowest: float, terms: int = 8) -> Bumps:
    """1 to `terms` bumps of widths from `narrowest` to 0.5, half of them round; the highest is 0.5 to 3 high."""
    amplitude = draws.normal(count, terms) * _first(draws, count, terms)
    high = draws.log_uniform(count, 1, low=0.5, high=3.0) / amplitude.abs().amax(1, keepdim=True)
    widths = draws.log_uniform(count, terms, 2, low=narrowest, high=0.5)
    widths = torch.where(draws.chance(0.5, count, terms, 1), widths, widths[..., :1])
    return Bumps(amplitude * high, draws.uniform(count, terms, 2, low=-1, high=1), widths)


def _first(draws: Draws, count: int, terms: int) -> Float[Tensor, "count terms"]:
    """One for a random number of the first terms, at least one, zero for the rest."""
    used = torch.arange(terms, device=draws.device) < draws.integers(1, terms + 1, count, 1)
    return used.to(torch.float32)
