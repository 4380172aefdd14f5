"""Drawing by scattering against all distances in float64."""

import pytest
import torch

from physolve.hypino import draw, grid_nodes
from physolve.hypino._raster import REACH


@pytest.mark.parametrize("n", [17, 64, 224])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_drawing_is_the_nearest_point_within_reach(n, dtype):
    generator = torch.Generator().manual_seed(n)
    points = (2.1 * torch.rand(3, 150, 2, generator=generator, dtype=torch.float64) - 1.05).to(dtype)
    points[0, :50, 0], points[0, 50:99, 1] = 1, -1
    values = torch.randn(3, 150, generator=generator).to(dtype)
    used = torch.rand(3, 150, generator=generator) < 0.7
    used[2] = False
    drawing = draw(points, values, used, n)
    assert drawing.mask.dtype == drawing.values.dtype == dtype

    nodes = grid_nodes(n, torch.float64).reshape(1, -1, 2)
    distance = torch.cdist(nodes, points.double(), compute_mode="donot_use_mm_for_euclid_dist")
    distance = distance.masked_fill(~used[:, None], 9.0)
    least, nearest = distance.sort(-1)[0], distance.argmin(-1)
    radius = max(REACH, 0.75 * 2 / (n - 1))
    mask = drawing.mask.flatten(1).bool()
    sure = (least[..., 0] - radius).abs() > 1e-6
    assert torch.equal(mask[sure], (least[..., 0] < radius)[sure])
    clear = mask & (least[..., 1] - least[..., 0] > 1e-6)
    assert clear.sum() > 50
    assert torch.equal(drawing.values.flatten(1)[clear], values.gather(1, nearest)[clear])
    assert not drawing.values.flatten(1)[~mask].any()


def test_of_equally_near_points_the_first_is_drawn():
    points = torch.tensor([[[0.01, 0.0], [-0.01, 0.0], [0.0, 0.01]]])
    drawing = draw(points, torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[False, True, True]]), 65)
    assert drawing.values[0, 32, 32] == 2
