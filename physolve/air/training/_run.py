"""A whole training run: data, start or resume, weights and the record beside them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from physolve.errors import SpecificationError
from physolve.spec import read_problem
from physolve.training import LAST, WEIGHTS, Keeper, Listener, fit, kept, run_folder

from .._model import AirModel
from .._setup import AirSetup
from .._sizes import AirSizes
from .._weights import load_weights, save_weights
from .._windows import Windows
from ..data import AirSeries, read_series, split
from ._module import JUDGED, AirModule
from ._settings import Configuration
from ._spread import calibrate


@dataclass(frozen=True, eq=False)
class Parts:
    """Training, validation and test as windows."""

    train: Windows
    validation: Windows
    test: Windows

    @classmethod
    def of(cls, series: tuple[AirSeries, AirSeries, AirSeries], setup: AirSetup, sizes: AirSizes) -> "Parts":
        """Raises SpecificationError for a part that is shorter than a history and a horizon, and for one to learn from
        or to be judged by in which nothing was measured."""
        for name, part in zip(("training", "validation", "test"), series, strict=True):
            if len(part) < sizes.history + sizes.horizon:
                raise SpecificationError(
                    f"{name}: got {len(part)} steps, expected at least {sizes.history} of history and"
                    f" {sizes.horizon} of horizon; give a longer series or other parts"
                )
            if name != "test" and not np.isfinite(part.values[sizes.history :, :, 0]).any():
                span = f"{part.times[sizes.history]} to {part.times[-1]}"
                raise SpecificationError(
                    f"{name}: got no measurement of {part.pollutants[0]} from {span}, expected some; give a longer"
                    " series or other parts"
                )
        return cls(*(Windows.of(part, setup, sizes) for part in series))


def train(
    configuration: Configuration, folder: str | Path, *, fresh: bool = False, progress: Listener | None = None
) -> Path:
    """Train a model of air quality, or go on with the run in `folder`; returns the file of its weights.

    Written to the folder after every epoch: `last.ckpt`, `weights.safetensors` (the averaged weights that did best in
    validation) and `record.json`; logs for CSV and TensorBoard. At the end the weights get a calibration of their
    samples. A run that was killed goes on from its last epoch, unless `fresh`, which begins anew. `progress` is called
    after every step. Ctrl-C raises KeyboardInterrupt; what the last epoch wrote is there.

    Raises ProblemFileError for files that cannot be read, SpecificationError for a series that is too short and for a
    run to resume that belongs to another problem.
    """
    folder = run_folder(folder, fresh=fresh)
    model, parts = prepared(configuration)
    _check_last(folder / LAST, model)
    module = AirModule(configuration, model, parts.train, parts.validation)
    fit(module, Keeper(folder, configuration.training, JUDGED, progress))
    if module.trainer.is_global_zero:
        _calibrate(folder / WEIGHTS, parts.validation)
    return folder / WEIGHTS


def prepared(configuration: Configuration) -> tuple[AirModel, Parts]:
    """The model to start with and the data as it is given them; raises as `train`."""
    data = configuration.data
    series = split(read_series(data.series), data.parts)
    setup = AirSetup.of(read_problem(data.problem), series[0])
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(configuration.training.seed)
        model = AirModel(setup, configuration.model, configuration.solver)
    return model, Parts.of(series, setup, configuration.model)


def _calibrate(path: Path, validation: Windows) -> None:
    model = load_weights(path)
    model.calibration = calibrate(model, validation)
    save_weights(path, model)


def _check_last(path: Path, model: AirModel) -> None:
    """Refuse to go on with a run of another equation, of other stations or data, or of a model of another size."""
    if not path.is_file():
        return
    run = kept(path)
    for what, there, here in (
        ("problem", run.get("setup"), model.setup.as_record()),
        ("model", run.get("sizes"), asdict(model.sizes)),
    ):
        if there != here:
            raise SpecificationError(
                f"{path}: the run is of another {what}; give the same data, equation and sizes, begin anew (fresh), or"
                " in another folder"
            )
