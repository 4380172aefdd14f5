"""Random expressions: the published manufactured solutions (2509.05117), in batches, with their jets."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physolve.errors import NumericalError
from physolve.jets import IDENTITY, SINE, TANH

from ._draws import Draws
from ._fields import Jets, Points

ADD, MULTIPLY, COMPOSE, KEEP = range(4)
FEWEST, MOST = 6, 10
PROBES = 256

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
        COMPOSE   d psi(scale u + c) + e
        KEEP      u, beyond a sample's own number of terms

    with psi one of BASES; numbers are a, b, c, scale, d, e.
    """

    rule: Int[Tensor, "batch terms"]
    base: Int[Tensor, "batch terms"]
    numbers: Float[Tensor, "batch terms 6"]

    def pick(self, rows: Tensor) -> "Trees":
        return Trees(self.rule[rows], self.base[rows], self.numbers[rows])

    def jet(self, points: Points) -> Jets:
        jet = points.new_zeros(len(points), 5, points.shape[1])
        across = points.mT.contiguous()
        for k in range(self.rule.shape[1]):
            _advance(jet, self.rule[:, k], self.base[:, k], self.numbers[:, k], across)
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
    numbers = torch.stack([scale * a, scale * b, c, scale, gain * d, lift * d + e], -1)
    return Trees(torch.where(beyond, KEEP, rule), base.long(), numbers)


def select_trees(draws: Draws, count: int, value: float, slope: float, spread: float, rounds: int = 20) -> Trees:
    """Trees that keep the published limits at PROBES random points: |u|, |derivatives| and the deviation from constant.

    Candidates are drawn in rounds until there are enough. Should `rounds` not suffice, those there are repeat.
    """
    found, missing = [random_trees(draws, 0)], count
    for _ in range(rounds):
        if missing <= 0:
            break
        candidates = random_trees(draws, 5 * missing + 20)
        jet = candidates.jet(draws.uniform(len(candidates.rule), PROBES, 2, low=-1, high=1))
        kept = admissible(jet, value, slope, spread).nonzero()[:, 0]
        found.append(candidates.pick(kept))
        missing -= len(kept)
    trees = Trees(*(torch.cat(part) for part in zip(*((t.rule, t.base, t.numbers) for t in found), strict=True)))
    if count and not len(trees.rule):
        raise NumericalError(
            f"sampler: no random expression kept the limits value={value}, slope={slope}, spread={spread};"
            " raise value and slope or lower spread in SamplerSettings"
        )
    return trees.pick(torch.arange(count, device=draws.device) % max(1, len(trees.rule)))


def admissible(jet: Jets, value: float, slope: float, spread: float) -> Bool[Tensor, " batch"]:
    """Which samples keep the limits; one with a NaN does not."""
    largest = jet.abs().amax(-1)
    return (largest[:, 0] <= value) & (largest[:, 1:].amax(1) <= slope) & (jet[:, 0].std(-1) >= spread)


def _advance(jet: Jets, rule: Tensor, base: Tensor, numbers: Tensor, across: Float[Tensor, "batch 2 n"]) -> None:
    """One term of every sample, in place; samples of one rule and of one base together.

    index_select and index_copy_ copy whole rows at once: indexing took more than half of the time.
    """
    lines, (c, scale, d, e) = numbers[:, None, :2], numbers[:, 2:, None, None].unbind(1)
    add, multiply, compose = ((rule == k).nonzero()[:, 0] for k in (ADD, MULTIPLY, COMPOSE))
    z = torch.baddbmm(c, lines, across)
    if len(compose):
        z.index_copy_(0, compose, scale[compose] * jet[:, :1].index_select(0, compose) + c[compose])
    v, dv, ddv = (part.mul_(d) for part in _outer(base, z))
    v += e
    first, second = lines.mT, lines.mT.square()
    for rows, step in ((add, _add), (multiply, _multiply), (compose, partial(_compose, scale=scale[compose]))):
        if len(rows):
            some = jet.index_select(0, rows)
            step(some, *(part.index_select(0, rows) for part in (v, dv, ddv, first, second)))
            jet.index_copy_(0, rows, some)


def _add(jet: Jets, v: Tensor, dv: Tensor, ddv: Tensor, first: Tensor, second: Tensor) -> None:
    jet[:, :1] += v
    jet[:, 1:3].addcmul_(dv, first)
    jet[:, 3:].addcmul_(ddv, second)


def _multiply(jet: Jets, v: Tensor, dv: Tensor, ddv: Tensor, first: Tensor, second: Tensor) -> None:
    """The product rule; the second derivatives first, which need the old first ones."""
    slope = dv * first
    jet[:, 3:].mul_(v).addcmul_(jet[:, 1:3], slope, value=2).addcmul_(jet[:, :1], ddv * second)
    jet[:, 1:3].mul_(v).addcmul_(jet[:, :1], slope)
    jet[:, :1] *= v


def _compose(jet: Jets, v: Tensor, dv: Tensor, ddv: Tensor, *lines: Tensor, scale: Tensor) -> None:
    """The chain rule along scale u + c, the second derivatives first."""
    jet *= scale
    jet[:, 3:].mul_(dv).addcmul_(jet[:, 1:3].square(), ddv)
    jet[:, 1:3] *= dv
    jet[:, :1] = v


def _outer(base: Int[Tensor, " batch"], z: Float[Tensor, "batch 1 n"]) -> tuple[Tensor, Tensor, Tensor]:
    """Every sample's base at its z, with two derivatives."""
    whole = torch.empty_like(z), torch.empty_like(z), torch.empty_like(z)
    for k, function in enumerate(BASES):
        rows = (base == k).nonzero()[:, 0]
        if len(rows):
            for tensor, part in zip(whole, function(z.index_select(0, rows)), strict=True):
                tensor.index_copy_(0, rows, part)
    return whole


def _rational(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    s = 1 / (1 + z * z)
    ds = -2 * z * s * s
    return s, ds, -2 * s * s - 4 * z * s * ds


BASES = (IDENTITY.derivatives, SINE.derivatives, TANH.derivatives, _rational)
