"""A data set and a training run so small that they take seconds on one thread."""

from pathlib import Path

import pytest
from waves import write_flows

TINY = """
[data]
path = "{path}"
outputs = ["pressure"]

[transformer]
blocks = 2
width = 16
heads = 2
rotary = 2

[sight]
reach = 1
dilation = 3
global_nodes = 1

[training]
steps = 8
epoch = 4
batch = 2
validate_every = 1
warmup = 2
"""


@pytest.fixture(scope="session")
def flow_data(tmp_path_factory) -> Path:
    """Two trajectories to train on, one to validate, on meshes of two sizes."""
    return write_flows(tmp_path_factory.mktemp("flows") / "flows.h5")


@pytest.fixture
def tiny_file(tmp_path: Path, flow_data: Path) -> Path:
    """A configuration file."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.format(path=flow_data), encoding="utf-8")
    return path


@pytest.fixture
def tiny(tiny_file: Path):
    """Two epochs of four steps of two windows."""
    from physolve.mesh.training import read_configuration

    return read_configuration(tiny_file)
