"""Where the stations are."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import reading

COLUMNS = ("station", "longitude", "latitude")


@dataclass(frozen=True, eq=False)
class Stations:
    """Names and places of stations.

    names        (n,), each once
    latitude     (n,) degrees north, kept as float64
    longitude    (n,) degrees east, kept as float64

    Raises SpecificationError for no station, a name given twice, lengths that differ and places that are not on Earth.
    """

    names: tuple[str, ...]
    latitude: Float[np.ndarray, " n"]
    longitude: Float[np.ndarray, " n"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        for what in ("latitude", "longitude"):
            object.__setattr__(self, what, _numbers(what, getattr(self, what)))
        if not self.names:
            raise SpecificationError("stations: got none, expected at least one")
        double = next((name for k, name in enumerate(self.names) if name in self.names[:k]), None)
        if double is not None:
            raise SpecificationError(f"stations: '{double}' is given twice; names must differ")
        for what, degrees, limit in (("latitude", self.latitude, 90), ("longitude", self.longitude, 360)):
            if degrees.shape != (len(self.names),):
                raise SpecificationError(f"stations: {what}: got shape {degrees.shape}, expected ({len(self.names)},)")
            bad = ~(np.abs(degrees) <= limit)
            if bad.any():
                k = int(np.argmax(bad))
                raise SpecificationError(
                    f"station '{self.names[k]}': {what}: got {degrees[k]}, expected degrees within +-{limit}"
                )

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def read(cls, path: str | PathLike[str]) -> "Stations":
        """From comma-separated text with the columns station, longitude, latitude (degrees); others are ignored.

        Raises ProblemFileError with file and line for whatever does not fit.
        """
        return reading(path, "csv", _read)


def _numbers(what: str, given: ArrayLike) -> Float[np.ndarray, "..."]:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise SpecificationError(f"stations: {what}: got {given!r}, expected numbers, degrees") from None


def _read(file: Path) -> Stations:
    with open(file, newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        header = rows.fieldnames or []
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise ProblemFileError(
                f"{file}: columns: no '{missing[0]}'; it has {', '.join(header) or 'none'}; expected"
                f" {', '.join(COLUMNS)}"
            )
        lines = [(rows.line_num, row) for row in rows]
    names = tuple((row["station"] or "").strip() for _, row in lines)
    return Stations(names, *(_degrees(file, lines, column) for column in ("latitude", "longitude")))


def _degrees(file: Path, lines: Sequence[tuple[int, dict]], column: str) -> Float[np.ndarray, " n"]:
    for number, row in lines:
        try:
            float(row[column])
        except (TypeError, ValueError):
            raise ProblemFileError(f"{file}: line {number}: {column}: got {row[column]!r}, expected degrees") from None
    return np.array([float(row[column]) for _, row in lines])
