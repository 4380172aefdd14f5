"""Training runs where neither meshers nor pictures are installed, as on a rented machine with a GPU."""

import subprocess
import sys

ABSENT = ("pyvista", "vtk", "meshio", "skfem", "netgen", "gmsh", "imageio", "timm")

SCRIPT = f"""
import sys

for name in {ABSENT}:
    sys.modules[name] = None  # importing it raises ImportError

from physolve.cli import main

sys.exit(main(["mesh", "train", sys.argv[1], "--out", sys.argv[2], "--steps", "1", "--quiet"]))
"""


def test_training_needs_no_mesher_and_draws_nothing(tiny_file, tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tiny_file), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "run" / "weights.safetensors").is_file()
