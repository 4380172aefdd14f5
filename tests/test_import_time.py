"""`import physolve` stays light: the heavy packages are imported where they are used."""

import subprocess
import sys

import pytest

HEAVY = (
    "pyvista",
    "vtk",
    "skfem",
    "netgen",
    "matplotlib",
    "torch._dynamo",
    "meshio",
    "h5py",
    "imageio",
    "lightning",
    "tensorboard",
    "timm",
    "torchvision",
    "torch_geometric",
    "gmsh",
    "pandas",
    "pooch",
    "pymetis",
)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Modules after `import physolve` in a new interpreter."""
    code = "import sys, physolve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


def test_physolve_itself_is_loaded(loaded: set[str]) -> None:
    assert {"physolve", "torch", "sympy"} <= loaded


@pytest.mark.parametrize("package", HEAVY)
def test_heavy_package_is_not_loaded(loaded: set[str], package: str) -> None:
    assert package not in loaded
