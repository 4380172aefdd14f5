"""Which fields of a source are kept, and under which name."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physolve.errors import ProblemFileError, SpecificationError

from ._series import Frame, Series


@dataclass(frozen=True)
class Fields:
    """Name in the data set to one array of the source, or to those of its components; empty: all arrays as they are.

    Raises SpecificationError for a name without arrays.
    """

    sources: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        for name, arrays in self.sources.items():
            if not name or not arrays or not all(arrays) or "/" in name:
                raise SpecificationError(f"field {name!r}: got the arrays {list(arrays)}, expected at least one name")

    def of_frame(self, series: Series, step: int) -> dict[str, NDArray[np.float32]]:
        """The kept fields of a step as (n,) or (n, components), checked.

        Raises ProblemFileError for a missing or misshapen array and for numbers that are not finite.
        """
        frame = series.frame(step)
        sources = self.sources or {name: (name,) for name in frame}
        slashed = next((name for name in sources if "/" in name), None)
        if slashed is not None:
            raise ProblemFileError(
                f"{series.origin}: field '{slashed}' has a slash in its name; rename it: --field NAME={slashed}"
            )
        return {
            name: _checked(series, step, name, _array(series, step, frame, arrays)) for name, arrays in sources.items()
        }


def _array(series: Series, step: int, frame: Frame, names: tuple[str, ...]) -> NDArray[np.floating]:
    for name in names:
        if name not in frame:
            raise ProblemFileError(
                f"{series.origin}: step {step} has no field '{name}'; it has {', '.join(sorted(frame)) or 'none'}"
            )
    if len(names) == 1:
        return np.asarray(frame[names[0]])
    columns = [np.asarray(frame[name]) for name in names]
    return np.stack([column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column for column in columns], -1)


def _checked(series: Series, step: int, name: str, values: NDArray[np.floating]) -> NDArray[np.float32]:
    nodes, dim = series.points.shape
    if values.ndim not in (1, 2) or len(values) != nodes:
        raise ProblemFileError(
            f"{series.origin}: field '{name}' of step {step} has shape {values.shape}, expected ({nodes},) or"
            f" ({nodes}, components): one value a node"
        )
    if values.dtype.kind not in "biuf":
        raise ProblemFileError(
            f"{series.origin}: field '{name}' of step {step} has entries of type {values.dtype}, expected real numbers;"
            " leave it out: --field names those that are kept"
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)  # what is too large for it is not finite
    finite = np.isfinite(values).reshape(nodes, -1).all(1)
    if not finite.all():
        bad = int((~finite).sum())
        raise ProblemFileError(
            f"{series.origin}: field '{name}' of step {step} is not finite at {bad} of {nodes} nodes, first at node"
            f" {int(np.argmin(finite))}; the simulation blew up or the file marks missing values"
        )
    if values.ndim == 2 and values.shape[1] == 3 and dim == 2 and not values[:, 2].any():
        values = values[:, :2]  # a plane's vectors, as VTK writes them
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return np.ascontiguousarray(values)
