"""The shipped simulator on a flow of data/cfd that it has never seen."""

from pathlib import Path

import numpy as np
import pytest

from physolve.mesh import NodeType, load_simulator
from physolve.mesh.data import MeshStore
from physolve.mesh.rollout import RolloutOutcome, run_rollout, stored_case

DATA = Path(__file__).resolve().parents[3] / "data"


@pytest.fixture(scope="module")
def store():
    return MeshStore(DATA / "cfd" / "cylinder.h5")


def test_it_forecasts_better_than_the_first_frame_kept(store):
    simulator = load_simulator(DATA / "mesh" / "cylinder.safetensors")
    (name,) = store.names("test")
    case = stored_case(store, name, simulator.design)
    done = run_rollout(simulator, case, case.steps)
    assert done.outcome is RolloutOutcome.FINISHED
    assert done.errors["velocity rmse 1"] < 0.5 * kept(store, name, 1)
    assert done.errors["velocity rmse"] < 0.7 * kept(store, name)


def kept(store, name, steps=None):
    """Error of the first frame over the steps, at normal nodes, as `RolloutErrors` has it."""
    inner = store.mesh(name).node_type == NodeType.NORMAL
    last = len(store.times(name)) - 1 if steps is None else steps
    velocity = np.stack([store.frame(name, k)["velocity"][inner] for k in range(last + 1)])
    return float(np.sqrt(np.square(velocity[1:] - velocity[0])[(0 if steps is None else steps - 1) :].mean()))
