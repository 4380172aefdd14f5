"""Several processes share a run."""

import json

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


def test_two_processes_share_a_run(tiny_file, tmp_path, two_processes):
    """Each sees windows of its own, both hold the same weights, one writes."""
    folder = tmp_path / "run"
    two_processes(SHARED, tiny_file, folder)
    first, second = (json.loads((folder / f"process{k}.json").read_text()) for k in range(2))
    assert len(first) == len(second) == 16
    assert not set(first[:6]) & set(second[:6])  # within the first pass over the 14 windows
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    assert [record[key] for key in ("steps", "samples", "processes")] == [8, 32, 2]
    assert torch.load(folder / LAST, weights_only=True)["global_step"] == 8
