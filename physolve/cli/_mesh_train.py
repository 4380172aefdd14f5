"""`physolve mesh train`: a simulator from a configuration file."""

from __future__ import annotations

from pathlib import Path

from ._failures import told_in_one_line
from ._options import AsJson, Debug, Quiet
from ._training import Config, Folder, Hours, Resume, Steps, lasting, run_and_report


def train(
    config: Config,
    out: Folder = None,
    hours: Hours = None,
    steps: Steps = None,
    resume: Resume = True,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Train a simulator on a data set of `mesh convert` or `mesh generate`; see data/mesh/train.toml.

    Writes weights, a record and a checkpoint after every epoch; the same command again goes on from there. Under
    torchrun several processes share the work: torchrun --nproc-per-node 2 -m physolve.cli mesh train CONFIG.
    """
    with told_in_one_line(debug):
        from ..mesh.training import read_configuration
        from ..mesh.training import train as run

        configuration = lasting(read_configuration(config), hours, steps)
        folder = out or Path("runs") / config.stem
        run_and_report(run, configuration, folder, resume, "rollout RMSE", _figures, quiet, as_json)


def _figures(last: dict[str, float]) -> str:
    """Such as "0.012 (velocity rmse 1 0.001, velocity rmse 50 0.008, velocity rmse 0.012)"."""
    told = ", ".join(f"{name} {value:.3g}" for name, value in last.items() if name not in ("rmse", "step", "hours"))
    return f"{last['rmse']:.3g} ({told})"
