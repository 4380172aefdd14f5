"""A data set of flows: made trajectory by trajectory, by several processes, and again from where it stopped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path

from physolve.errors import NumericalError, SpecificationError

from .._fields import Fields
from .._series import Series
from .._splits import random_split, refuse_leakage
from .._writer import writing
from ._case import draw_case
from ._pieces import Pieces
from ._settings import ChannelSettings
from ._simulate import simulated
from ._workers import each_done


@dataclass(frozen=True)
class Made:
    """How far a run is.

    name      of the trajectory that was finished last
    done      of `total`, with those that were there before
    reason    why it is left out; None where it is whole
    """

    name: str
    done: int
    total: int
    reason: str | None


def generate(
    target: str | PathLike[str],
    trajectories: int,
    settings: ChannelSettings | None = None,
    *,
    seed: int = 0,
    workers: int = 1,
    split: tuple[float, float, float] = (0.8, 0.1, 0.1),
    progress: Callable[[Made], None] = lambda news: None,
) -> Mapping[str, str]:
    """Write the data set `target` of that many flows, whole or not at all; those left out, with the reason for each.

    Trajectories wait in the folder `TARGET.pieces`, so that the same call goes on after an interruption; it is removed
    when the data set is written. A trajectory depends on the settings, the seed and its number alone, not on `workers`.

    Raises SpecificationError for a file that exists, a folder of pieces from other settings and numbers that make no
    sense, NumericalError where no trajectory has a solution.
    """
    how, file = settings or ChannelSettings(), Path(target)
    _check(file, trajectories, workers)
    names = [f"flow_{number:04d}" for number in range(trajectories)]
    random_split(names, split, seed)  # refuses before the hours of work, not after
    pieces = Pieces.beside(file)
    pieces.open(how, seed)
    missing = [number for number, name in enumerate(names) if not pieces.has(name)]
    first = 1 + trajectories - len(missing)
    with closing(each_done(partial(_make, pieces, how, seed), missing, workers)) as numbers:
        for done, number in enumerate(numbers, first):
            progress(Made(names[number], done, trajectories, pieces.reason(names[number])))
    left_out = {name: reason for name in names if (reason := pieces.reason(name)) is not None}
    _join(file, [name for name in names if name not in left_out], pieces, split, seed)
    pieces.remove()
    return left_out


def _make(pieces: Pieces, settings: ChannelSettings, seed: int, number: int) -> int:
    """Make one trajectory, or note why there is none; its number."""
    name = f"flow_{number:04d}"
    try:
        pieces.keep(name, simulated(draw_case(settings, seed, number), settings))
    except NumericalError as error:
        pieces.leave_out(name, str(error))
    return number


def _join(file: Path, names: Sequence[str], pieces: Pieces, split: tuple[float, float, float], seed: int) -> None:
    if not names:
        raise NumericalError(f"{file}: no flow has a solution; {pieces.folder} holds the reasons; take other settings")
    with writing(file) as writer:
        for series in _series(names, pieces, seed):
            assert series.node_type is not None  # pieces have them
            writer.add(series, series.node_type, Fields({}))
        prints = writer.prints()
        splits = random_split(names, split, seed)
        refuse_leakage(splits, prints)
        writer.assign(splits)


def _series(names: Sequence[str], pieces: Pieces, seed: int) -> Iterator[Series]:
    for name in names:
        yield replace(pieces.series(name), origin=f"physolve mesh generate, seed {seed}, {name}")


def _check(file: Path, trajectories: int, workers: int) -> None:
    if file.exists():
        raise SpecificationError(f"{file}: exists already; remove it, or choose another name")
    for name, value in (("trajectories", trajectories), ("workers", workers)):
        if value < 1:
            raise SpecificationError(f"{name}: got {value}, expected 1 or more")
