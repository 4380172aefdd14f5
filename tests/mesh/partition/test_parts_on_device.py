"""States on the host, a simulator on a GPU that is shown one part at a time; skipped where there is none."""

import boxes
import masks
import pytest
import torch

from physolve.mesh import moved
from physolve.mesh.partition import partitioned

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


@pytest.mark.parametrize("sight", boxes.SIGHTS.values(), ids=boxes.SIGHTS)
def test_part_by_part_a_simulator_on_the_device_says_the_same(sight):
    simulator, graph, state = boxes.simulated(3, 8, sight)
    simulator.cuda()
    with torch.no_grad():
        whole = torch.cat(simulator.advance(state.cuda(), moved(graph, "cuda")), 1)
        found = torch.cat(simulator.advance(state, partitioned(graph, 5)), 1)
    assert found.device.type == "cpu"
    assert masks.distance(found, whole.cpu()) < 1e-12
