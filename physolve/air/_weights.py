"""Weights on disk, with the equation, the stations and the sizes that they belong to."""

from collections.abc import Mapping
from dataclasses import asdict
from os import PathLike
from typing import Any

from torch import Tensor

from physolve.errors import PhysolveError, ProblemFileError
from physolve.io import read_tensors, write_tensors

from ._calibration import Calibration
from ._model import AirModel
from ._setup import AirSetup
from ._sizes import AirSizes
from ._solver import OdeSolver

KIND = "physolve air model"


def save_weights(path: str | PathLike[str], model: AirModel) -> None:
    """Write a safetensors file; it appears whole or not at all. Raises ProblemFileError where it cannot be written."""
    header = {
        "kind": KIND,
        "sizes": asdict(model.sizes),
        "solver": asdict(model.solver),
        "setup": model.setup.as_record(),
        "calibration": None if model.calibration is None else model.calibration.as_record(),
    }
    write_tensors(path, model.state_dict(), header)


def load_weights(path: str | PathLike[str]) -> AirModel:
    """The model that `save_weights` wrote, on the CPU, ready to forecast.

    Raises ProblemFileError for a missing, damaged or foreign file and for tensors that do not fit.
    """
    tensors, header = read_tensors(path)
    if header.get("kind") != KIND:
        raise ProblemFileError(f"{path}: kind: got {header.get('kind')!r}, expected '{KIND}'; give a file of weights")
    model = _made(path, header)
    _check_fit(path, tensors, model.state_dict())
    model.load_state_dict(tensors)
    return model.eval()


def _made(path: str | PathLike[str], header: Mapping[str, Any]) -> AirModel:
    try:
        setup = AirSetup.from_record(header["setup"])
        sizes = dict(header["sizes"])
        sizes["walls"] = tuple(sizes.get("walls", ()))  # older files have none, JSON has no tuples
        model = AirModel(setup, AirSizes(**sizes), OdeSolver(**header["solver"]))
        model.calibration = _calibration(header.get("calibration"), model.sizes)  # older files have none
        return model
    except (KeyError, TypeError, ValueError, PhysolveError) as error:
        raise ProblemFileError(
            f"{path}: header: not that of an air model ({type(error).__name__}: {error});"
            " read the file with the physolve that wrote it"
        ) from error


def _calibration(record: Mapping[str, Any] | None, sizes: AirSizes) -> Calibration | None:
    if record is None:
        return None
    calibration = Calibration.from_record(record)
    if len(calibration.residuals) != sizes.horizon:
        raise ValueError(f"calibration of {len(calibration.residuals)} steps, expected {sizes.horizon}")
    return calibration


def _check_fit(path: str | PathLike[str], got: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    given = {name: tuple(tensor.shape) for name, tensor in got.items()}
    wrong = [name for name in {**shapes, **given} if shapes.get(name) != given.get(name)]
    if wrong:
        name = wrong[0]
        raise ProblemFileError(
            f"{path}: tensor '{name}': got shape {given.get(name)}, expected {shapes.get(name)};"
            " these are weights of another model"
        )
