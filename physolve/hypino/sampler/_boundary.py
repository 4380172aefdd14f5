"""Points on the boundary of a domain, evenly by length, with outward normals and the part that they lie on."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._draws import Draws
from ._shapes import CORNERS, Holes

LEFT, RIGHT, BOTTOM, TOP = range(4)
SIDES = 4
"""Parts of the boundary: the square's four sides, then the holes by their slots."""

# Counterclockwise along each side, in the order of the parts.
STARTS = ((-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (1.0, 1.0))
DIRECTIONS = ((0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0))
NORMALS = ((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0))

OVERSAMPLED = 2
"""Candidates for a point: those within a hole or beyond the square are passed over."""


@dataclass(frozen=True, eq=False)
class Rim:
    """Boundary points; `part` says what they lie on."""

    points: Float[Tensor, "batch n 2"]
    normals: Float[Tensor, "batch n 2"]
    part: Int[Tensor, "batch n"]

    def pick(self, *index: Tensor) -> "Rim":
        """The same index into every tensor."""
        return Rim(self.points[index], self.normals[index], self.part[index])


@dataclass(frozen=True, eq=False)
class _Curves:
    """All pieces of a boundary: straight from `start` along `direction`, or (radius > 0) round the center `start`."""

    start: Float[Tensor, "batch pieces 2"]
    direction: Float[Tensor, "batch pieces 2"]
    normal: Float[Tensor, "batch pieces 2"]
    radius: Float[Tensor, "batch pieces"]
    length: Float[Tensor, "batch pieces"]
    part: Int[Tensor, " pieces"]


def random_rim(draws: Draws, holes: Holes, used: Bool[Tensor, "batch parts"], count: int) -> Rim:
    """`count` points a sample, evenly along the visible boundary of the parts that are `used`, from a random start.

    Where fewer candidates are visible than points are asked for, some come more than once.
    """
    rim = _evenly(draws, _curves(holes, used), count)
    rows = holes.present.any(1).nonzero()[:, 0]
    if len(rows):
        some = holes.pick(rows)
        candidates = _evenly(draws, _curves(some, used[rows]), OVERSAMPLED * count)
        chosen = _spread(_visible(some, candidates), count)
        visible = candidates.pick(torch.arange(len(rows), device=draws.device)[:, None], chosen)
        rim.points[rows], rim.normals[rows], rim.part[rows] = visible.points, visible.normals, visible.part
    return rim


def _evenly(draws: Draws, curves: _Curves, count: int) -> Rim:
    """Points evenly along all pieces."""
    ends = curves.length.cumsum(1)
    place = (torch.arange(count, device=draws.device) + draws.uniform(len(ends), 1)) / count * ends[:, -1:]
    piece = torch.searchsorted(ends, place, right=True).clamp(max=ends.shape[1] - 1)
    return _at(curves, piece, place - (ends - curves.length).gather(1, piece))


def _curves(holes: Holes, used: Bool[Tensor, "batch parts"]) -> _Curves:
    batch, slots = holes.present.shape
    like = holes.center
    sides = [like.new_tensor(table).expand(batch, SIDES, 2) for table in (STARTS, DIRECTIONS, NORMALS)]
    lengths, zero = holes.lengths, torch.zeros_like(like)
    there = holes.present & used[:, SIDES:]
    parts = torch.arange(slots, device=like.device) + SIDES
    return _Curves(
        start=torch.cat([sides[0], holes.corners.flatten(1, 2), holes.center], 1),
        direction=torch.cat([sides[1], (holes.steps / lengths.clamp(min=1e-12)[..., None]).flatten(1, 2), zero], 1),
        normal=torch.cat([sides[2], -holes.normals.flatten(1, 2), zero], 1),
        radius=torch.cat([like.new_zeros(batch, SIDES + CORNERS * slots), holes.radius], 1),
        length=torch.cat(
            [
                2.0 * used[:, :SIDES],
                (lengths * (there & ~holes.disk)[..., None]).flatten(1, 2),
                2 * torch.pi * holes.radius * (there & holes.disk),
            ],
            1,
        ),
        part=torch.cat([torch.arange(SIDES, device=like.device), parts.repeat_interleave(CORNERS), parts]),
    )


def _at(curves: _Curves, piece: Int[Tensor, "batch n"], along: Float[Tensor, "batch n"]) -> Rim:
    """The points a length `along` into the pieces."""
    pair = piece[..., None].expand(*piece.shape, 2)
    start, direction, normal = (t.gather(1, pair) for t in (curves.start, curves.direction, curves.normal))
    radius = curves.radius.gather(1, piece)
    angle = along / radius.clamp(min=1e-12)
    outward = torch.stack([angle.cos(), angle.sin()], -1)
    round_ = (radius > 0)[..., None]
    points = start + torch.where(round_, radius[..., None] * outward, direction * along[..., None])
    return Rim(points, torch.where(round_, -outward, normal), curves.part[piece])


def _visible(holes: Holes, rim: Rim) -> Bool[Tensor, "batch n"]:
    """In the closed square and in no other hole."""
    slots = torch.arange(holes.present.shape[1], device=rim.part.device)
    own = rim.part[:, None] == slots[:, None] + SIDES
    return (rim.points.abs().amax(-1) <= 1) & (holes.deepest(rim.points, own) < 0)


def _spread(visible: Bool[Tensor, "batch n"], count: int) -> Int[Tensor, "batch count"]:
    """Indices of `count` visible candidates, evenly among them."""
    rank = visible.cumsum(1)
    wanted = ((torch.arange(count, device=rank.device) + 0.5) / count * rank[:, -1:]).floor().long() + 1
    return torch.searchsorted(rank, wanted).clamp(max=rank.shape[1] - 1)
