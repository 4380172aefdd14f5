"""Several processes share a run."""

import json
import os
import subprocess
import sys

import torch

from physolve.mesh.training import LAST, RECORD

SHARED = """
import json, os, sys
from pathlib import Path
from physolve.mesh.training import _module, read_configuration, train

seen, drawn = [], _module.drawn

def watched(*arguments):
    for chosen in drawn(*arguments):
        seen.extend(chosen)
        yield chosen

_module.drawn = watched
train(read_configuration(sys.argv[1]), sys.argv[2])
Path(sys.argv[2], f"process{os.environ['RANK']}.json").write_text(json.dumps(seen))
"""


def test_two_processes_share_a_run(tiny_file, tmp_path):
    """Over gloo: each sees windows of its own, both hold the same weights, one writes."""
    folder, script = tmp_path / "run", tmp_path / "shared.py"
    script.write_text(SHARED, encoding="utf-8")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, str(script), str(tiny_file), str(folder)]
    done = subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=400, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((folder / f"process{k}.json").read_text()) for k in range(2))
    assert len(first) == len(second) == 16
    assert not set(first[:6]) & set(second[:6])  # within the first pass over the 14 windows
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    assert [record[key] for key in ("steps", "samples", "processes")] == [8, 32, 2]
    assert torch.load(folder / LAST, weights_only=True)["global_step"] == 8
