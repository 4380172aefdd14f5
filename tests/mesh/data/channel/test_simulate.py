"""Flows of cases: any shape, the wanted size of mesh, and what is refused."""

import numpy as np
import pytest

from physolve.errors import NumericalError
from physolve.mesh import NodeType
from physolve.mesh.data.channel import (
    ChannelSettings,
    _simulate,
    circle,
    draw_case,
    ellipse,
    rectangle,
    simulated,
    triangle,
)

SHORT = {"nodes": 200, "start": 0.0, "steps": 3, "interval": 0.01, "substeps": 1}


@pytest.mark.parametrize("shape", [circle, ellipse, rectangle, triangle])
def test_flows_pass_any_shape(shape):
    settings = ChannelSettings(shapes=(shape,), ramp=(0.0, 0.0), **SHORT)
    case = draw_case(settings, 0, 1)
    frames = simulated(case, settings)
    assert len(frames.points) == pytest.approx(200, rel=0.1)
    assert frames.velocity.shape == (3, len(frames.points), 2)
    obstacle = frames.points[frames.node_type == NodeType.OBSTACLE]
    distance = case.channel.obstacles[0].signed_distance(obstacle)
    np.testing.assert_allclose(distance, 0.0, atol=1e-6)
    assert np.abs(frames.velocity[1:]).max() > case.inflow.peak  # the flow is squeezed


def test_a_flow_that_is_not_resolved_is_refused(monkeypatch):
    monkeypatch.setattr(_simulate, "_FASTEST", 0.5)
    settings = ChannelSettings(ramp=(0.0, 0.0), **SHORT)
    with pytest.raises(NumericalError, match=r"not resolved: at t = 0 it is as fast as .* \(more substeps\)"):
        simulated(draw_case(settings, 0, 0), settings)
