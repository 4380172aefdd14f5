"""`physolve hypino train`: a hypernetwork from a configuration file."""

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
    """Train a hypernetwork; see data/hypino/train.toml for a configuration.

    Writes weights, a record and a checkpoint after every epoch; the same command again goes on from there. Under
    torchrun several processes share the work: torchrun --nproc-per-node 2 -m physolve.cli hypino train CONFIG.
    """
    with told_in_one_line(debug):
        from ..hypino.training import read_configuration
        from ..hypino.training import train as run

        configuration = lasting(read_configuration(config), hours, steps)
        folder = out or Path("runs") / config.stem
        run_and_report(run, configuration, folder, resume, "median error", _figures, quiet, as_json)


def _figures(last: dict[str, float]) -> str:
    return f"{last['val_median']:.3g} (with the written head {last['val_own_median']:.3g})"
