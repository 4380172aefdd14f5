"""The state of a moving frame as a field in space and time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.errors import ProblemFileError, UnsupportedError
from physolve.jets import Jet, JetLayout, activation_of_name
from physolve.nets import Field, JetAtom
from physolve.spec import Problem

from ._equations import derivative
from ._frame import lowered
from ._inversion import Inverse
from ._kinematics import PulledBack, pulled_back
from ._model import MovingModel

CHUNK = 16_384


@dataclass(frozen=True, eq=False)
class LagrangianField(Field):
    """w(x, t) = W(xi(x, t), t). NaN where no characteristic of the box of labels is at a place, and after
    `valid_until`, from when on characteristics may cross."""

    model: MovingModel
    vector: Float[Tensor, " count"]
    valid_until: float | None = None

    @property
    def components(self) -> int:
        return len(self.model.frame.problem.unknowns)

    @cached_property
    def inverse(self) -> Inverse:
        """The label that is at a place at a time."""
        return Inverse(self.model, self.vector)

    def labels(self, points: Points) -> Points:
        """Labels and times (n, dim + 1) of places and times; NaN where there is none."""
        labels, found = self._located(points)
        labels[~found] = torch.nan
        return labels

    def positions(self, labels: Points) -> Float[Tensor, "n dim"]:
        """X at labels and times (n, dim + 1): where a characteristic is."""
        with torch.no_grad():
            return self.model.place(self.vector, labels).value

    def carried(self, labels: Points) -> Float[Tensor, "n components"]:
        """W at labels and times (n, dim + 1): what a characteristic carries."""
        with torch.no_grad():
            return self.model.jets(self.vector, labels, self.model.frame.labels.layout(False))[1].value

    def derivatives(self, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        """Derivatives in space and time up to order two. Raises UnsupportedError above."""
        if any(sum(atom.orders) > 2 for atom in atoms):
            raise UnsupportedError("lagrangian: got a derivative above order 2, fields of the moving frame have two")
        if not len(points):
            return {atom: points.new_zeros(0) for atom in atoms}
        parts = [self._part(part, atoms) for part in points.split(CHUNK)]
        return {atom: torch.cat([part[atom] for part in parts]) for atom in atoms}

    def _part(self, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        labels, found = self._located(points)
        with torch.no_grad():
            here = self._pulled_back(labels, any(sum(atom.orders) == 2 for atom in atoms))
        return {atom: torch.where(found, derivative(here, atom), torch.nan) for atom in atoms}

    def _pulled_back(self, labels: Points, second: bool) -> PulledBack:
        """Derivatives in space and time: the time is one more coordinate of label and place."""
        axes = labels.shape[1]
        layout = JetLayout.full(axes) if second else JetLayout(axes, tuple(range(axes)))
        motion, state = self.model.jets(self.vector, labels, layout)
        clock = torch.zeros_like(motion.tensor[..., :1])
        clock[0, :, 0], clock[layout.first_row(axes - 1)] = labels[:, -1], 1
        return pulled_back(Jet(torch.cat([motion.tensor, clock], -1), layout), state)

    def _located(self, points: Points) -> tuple[Points, Tensor]:
        labels, found = self.inverse(points)
        if self.valid_until is not None:
            found = found & (points[:, -1] <= self.valid_until)
        return labels, found

    def tensors(self) -> dict[str, Tensor]:
        return {"vector": self.vector}

    def config(self) -> dict[str, Any]:
        characteristics = self.model.characteristics.model.architecture
        return {
            "kind": "lagrangian",
            "hidden": list(characteristics.sizes[1:-1]),
            "activation": characteristics.activation.name,
            "valid_until": self.valid_until,
        }


def rebuild_field(problem: Problem, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> LagrangianField:
    """The field of a problem whose `config()` and `tensors()` these are.

    Raises ProblemFileError where the weights do not fit the problem.
    """
    hidden = config["hidden"]
    model = MovingModel.of(lowered(problem), hidden[0], len(hidden), activation_of_name(config["activation"]))
    vector = tensors["vector"].to(torch.float64)
    if vector.shape != (model.count,):
        raise ProblemFileError(
            f"saved field: got {tuple(vector.shape)} weights, expected ({model.count},) for this problem in the moving"
            " frame"
        )
    return LagrangianField(model, vector, config["valid_until"])
