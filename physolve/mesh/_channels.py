"""Fields of a frame side by side, as networks take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from physolve.errors import SpecificationError


@dataclass(frozen=True)
class Channels:
    """Which fields, and how many components each has, 0 for a scalar. Raises SpecificationError for a doubled name."""

    names: tuple[str, ...]
    components: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names) or len(self.names) != len(self.components):
            raise SpecificationError(f"channels: got the fields {list(self.names)}, expected different ones")

    @classmethod
    def of(cls, names: tuple[str, ...], fields: Mapping[str, int]) -> Channels:
        """The named ones of the fields of a data set. Raises SpecificationError for one that it does not have."""
        missing = next((name for name in names if name not in fields), None)
        if missing is not None:
            raise SpecificationError(f"channels: no field '{missing}'; the data set has {', '.join(fields)}")
        return cls(names, tuple(fields[name] for name in names))

    @property
    def widths(self) -> tuple[int, ...]:
        """Columns of every field."""
        return tuple(max(1, count) for count in self.components)

    @property
    def count(self) -> int:
        """Columns of all."""
        return sum(self.widths)

    def packed(self, frame: Mapping[str, NDArray[np.floating]]) -> Float[np.ndarray, "n columns"]:
        """The fields of a frame in the order of the names, float32."""
        nodes = len(next(iter(frame.values())))
        columns = [frame[name].reshape(nodes, -1) for name in self.names]
        return np.concatenate([np.empty((nodes, 0)), *columns], 1, dtype=np.float32)

    def unpacked(self, columns: Float[np.ndarray, "*batch n columns"]) -> dict[str, NDArray[np.floating]]:
        """Fields of (..., n) or (..., n, components)."""
        found, at = {}, 0
        for name, count, width in zip(self.names, self.components, self.widths, strict=True):
            part = columns[..., at : at + width]
            found[name] = part if count else part[..., 0]
            at += width
        return found

    def columns(self, name: str) -> slice:
        """Where a field stands. Raises SpecificationError for a field that is not there."""
        if name not in self.names:
            raise SpecificationError(f"channels: no field '{name}'; there are {', '.join(self.names) or 'none'}")
        k = self.names.index(name)
        first = sum(self.widths[:k])
        return slice(first, first + self.widths[k])
