"""Drawing and torch's compiler live in one process."""

import subprocess
import sys

import pytest

DRAW_THEN_COMPILE = """
import numpy as np
from physolve.view._render import Patch, flat_camera, render
patch = Patch(np.eye(3), np.array([[0, 1, 2]]), np.ones(3))
camera = flat_camera(np.zeros(2), np.ones(2))
render([patch], camera, (40, 40), "viridis", False)
import triton
print(render([patch], camera, (40, 40), "viridis", False).shape)
"""


def test_triton_can_be_imported_after_drawing() -> None:
    """Any `torch.optim` imports it; Mesa's LLVM and its own once met there, and the process crashed."""
    pytest.importorskip("triton")
    done = subprocess.run([sys.executable, "-c", DRAW_THEN_COMPILE], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "(40, 40, 4)\n"), done.stderr
