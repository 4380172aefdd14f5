"""A whole training run: start or resume, weights and the record beside them."""

import logging
from pathlib import Path

import torch

from physolve.errors import SpecificationError
from physolve.training import LAST, WEIGHTS, Keeper, Listener, fit, kept, run_folder

from .._design import Design, design_from_data
from .._node_types import NodeType
from .._simulator import Simulator
from ..data import MeshStore
from ._design import design_for, scales_of
from ._module import MeshModule
from ._settings import Configuration

_log = logging.getLogger("physolve")

TOLD_EVERY = 10  # steps: reading the loss waits for the device


def train(
    configuration: Configuration, folder: str | Path, *, fresh: bool = False, progress: Listener | None = None
) -> Path:
    """Train a simulator on a data set, or go on with the run in `folder`; returns the file of its weights.

    Written to the folder after every epoch: `last.ckpt`, `weights.safetensors` (the averaged weights with the design
    and the scales of the data) and `record.json`; logs for CSV and TensorBoard, one folder for each start. A run that
    was killed goes on from its last epoch, bit for bit as if it had not been (runs measured in `steps`; those in
    `hours` follow the clock), unless `fresh`, which begins anew. `progress` is called every tenth step. Ctrl-C raises
    KeyboardInterrupt; what the last epoch wrote is there. Under torchrun every process takes a share and sees windows
    of its own.

    Raises ProblemFileError for a data set that cannot be read, SpecificationError for one that does not fit the
    configuration, and for a run to resume that belongs to another simulator.
    """
    folder = run_folder(folder, fresh=fresh)
    store = MeshStore(configuration.data.path)
    design = design_for(configuration, store)
    _check_splits(store)
    _check_last(folder / LAST, design)
    module = MeshModule(configuration, store, _simulator(configuration, store, design))
    fit(module, Keeper(folder, configuration.training, "rmse", progress, TOLD_EVERY))
    return folder / WEIGHTS


def _check_splits(store: MeshStore) -> None:
    """Every trajectory to learn from or be judged by has nodes to predict; a word where none is there to judge by."""
    for split in ("train", "validation"):
        for name in store.names(split):
            if not (store.mesh(name).node_type == NodeType.NORMAL).any():
                raise SpecificationError(
                    f"{store.path}: trajectory '{name}' has no normal node, expected some to predict; convert it with"
                    " other node types"
                )
    if not store.names("validation"):
        _log.warning(
            "%s: no trajectory for validation: the errors told are of flows that are trained on; convert with --split",
            store.path,
        )


def _simulator(configuration: Configuration, store: MeshStore, design: Design) -> Simulator:
    """The simulator to start with."""
    settings = configuration.training
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(settings.seed)
        simulator = Simulator(design, checkpointing=settings.checkpointing)
    simulator.set_scales(scales_of(store, design, configuration.data, settings.noise))
    return simulator


def _check_last(path: Path, design: Design) -> None:
    """Refuse to go on with a run of another simulator."""
    if path.is_file() and design_from_data(path, kept(path).get("design")) != design:
        raise SpecificationError(
            f"{path}: the run's simulator is another one; give the same data and sizes, begin anew (fresh), or"
            " in another folder"
        )
