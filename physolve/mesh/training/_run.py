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
from ._seen import difference
from ._settings import Configuration
from ._validation import judged, steps_of

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
    configuration, and for a run to resume that belongs to another simulator or to other data.
    """
    folder = run_folder(folder, fresh=fresh)
    store = MeshStore(configuration.data.path)
    design = design_for(configuration, store)
    _check_splits(store)
    _check_judged(store, configuration)
    module = MeshModule(configuration, store, _simulator(configuration, store, design))
    _check_last(folder / LAST, module)
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


def _check_judged(store: MeshStore, configuration: Configuration) -> None:
    """Whoever the run is judged by makes a step."""
    data = configuration.data
    for name in judged(store, data, configuration.training.validation):
        if steps_of(store, name, data) < 1:
            raise SpecificationError(
                f"{store.path}: validation trajectory '{name}' has {len(store.times(name))} frames, expected at least"
                f" {data.first + data.stride + 1} to be judged by; lower data.first or data.stride, or convert with"
                " another one"
            )


def _simulator(configuration: Configuration, store: MeshStore, design: Design) -> Simulator:
    """The simulator to start with."""
    settings = configuration.training
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(settings.seed)
        simulator = Simulator(design, checkpointing=settings.checkpointing)
    simulator.set_scales(scales_of(store, design, configuration.data, settings.noise))
    return simulator


def _check_last(path: Path, module: MeshModule) -> None:
    """Refuse to go on with a run of another simulator or, as far as its checkpoint tells, of other data."""
    if not path.is_file():
        return
    run, mine = kept(path), module.resumable()
    if design_from_data(path, run.get("design")) != module.network.design:
        raise SpecificationError(
            f"{path}: the run's simulator is another one; give the same data and sizes, begin anew (fresh), or"
            " in another folder"
        )
    other = difference(run["seen"], mine["seen"]) if "seen" in run else None
    if other is not None:
        raise SpecificationError(
            f"{path}: the run learns from other data: {other}; give the same data, begin anew (fresh), or in another"
            " folder"
        )
