"""Random domains: the square less up to three disks, triangles, rectangles, one of which may be a notch in its rim."""

import math
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ._draws import Draws
from ._settings import ShapeSettings

CORNERS = 4  # of a rectangle; a triangle repeats its last one
OUTSIDE = -10.0  # the level of a hole that is not there


@dataclass(frozen=True, eq=False)
class Holes:
    """Slots for holes: a disk (center, radius) or a convex polygon, its corners counterclockwise."""

    present: Bool[Tensor, "batch holes"]
    disk: Bool[Tensor, "batch holes"]
    center: Float[Tensor, "batch holes 2"]
    radius: Float[Tensor, "batch holes"]
    corners: Float[Tensor, "batch holes 4 2"]

    @property
    def steps(self) -> Float[Tensor, "batch holes 4 2"]:
        """From every corner to the next one."""
        return self.corners.roll(-1, 2) - self.corners

    @property
    def lengths(self) -> Float[Tensor, "batch holes 4"]:
        return self.steps.norm(dim=-1)

    @property
    def normals(self) -> Float[Tensor, "batch holes 4 2"]:
        """Unit normals of the sides, out of the hole; zero for a side without length."""
        forward = self.steps / self.lengths.clamp(min=1e-12)[..., None]
        return torch.stack([forward[..., 1], -forward[..., 0]], -1)

    def pick(self, rows: Tensor) -> "Holes":
        return Holes(*(getattr(self, field.name)[rows] for field in fields(self)))

    def level(self, points: Float[Tensor, "batch n 2"]) -> Float[Tensor, "batch holes n"]:
        """Positive inside a hole (distance to the nearest side's line or to the circle), negative outside of it."""
        normals = self.normals
        offset = (normals * self.corners).sum(-1)
        offset = torch.where(self.lengths > 0, offset, -OUTSIDE)
        along = normals.flatten(1, 2) @ points.mT
        polygon = (offset[..., None] - along.unflatten(1, (-1, CORNERS))).amin(2)
        round_ = self.radius[..., None] - torch.cdist(self.center, points, compute_mode="donot_use_mm_for_euclid_dist")
        level = torch.where(self.disk[..., None], round_, polygon)
        return torch.where(self.present[..., None], level, OUTSIDE)

    def deepest(
        self, points: Float[Tensor, "batch n 2"], without: Bool[Tensor, "batch holes n"] | None = None
    ) -> Float[Tensor, "batch n"]:
        """The largest level of all holes, or of all but those marked for a point; only samples with holes cost time."""
        result = torch.full_like(points[..., 0], OUTSIDE)
        rows = self.present.any(1).nonzero()[:, 0]
        if len(rows):
            level = self.pick(rows).level(points[rows])
            level = level if without is None else level.masked_fill(without[rows], OUTSIDE)
            result[rows] = level.amax(1)
        return result


def random_holes(draws: Draws, settings: ShapeSettings, allowed: Bool[Tensor, " batch"]) -> Holes:
    """Holes for the `allowed` samples. Where too little of the square is left, all of the sample's are taken back."""
    count, most = len(allowed), settings.most
    notch = allowed & draws.chance(settings.notch, count)
    some = allowed & draws.chance(settings.holes, count)
    number = torch.where(some, draws.integers(1, most + 1, count), 0)
    present = torch.arange(most, device=draws.device) < number[:, None]
    kind = draws.integers(0, 3, count, most)  # disk, triangle, rectangle
    center = draws.uniform(count, most, 2, low=-0.9, high=0.9)
    radius = draws.log_uniform(count, most, low=settings.smallest, high=settings.largest)
    corners = torch.where(kind[..., None, None] == 1, _triangles(draws, radius), _rectangles(draws, radius))
    corners = corners + center[:, :, None]
    corners[:, 0] = torch.where(notch[:, None, None], _notches(draws, count), corners[:, 0])
    present[:, 0] |= notch
    disk = kind == 0
    disk[:, 0] &= ~notch
    holes = Holes(present, disk, center, radius, corners)
    probe = draws.uniform(count, 256, 2, low=-1, high=1)
    left = (holes.deepest(probe) < 0).float().mean(1)
    return Holes(present & (left >= settings.area)[:, None], disk, center, radius, corners)


def _triangles(draws: Draws, radius: Float[Tensor, "batch holes"]) -> Float[Tensor, "batch holes 4 2"]:
    """Corners on a circle, 120 degrees apart give or take 30; the fourth repeats the third."""
    third = 2 * math.pi / 3
    place = torch.tensor([0, third, 2 * third, 2 * third], device=draws.device)
    jitter = draws.uniform(*radius.shape, 3, low=-third / 4, high=third / 4)
    turn = draws.uniform(*radius.shape, 1, high=2 * math.pi)
    angle = place + turn + jitter[..., [0, 1, 2, 2]]
    return radius[..., None, None] * torch.stack([angle.cos(), angle.sin()], -1)


def _rectangles(draws: Draws, radius: Float[Tensor, "batch holes"]) -> Float[Tensor, "batch holes 4 2"]:
    """Half of the diagonal is the radius; half of the rectangles stand upright."""
    slant = draws.uniform(*radius.shape, 1, low=0.15 * math.pi, high=0.35 * math.pi)
    turn = draws.uniform(*radius.shape, 1, high=math.pi) * draws.chance(0.5, *radius.shape, 1)
    angle = turn + torch.cat([slant, math.pi - slant, math.pi + slant, -slant], -1)
    return radius[..., None, None] * torch.stack([angle.cos(), angle.sin()], -1)


def _notches(draws: Draws, count: int) -> Float[Tensor, "count 4 2"]:
    """Upright rectangles around a corner of the square (two of three) or a point of a side."""
    sign = draws.sign(count, 2)
    along = draws.uniform(count, low=-0.7, high=0.7)
    side = torch.where(
        draws.chance(0.5, count)[:, None], torch.stack([sign[:, 0], along], 1), torch.stack([along, sign[:, 1]], 1)
    )
    corner = draws.chance(2 / 3, count)[:, None]
    half = torch.where(corner, draws.uniform(count, 2, low=0.3, high=1.2), draws.uniform(count, 2, low=0.15, high=0.7))
    signs = torch.tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]], device=draws.device)
    return torch.where(corner, sign, side)[:, None] + signs * half[:, None]
