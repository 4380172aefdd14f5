"""Random expressions: the published manufactured solutions (2509.05117), in batches, with their jets."""

import math
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physolve.errors import NumericalError
from physolve.jets import IDENTITY, SINE, TANH

from ._draws import Draws
from ._fields import Jets, Points, multiply

ADD, MULTIPLY, COMPOSE = 0, 1, 2
FEWEST, MOST = 6, 10

# psi(z) = gain * base(scale z + shift) + lift: six functions from four bases, identity, sin, tanh, 1 / (1 + z^2)
PSI = (
    # base, scale, shift, gain, lift
    (0, 1.0, 0.0, 1.0, 0.0),  # z
    (1, 1.0, 0.0, 1.0, 0.0),  # sin z
    (1, 1.0, math.pi / 2, 1.0, 0.0),  # cos z
    (2, 1.0, 0.0, 1.0, 0.0),  # tanh z
    (2, 0.5, 0.0, 0.5, 0.5),  # sigmoid z
    (3, 1.0, 0.0, 1.0, 0.0),  # 1 / (1 + z^2)
)


@dataclass(frozen=True, eq=False)
class Trees:
    """u = 0, then for every term one of
        ADD       u + v,   v = d psi(a x + b y + c) + e
        MULTIPLY  u v
        COMPOSE   d psi(u) + e

    Terms beyond a sample's own number leave u as it is: ADD with d = e = 0.
    """

    rule: Int[Tensor, "batch *terms"]
    base: Int[Tensor, "batch *terms"]
    a: Float[Tensor, "batch *terms"]
    b: Float[Tensor, "batch *terms"]
    c: Float[Tensor, "batch *terms"]
    scale: Float[Tensor, "batch *terms"]
    d: Float[Tensor, "batch *terms"]
    e: Float[Tensor, "batch *terms"]

    def pick(self, *index: Tensor | slice | int) -> "Trees":
        """The same index into every tensor."""
        return Trees(*(getattr(self, field.name)[index] for field in fields(self)))

    def jet(self, points: Points) -> Jets:
        jet = points.new_zeros(len(points), 5, points.shape[1])
        for k in range(self.rule.shape[1]):
            _advance(jet, self.pick(slice(None), k), points)
        return jet


def random_trees(draws: Draws, count: int) -> Trees:
    """The published distribution: 6 to 10 terms, a and b zero or U(-10, 10), c, d, e ~ U(-2 pi, 2 pi)."""
    shape = (count, MOST)
    table = torch.tensor(PSI, device=draws.device)[draws.integers(0, len(PSI), *shape)]
    base, scale, shift, gain, lift = table.unbind(-1)
    rule = draws.integers(0, 3, *shape)
    a, b = (draws.uniform(*shape, low=-10, high=10) * draws.chance(0.5, *shape) for _ in range(2))
    c, d, e = (draws.uniform(*shape, low=-2 * math.pi, high=2 * math.pi) for _ in range(3))
    number = draws.integers(FEWEST, MOST + 1, count, 1)
    place = torch.arange(MOST, device=draws.device)
    last, beyond = place == number - 1, place >= number
    d, e = torch.where(last, 1.0, d), torch.where(last, 0.0, e)
    c = torch.where(rule == COMPOSE, shift, scale * c + shift)
    d, e = torch.where(beyond, 0.0, gain * d), torch.where(beyond, 0.0, lift * d + e)
    return Trees(torch.where(beyond, ADD, rule), base.long(), scale * a, scale * b, c, scale, d, e)


def select_trees(draws: Draws, count: int, value: float, slope: float, spread: float, rounds: int = 20) -> Trees:
    """Trees that keep the published limits at 128 random points: |u|, |derivatives| and the deviation from constant.

    Candidates are drawn in rounds until there are enough. Should `rounds` not suffice, those there are repeat.
    """
    found: list[Trees] = []
    missing = count
    for _ in range(rounds):
        if missing <= 0:
            break
        candidates = random_trees(draws, 8 * missing + 32)
        jet = candidates.jet(draws.uniform(len(candidates.rule), 128, 2, low=-1, high=1))
        kept = admissible(jet, value, slope, spread).nonzero()[:, 0]
        found.append(candidates.pick(kept))
        missing -= len(kept)
    trees = Trees(*(torch.cat([getattr(part, f.name) for part in found]) for f in fields(Trees)))
    if not len(trees.rule):
        raise NumericalError(
            f"sampler: no random expression kept the limits value={value}, slope={slope}, spread={spread};"
            " raise value and slope or lower spread in SamplerSettings"
        )
    return trees.pick(torch.arange(count, device=draws.device) % len(trees.rule))


def admissible(jet: Jets, value: float, slope: float, spread: float) -> Bool[Tensor, " batch"]:
    """Which samples keep the limits; one with a NaN does not."""
    largest = jet.abs().amax(-1)
    return (largest[:, 0] <= value) & (largest[:, 1:].amax(1) <= slope) & (jet[:, 0].std(-1) >= spread)


def _advance(jet: Jets, term: Trees, points: Points) -> None:
    """One term of every sample, in place; samples of one rule together."""
    for rule, step in ((ADD, _add), (MULTIPLY, _multiply), (COMPOSE, _compose)):
        rows = (term.rule == rule).nonzero()[:, 0]
        if len(rows):
            jet[rows] = step(jet[rows], term.pick(rows), points[rows])


def _add(jet: Jets, term: Trees, points: Points) -> Jets:
    return jet + _of_line(term, points)


def _multiply(jet: Jets, term: Trees, points: Points) -> Jets:
    return multiply(jet, _of_line(term, points))


def _of_line(term: Trees, points: Points) -> Jets:
    """d psi(a x + b y + c) + e."""
    a, b, c, d, e = (part[:, None, None] for part in (term.a, term.b, term.c, term.d, term.e))
    x, y = points[:, None].unbind(-1)
    s, ds, dds = _bases(term.base, a * x + b * y + c)
    weights = torch.cat([a, b, a * a, b * b], 1) * d
    return torch.cat([d * s + e, weights[:, :2] * ds, weights[:, 2:] * dds], 1)


def _compose(jet: Jets, term: Trees, points: Points) -> Jets:
    """d psi(u) + e."""
    c, scale, d, e = (part[:, None, None] for part in (term.c, term.scale, term.d, term.e))
    z = scale * jet
    s, ds, dds = (d * part for part in _bases(term.base, z[:, :1] + c))
    return torch.cat([s + e, ds * z[:, 1:3], ds * z[:, 3:] + dds * z[:, 1:3].square()], 1)


def _bases(base: Int[Tensor, " batch"], z: Float[Tensor, "batch 1 n"]) -> tuple[Tensor, Tensor, Tensor]:
    """Value and two derivatives of every sample's base."""
    s, ds, dds = z, torch.ones_like(z), torch.zeros_like(z)
    if len(z) == 1:
        return BASES[int(base)](z)
    s = s.clone()
    for k, function in enumerate(BASES[1:], 1):
        rows = (base == k).nonzero()[:, 0]
        if len(rows):
            s[rows], ds[rows], dds[rows] = function(z[rows])
    return s, ds, dds


def _rational(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    s = 1 / (1 + z * z)
    ds = -2 * z * s * s
    return s, ds, -2 * s * s - 4 * z * s * ds


BASES = (IDENTITY.derivatives, SINE.derivatives, TANH.derivatives, _rational)
