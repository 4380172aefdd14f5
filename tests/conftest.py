"""What all tests share."""

import os
from pathlib import Path

import pytest

# Two workers share two cores (pytest -n 2): one thread each, or they wait for one another. Before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared data: $PHYSOLVE_DATA, else `../shared` beside the checkout; else skips."""
    folder = Path(os.environ.get("PHYSOLVE_DATA") or Path(__file__).resolve().parents[2] / "shared")
    if not (folder / "benchmarks").is_dir():
        pytest.skip(f"no shared data at {folder}: set PHYSOLVE_DATA to the folder that holds benchmarks/")
    return folder
