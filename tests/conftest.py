"""What all tests share."""

import os
import subprocess
import sys
from collections.abc import Callable
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


@pytest.fixture
def two_processes(tmp_path: Path) -> Callable[..., None]:
    """Runs a script with arguments in two processes of torchrun, over gloo; fails with what they printed."""

    def run(script: str, *arguments: str | Path) -> None:
        path = tmp_path / "shared.py"
        path.write_text(script, encoding="utf-8")
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        done = subprocess.run(
            [*launcher, str(path), *map(str, arguments)],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            timeout=400,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    return run
