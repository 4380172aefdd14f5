"""Runs in processes of their own: killed, interrupted, several at once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from physolve.hypino.training import LAST, RECORD, WEIGHTS, train
from physolve.io import read_tensors

LIMIT = 240
"""Seconds after which a process hangs."""

KILLED = """
import os, signal, sys
from physolve.hypino.training import read_configuration, train

def kill(news):
    if news.steps == 6:
        os.kill(os.getpid(), signal.SIGKILL)

train(read_configuration(sys.argv[1]), sys.argv[2], progress=kill)
"""

SHARED = """
import json, os, sys
from pathlib import Path
from physolve.hypino.training import _module, read_configuration, train

seen, written = [], []
save, sample = _module.save_weights, _module.sample

def counted(path, model, **options):
    written.append(str(path))
    save(path, model, **options)

def watched(*arguments):
    batch = sample(*arguments)
    seen.append(float(batch.source.double().sum()))
    return batch

_module.save_weights, _module.sample = counted, watched
folder = Path(sys.argv[2])
train(read_configuration(sys.argv[1]), folder)
(folder / f"process{os.environ['RANK']}.json").write_text(json.dumps({"seen": seen, "written": written}))
"""


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / RECORD).read_text(encoding="utf-8"))


def curve(folder: Path) -> list[dict[str, float]]:
    """Without the clock."""
    return [{name: value for name, value in point.items() if name != "hours"} for point in record(folder)["curve"]]


def test_a_killed_run_goes_on_bit_for_bit(tiny, tiny_file, tmp_path, environment) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(tiny_file), str(killed)]
    done = subprocess.run(command, env=environment, timeout=LIMIT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert record(killed)["steps"] == 4
    one, other = (read_tensors(train(tiny, folder))[0] for folder in (straight, killed))
    assert all(torch.equal(one[name], other[name]) for name in one)
    states = [torch.load(folder / LAST, weights_only=True)["state_dict"] for folder in (straight, killed)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])  # before they are rounded
    assert curve(straight) == curve(killed)
    assert len(curve(killed)) == 2


def test_ctrl_c_leaves_the_last_epoch(tiny_file, tmp_path, environment) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "physolve.cli", "hypino", "train", str(tiny_file), "--out", str(folder)]
    process = subprocess.Popen(
        [*command, "--steps", "100000"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    started = time.monotonic()
    while not (folder / LAST).is_file() and process.poll() is None and time.monotonic() < started + LIMIT:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=LIMIT)
    assert process.returncode == 130, told
    assert out == ""
    first, *others, last = told.splitlines()
    assert first == f"training for 100000 steps; writing to {folder}"
    assert last.startswith("physolve: interrupted; with --resume the same command goes on")
    assert all(" s a step: about " in line for line in others)  # and not a word from Lightning
    assert record(folder)["steps"] % 4 == 0
    assert torch.load(folder / LAST, weights_only=True)["global_step"] >= 4


def test_two_processes_share_a_run(tiny_file, tmp_path, two_processes) -> None:
    folder = tmp_path / "run"
    two_processes(SHARED, tiny_file, folder)
    first, second = (json.loads((folder / f"process{k}.json").read_text(encoding="utf-8")) for k in range(2))
    assert len(first["seen"]) == len(second["seen"]) == 8
    assert not set(first["seen"]) & set(second["seen"])
    assert set(first["written"]) == {str(folder / WEIGHTS)}
    assert second["written"] == []
    found = record(folder)
    assert [found[key] for key in ("steps", "samples", "processes")] == [8, 64, 2]
    assert len(curve(folder)) == 2
    assert all(torch.tensor(list(point.values())).isfinite().all() for point in curve(folder))
    assert torch.load(folder / LAST, weights_only=True)["global_step"] == 8
