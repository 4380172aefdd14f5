"""`physolve air train`: a model of air quality from a configuration file."""

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
    """Train a model on a series of `air prepare`; see data/air/beijing_train.toml for a configuration.

    Writes the weights that did best in validation, a record and a checkpoint after every epoch; the same command again
    goes on from there.
    """
    with told_in_one_line(debug):
        from ..air.training import read_configuration
        from ..air.training import train as run

        configuration = lasting(read_configuration(config), hours, steps)
        folder = out or Path("runs") / config.stem
        run_and_report(run, configuration, folder, resume, "root mean square error", _figures, quiet, as_json)


def _figures(last: dict[str, float]) -> str:
    return f"{last['best']:.4g} micrograms per cubic metre in validation (the last one {last['rmse']:.4g})"
