"""Cases drawn from a seed."""

import numpy as np
import pytest

from physolve.errors import SpecificationError
from physolve.mesh.data.channel import ChannelSettings, circle, draw_case, ellipse, rectangle, triangle

MANY = ChannelSettings(
    shapes=(circle, ellipse, rectangle, triangle), obstacles=(2, 3), radius=(0.03, 0.05), centre=(0.2, 1.0)
)


@pytest.mark.parametrize("number", range(12))
def test_obstacles_are_clear_of_the_walls_and_of_one_another(number):
    channel = draw_case(MANY, 3, number).channel
    edges = [obstacle.sample_boundary(200, method="grid").points for obstacle in channel.obstacles]
    assert 2 <= len(edges) <= 3
    for k, edge in enumerate(edges):
        assert edge[:, 1].min() >= 0.05 - 1e-9
        assert edge[:, 1].max() <= 0.41 - 0.05 + 1e-9
        for other in edges[:k]:
            assert np.linalg.norm(edge[:, None] - other, axis=-1).min() >= 0.05 - 1e-9


def test_a_case_depends_on_its_seed_and_number_alone():
    assert draw_case(MANY, 1, 5) == draw_case(MANY, 1, 5)
    assert len({draw_case(MANY, seed, number).inflow.peak for seed in (1, 2) for number in range(4)}) == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"viscosity": 0.0}, "viscosity: got 0.0, expected a positive number"),
        ({"peak": (2.0, 1.0)}, r"peak: got \(2.0, 1.0\), expected two numbers from 0, the larger last"),
        ({"radius": (0.1, 0.2)}, "radius: got .* expected obstacles that leave a gap"),
        ({"centre": (0.05, 0.4)}, "centre: got .* expected obstacles inside"),
        ({"nodes": 10}, "nodes: got 10, expected 100 or more"),
        ({"shapes": ()}, r"shapes: got \(\), expected at least one"),
    ],
)
def test_settings_without_a_flow_are_refused(changes, message):
    with pytest.raises(SpecificationError, match=message):
        ChannelSettings(**changes)


def test_too_many_obstacles_are_refused():
    crowded = ChannelSettings(obstacles=(5, 5), centre=(0.3, 0.31))
    with pytest.raises(SpecificationError, match="5 do not fit"):
        draw_case(crowded, 0, 0)
