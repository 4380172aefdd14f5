"""A whole training run: start or resume, weights and the record beside them."""

from pathlib import Path

import torch

from physolve.errors import SpecificationError
from physolve.training import LAST, WEIGHTS, Keeper, Listener, fit, kept, run_folder

from .._hypernetwork import Hypernetwork
from .._sizes_file import sizes_from_data
from .._weights import load_weights
from ._module import HypinoModule
from ._settings import Configuration


def train(
    configuration: Configuration, folder: str | Path, *, fresh: bool = False, progress: Listener | None = None
) -> Path:
    """Train a hypernetwork, or go on with the run in `folder`; returns the file of its weights.

    Written to the folder after every epoch: `last.ckpt`, `weights.safetensors` (the averaged weights in half precision)
    and `record.json`; logs for CSV and TensorBoard, one folder for each start. A run that was killed goes on from its
    last epoch, bit for bit as if it had not been (runs measured in `steps`; those in `hours` follow the clock), unless
    `fresh`, which begins anew. `progress` is called after every step. Ctrl-C raises KeyboardInterrupt; what the last
    epoch wrote is there. Under torchrun every process takes a share and sees problems of its own.

    Raises SpecificationError for weights to start from or a run to resume that belong to another hypernetwork.
    """
    folder = run_folder(folder, fresh=fresh)
    _check_last(folder / LAST, configuration)
    module = HypinoModule(configuration, _hypernetwork(configuration))
    fit(module, Keeper(folder, configuration.training, "val_median", progress))
    return folder / WEIGHTS


def _hypernetwork(configuration: Configuration) -> Hypernetwork:
    """The hypernetwork to start with."""
    start = configuration.training.start
    if start is None:
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(configuration.training.seed)
            return Hypernetwork(configuration.hypernetwork)
    hypernetwork = load_weights(start)
    if hypernetwork.sizes != configuration.hypernetwork:
        raise SpecificationError(f"training.start: got {start} with other sizes than [hypernetwork], expected the same")
    return hypernetwork.float()


def _check_last(path: Path, configuration: Configuration) -> None:
    """Refuse to go on with a run of another hypernetwork."""
    if path.is_file() and sizes_from_data(path, kept(path).get("sizes")) != configuration.hypernetwork:
        raise SpecificationError(
            f"{path}: the run's hypernetwork has other sizes; give the same [hypernetwork], begin anew (fresh),"
            " or in another folder"
        )
