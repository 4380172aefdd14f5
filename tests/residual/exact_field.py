"""A field whose derivatives sympy knows: what a residual must vanish on, to rounding."""

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
import torch
from torch import Tensor

from physolve.nets import Field, JetAtom
from physolve.spec import Program


@dataclass(frozen=True, eq=False)
class ExactField(Field):
    """u_i(x) = expressions[i] in the coordinates."""

    coordinates: tuple[sympy.Symbol, ...]
    expressions: tuple[sympy.Expr, ...]

    @property
    def components(self) -> int:
        return len(self.expressions)

    def derivatives(self, points: Tensor, atoms: Sequence[JetAtom]) -> dict[JetAtom, Tensor]:
        return {atom: self._value(atom, points) for atom in atoms}

    def tensors(self) -> dict[str, Tensor]:
        return {}

    def config(self) -> dict[str, object]:
        return {"kind": "exact"}

    def _value(self, atom: JetAtom, points: Tensor) -> Tensor:
        counts = [(c, k) for c, k in zip(self.coordinates, atom.orders, strict=True) if k]
        expression = sympy.sympify(self.expressions[atom.unknown])
        expression = expression.diff(*counts) if counts else expression
        (value,) = Program((expression,), self.coordinates)(*points.unbind(1))
        return torch.as_tensor(value, dtype=torch.float64).expand(len(points)).clone()
