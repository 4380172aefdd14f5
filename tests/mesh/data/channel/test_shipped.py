"""The small data set that ships."""

from pathlib import Path

import numpy as np
import pytest

from physolve.mesh.data import MeshStore
from physolve.mesh.data.channel import ChannelSettings, draw_case, simulated

SHIPPED = Path(__file__).resolve().parents[4] / "data" / "cfd" / "cylinder.h5"
SETTINGS = ChannelSettings(nodes=400, steps=61, interval=0.02, substeps=8)
"""Of the command in data/cfd/README.md."""


def test_it_holds_what_its_readme_says():
    store = MeshStore(SHIPPED)
    assert [len(store.names(split)) for split in ("train", "validation", "test")] == [8, 1, 1]
    assert store.fields() == {"velocity": 2, "pressure": 0}
    assert {len(store.times(name)) for name in store.names()} == {61}
    assert SHIPPED.stat().st_size < 4e6


def test_its_flows_are_those_of_the_seed():
    store = MeshStore(SHIPPED)
    for number, name in enumerate(store.names()):
        inflow = store.frame(name, 60)["velocity"][store.mesh(name).node_type == 4, 0].max()
        peak = draw_case(SETTINGS, 0, number).inflow.peak
        assert 0.9 * peak < inflow <= peak * (1 + 1e-6)  # the vertex nearest to the middle


@pytest.mark.slow
def test_the_command_makes_it_again():
    store, frames = MeshStore(SHIPPED), simulated(draw_case(SETTINGS, 0, 0), SETTINGS)
    np.testing.assert_allclose(store.mesh("flow_0000").points, frames.points, atol=1e-9)
    # another machine rounds otherwise, and its iterations end elsewhere within their tolerance
    np.testing.assert_allclose(store.frame("flow_0000", 60)["velocity"], frames.velocity[60], atol=1e-3)
