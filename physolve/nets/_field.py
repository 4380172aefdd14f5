"""Fields: vectors of functions of the coordinates with derivatives, the form in which every method hands back u."""

import abc
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points

from ._basis import Basis, Orders

CHUNK_ENTRIES = 10_000_000
"""Numbers a chunk of an n x size matrix may hold: 80 MB in float64."""


ROUNDING = 1e-9
"""How far beyond its end, in its length, a time counts as its last instant."""


class JetAtom(NamedTuple):
    """A derivative of an unknown: the multi-index `orders` of unknown number `unknown`."""

    unknown: int
    orders: Orders


class Field(abc.ABC):
    """u : R^dim -> R^components, float64."""

    @property
    @abc.abstractmethod
    def components(self) -> int:
        """Number of unknowns."""

    @abc.abstractmethod
    def derivatives(self, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        """Values of the asked derivatives at the points."""

    @abc.abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Arrays that define the field, for saving."""

    @abc.abstractmethod
    def config(self) -> dict[str, Any]:
        """JSON-able rest of the definition; `kind` names the class."""

    def values(self, points: Points) -> Float[Tensor, "n components"]:
        """The unknowns themselves."""
        atoms = [JetAtom(i, (0,) * points.shape[1]) for i in range(self.components)]
        found = self.derivatives(points, atoms)
        return torch.stack([found[atom] for atom in atoms], 1)


@dataclass(frozen=True, eq=False)
class Expansion(Field):
    """u_i(x) = sum_j coefficients[j, i] phi_j(x)."""

    basis: Basis
    coefficients: Float[Tensor, "size components"]

    @property
    def components(self) -> int:
        return self.coefficients.shape[1]

    def derivatives(self, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        orders = list(dict.fromkeys(atom.orders for atom in atoms))
        if not orders or not len(points):
            return {atom: points.new_zeros(len(points)) for atom in atoms}
        chunk = max(1, CHUNK_ENTRIES // self.basis.size)
        found = torch.cat([self.basis.combine(part, self.coefficients, orders) for part in points.split(chunk)], 1)
        return {atom: found[orders.index(atom.orders), :, atom.unknown] for atom in atoms}

    def tensors(self) -> dict[str, Tensor]:
        return {"coefficients": self.coefficients} | {f"basis.{k}": v for k, v in self.basis.tensors().items()}

    def config(self) -> dict[str, Any]:
        return {"kind": "expansion", "basis": self.basis.config()}


@dataclass(frozen=True)
class ZeroField(Field):
    """u = 0, with `count` components."""

    count: int

    @property
    def components(self) -> int:
        return self.count

    def derivatives(self, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        return {atom: points.new_zeros(len(points)) for atom in atoms}

    def tensors(self) -> dict[str, Tensor]:
        return {}

    def config(self) -> dict[str, Any]:
        return {"kind": "zero", "components": self.count}


@dataclass(frozen=True, eq=False)
class Frozen(Field):
    """A field held still: its values at one time, for all times; the guess with which a time slab starts."""

    field: Field
    time: float

    @property
    def components(self) -> int:
        return self.field.components

    def derivatives(self, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        then = points.clone()
        then[:, -1] = self.time
        moving = [atom for atom in atoms if atom.orders[-1]]
        found = self.field.derivatives(then, [atom for atom in atoms if not atom.orders[-1]])
        return found | {atom: points.new_zeros(len(points)) for atom in moving}

    def tensors(self) -> dict[str, Tensor]:
        return self.field.tensors()

    def config(self) -> dict[str, Any]:
        return {"kind": "frozen", "field": self.field.config(), "time": self.time}


@dataclass(frozen=True, eq=False)
class TimeSlabs(Field):
    """One field for each time slab breaks[k] <= t <= breaks[k + 1]; time is the last coordinate. NaN after the last."""

    breaks: tuple[float, ...]
    fields: tuple[Field, ...]

    @property
    def components(self) -> int:
        return self.fields[0].components

    def derivatives(self, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        inner = torch.tensor(self.breaks[1:-1], dtype=points.dtype)
        slab = torch.bucketize(points[:, -1].contiguous(), inner)
        total = {atom: points.new_zeros(len(points)) for atom in atoms}
        for k, field in enumerate(self.fields):
            here = (slab == k).nonzero()[:, 0]
            for atom, value in field.derivatives(points[here], atoms).items():
                total[atom][here] = value
        late = points[:, -1] > self.breaks[-1] + ROUNDING * (self.breaks[-1] - self.breaks[0])
        for value in total.values():
            value[late] = math.nan
        return total

    def tensors(self) -> dict[str, Tensor]:
        return {f"{k}.{name}": v for k, field in enumerate(self.fields) for name, v in field.tensors().items()}

    def config(self) -> dict[str, Any]:
        return {"kind": "slabs", "breaks": self.breaks, "fields": [field.config() for field in self.fields]}
