"""The course of a run: Lightning's trainer, its checkpoints and logs, Ctrl-C."""

import logging
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from physolve.errors import ProblemFileError

from ._keeper import Keeper
from ._module import RunModule
from ._quiet import quiet_lightning

_log = logging.getLogger("physolve")

LAST = "last.ckpt"


def run_folder(folder: str | Path, *, fresh: bool) -> Path:
    """The folder of a run, made where it is missing; a `fresh` run leaves no checkpoint to go on from.

    Raises ProblemFileError for a file of that name.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ProblemFileError(f"{folder}: folder: is a file; give the folder of a run")
    folder.mkdir(parents=True, exist_ok=True)
    if fresh:
        (folder / LAST).unlink(missing_ok=True)
    return folder


def fit(module: RunModule, keeper: Keeper) -> None:
    """Train a module, or go on from the checkpoint in the keeper's folder.

    Written to the folder after every epoch: `last.ckpt`, weights and record; logs for CSV and TensorBoard, one folder
    for each start. Ctrl-C raises KeyboardInterrupt. Under torchrun every process takes a share.
    """
    last = keeper.folder / LAST
    with quiet_lightning(), _interruptible():
        trainer = _trainer(keeper)
        trainer.fit(module, ckpt_path=last if last.is_file() else None, weights_only=True)
        if trainer.is_global_zero:
            if keeper.idle:
                _log.warning(
                    "%s: the run was over after %d steps, nothing is trained; ask for more, or begin anew (fresh)",
                    keeper.folder,
                    trainer.global_step,
                )
            keeper.write(trainer, module)


def kept(path: Path) -> dict[str, Any]:
    """What a module put under "run" into its checkpoint. Raises ProblemFileError for no checkpoint of a run."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)["run"]
    except (RuntimeError, OSError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise ProblemFileError(
            f"{path}: no checkpoint of a run ({type(error).__name__}); begin anew (fresh), or in another folder"
        ) from None


def _trainer(keeper: Keeper) -> L.Trainer:
    # one process unless torchrun made several; Lightning wants to be told what torchrun knows
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    everywhere = int(os.environ.get("WORLD_SIZE", "1"))
    folder = keeper.folder
    return L.Trainer(
        default_root_dir=folder,
        accelerator="cuda" if torch.cuda.is_available() else "cpu",  # others have no float64
        devices=here,
        num_nodes=everywhere // here,
        strategy="ddp" if everywhere > 1 else "auto",
        max_epochs=-1,  # `Keeper` ends it; with `max_steps` Lightning resumes in the middle of an epoch that was over
        limit_val_batches=0,  # `Keeper` validates
        reload_dataloaders_every_n_epochs=1,
        log_every_n_steps=min(10, keeper.pace.epoch),
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        logger=_loggers(folder),
        callbacks=[
            keeper,
            ModelCheckpoint(
                folder, filename=Path(LAST).stem, enable_version_counter=False, save_on_train_epoch_end=True
            ),
        ],
    )


def _loggers(folder: Path) -> list[Logger]:
    """CSV; TensorBoard too where it is installed."""
    loggers: list[Logger] = [CSVLogger(folder, name="csv")]
    if find_spec("tensorboard") is not None:
        loggers.append(TensorBoardLogger(folder, name="tensorboard"))
    return loggers


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
