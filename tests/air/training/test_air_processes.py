"""Several processes share a run: each learns from windows of its own, and all end together."""

import json

import torch

from physolve.training import LAST, RECORD

SHARED = """
import itertools, json, os, sys
from pathlib import Path
from types import SimpleNamespace
from physolve.air.training import _module, read_configuration, train

seen, at = [], _module.Windows.at

def watched(self, chosen):
    seen.append(chosen.tolist())
    return at(self, chosen)

_module.Windows.at = watched
errors = itertools.count(1)
_module.evaluate = lambda *arguments: SimpleNamespace(overall=lambda: float(next(errors)))
train(read_configuration(sys.argv[1]), sys.argv[2])
Path(sys.argv[2], f"process{os.environ['RANK']}.json").write_text(json.dumps(seen))
"""

CONFIGURATION = """
[data]
series = "{folder}/series.h5"
problem = "{folder}/problem.toml"
parts = [3.0, 1.0, 1.0]
[model]
history = 4
horizon = 4
hidden = 6
latent = 2
samples = 2
[training]
steps = 100
epoch = 2
batch = 4
validate_on = 1
patience = 2
"""


def test_two_processes_share_a_run_and_end_together(prepared_files, tmp_path, two_processes):
    """Worse with every validation, so that patience is over after the third, which the first process alone sees."""
    folder, file = tmp_path / "run", tmp_path / "train.toml"
    file.write_text(CONFIGURATION.format(folder=prepared_files), encoding="utf-8")
    two_processes(SHARED, file, folder)
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    assert [record[key] for key in ("steps", "samples", "processes")] == [6, 48, 2]
    assert torch.load(folder / LAST, weights_only=True)["global_step"] == 6
    first, second = (json.loads((folder / f"process{k}.json").read_text()) for k in range(2))
    assert not [batch for batch in first[:6] if batch in second]
