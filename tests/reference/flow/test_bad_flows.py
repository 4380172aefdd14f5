"""What makes no flow is refused in one line."""

import numpy as np
import pytest
from flows import DFG, enclosed

from physolve.errors import SpecificationError
from physolve.reference.flow import Channel, Flow, Inflow, MeshSizes, Stepper, at_rest
from physolve.spec.geometry import Ball, Disk


def flow():
    return enclosed(((0.0, 0.0), (1.0, 1.0)), 0.5, 1.0, at_rest)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Channel(0.0, 1.0), "channel: length: got 0.0, expected a positive number"),
        (
            lambda: Channel(1.0, 0.4, (Disk((0.5, 0.35), 0.1),)),
            r"obstacle 0 reaches from \(0.4, 0.25\) to \(0.6, 0.45\)",
        ),
        (lambda: Channel(1.0, 0.4, (Ball((0.5, 0.2, 0.2), 0.1),)), "got a 3-D shape, expected a plane one"),
        (lambda: MeshSizes(0.1, 0.0), "mesh sizes: obstacle: got 0.0"),
        (lambda: Inflow(0.41, -1.0), "inflow: peak: got -1.0, expected a positive number"),
        (lambda: Inflow(0.41, 1.0, ramp=-1.0), "inflow: ramp: got -1.0, expected a number from 0"),
        (lambda: Flow(flow().space, 0.0, {0: at_rest}), "viscosity: got 0.0, expected a positive number"),
        (lambda: Flow(flow().space, 1.0, {7: at_rest}), r"no boundary part has the label 7; there are \[0\]"),
        (lambda: Stepper(flow(), np.nan), "dt: got nan, expected a positive number"),
        (lambda: Stepper(flow(), 0.1, rtol=0.0), "rtol: got 0.0, expected a positive number"),
    ],
)
def test_refused(make, message):
    with pytest.raises(SpecificationError, match=message):
        make()


def test_the_channel_lacks_its_obstacles():
    assert not DFG.shape.contains(np.array([[0.2, 0.2]])).any()
    assert DFG.shape.contains(np.array([[0.3, 0.2]])).all()
