"""A training run so small that it takes seconds on one thread."""

from pathlib import Path

import pytest

from physolve.hypino.training import Configuration, read_configuration

TINY = """
[training]
steps = 8
epoch = 4
batch = 4
validate_every = 1
validation = 8
warmup = 2
learning_rate = 1e-3

[hypernetwork]
networks = 2
grid = 16
stem = 8
coefficients = 16
statistics = 16
target = {sizes = [2, 8, 8, 1], bands = [0.1, 0.2, 0.4]}
swin = {embed = 24, window = 4, depths = [1, 1], heads = [3, 6]}
weight_heads = {hidden = [16, 16, 16, 16, 16], groups = [4, 4, 4, 4, 4]}
bias_heads = {hidden = [16, 16, 16, 16, 16], groups = [4, 4, 4, 4, 4]}

[sampler]
grid = 16
points = 64
edge = 32
"""


@pytest.fixture
def tiny_file(tmp_path: Path) -> Path:
    """A configuration file."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture
def tiny(tiny_file: Path) -> Configuration:
    """Two epochs of four steps of four samples, 75,000 weights."""
    return read_configuration(tiny_file)
