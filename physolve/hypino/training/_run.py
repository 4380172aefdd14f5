"""A whole training run: start or resume, checkpoints, logs, weights and the record beside them."""

import os
import pickle
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from physolve.errors import ProblemFileError, SpecificationError

from .._hypernetwork import Hypernetwork
from .._sizes_file import sizes_from_data
from .._weights import load_weights
from ._keeper import WEIGHTS, Keeper, Listener
from ._module import HypinoModule
from ._quiet import quiet_lightning
from ._settings import Configuration

LAST = "last.ckpt"


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
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if fresh:
        (folder / LAST).unlink(missing_ok=True)
    last = _last(folder, configuration)
    with quiet_lightning(), _interruptible():
        module = HypinoModule(configuration, _hypernetwork(configuration))
        keeper = Keeper(folder, progress)
        trainer = _trainer(configuration, folder, keeper)
        trainer.fit(module, ckpt_path=last, weights_only=True)
        if trainer.is_global_zero:
            keeper.write(trainer, module)
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


def _last(folder: Path, configuration: Configuration) -> Path | None:
    """The checkpoint to go on from, if there is one."""
    path = folder / LAST
    if not path.is_file():
        return None
    try:
        sizes = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["run"]["sizes"]
    except (RuntimeError, OSError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise ProblemFileError(
            f"{path}: no checkpoint of a run ({type(error).__name__}); begin anew with fresh=True, or in another folder"
        ) from None
    if sizes_from_data(path, sizes) != configuration.hypernetwork:
        raise SpecificationError(
            f"{path}: the run's hypernetwork has other sizes; give the same [hypernetwork], begin anew with fresh=True,"
            " or in another folder"
        )
    return path


def _trainer(configuration: Configuration, folder: Path, keeper: Keeper) -> L.Trainer:
    # one process unless torchrun made several; Lightning wants to be told what torchrun knows
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    everywhere = int(os.environ.get("WORLD_SIZE", "1"))
    return L.Trainer(
        default_root_dir=folder,
        accelerator="cuda" if torch.cuda.is_available() else "cpu",  # the head is float64, which others have not
        devices=here,
        num_nodes=everywhere // here,
        strategy="ddp" if everywhere > 1 else "auto",
        max_epochs=-1,  # `Keeper` ends it; with `max_steps` Lightning resumes in the middle of an epoch that was over
        limit_val_batches=0,  # `Keeper` validates
        reload_dataloaders_every_n_epochs=1,
        log_every_n_steps=min(10, configuration.training.epoch),
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        logger=[CSVLogger(folder, name="csv"), TensorBoardLogger(folder, name="tensorboard")],
        callbacks=[
            keeper,
            ModelCheckpoint(
                folder, filename=Path(LAST).stem, enable_version_counter=False, save_on_train_epoch_end=True
            ),
        ],
    )


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, as everywhere else: Lightning would end the program, deaf to further ones."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, handler)
