"""Blocks of residual rows in the moving frame: the equations on characteristics, conditions on open sides."""

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points
from physolve.jets import Jet
from physolve.residual import Form

from ._equations import equations, value_of
from ._inversion import Locator
from ._kinematics import PulledBack, pulled_back
from ._model import LabelPoints, MovingModel

ROOM = 1e-3
"""Beyond the window, in its extents, where the equations still count: its sides belong to it."""


class RowBlock(Protocol):
    """Rows at labels that may depend on the map: `labels` says where, `rows` what holds there."""

    def __len__(self) -> int: ...

    def labels(self, model: MovingModel, vector: Float[Tensor, " count"]) -> LabelPoints: ...

    def rows(self, model: MovingModel, motion: Jet, state: Jet, at: LabelPoints) -> Float[Tensor, "kinds n"]: ...


@dataclass(frozen=True, eq=False)
class Interior:
    """The equations at fixed labels and times. Where the problem has open sides, characteristics that have left through
    them count no more."""

    at: LabelPoints
    kinds: int

    def __len__(self) -> int:
        return self.kinds * len(self.at.points)

    def labels(self, model: MovingModel, vector: Float[Tensor, " count"]) -> LabelPoints:
        return self.at

    def rows(self, model: MovingModel, motion: Jet, state: Jet, at: LabelPoints) -> Float[Tensor, "kinds n"]:
        found = equations(model.frame, motion, state, at.points[:, -1])
        if not model.frame.open_sides:
            return found
        return found * model.frame.inside(motion.value.detach(), ROOM)


@dataclass(frozen=True, eq=False)
class Followed:
    """Places and states that a first look found at labels and times: `targets` (n, dim + unknowns)."""

    at: LabelPoints
    targets: Float[Tensor, "n columns"]

    def __len__(self) -> int:
        return self.targets.numel()

    def labels(self, model: MovingModel, vector: Float[Tensor, " count"]) -> LabelPoints:
        return self.at

    def rows(self, model: MovingModel, motion: Jet, state: Jet, at: LabelPoints) -> Float[Tensor, "kinds n"]:
        scales, dim = model.frame.scales, motion.channels
        moved = (motion.value - self.targets[:, :dim]) * scales.slope
        return torch.cat([moved, (state.value - self.targets[:, dim:]) / state.value.new_tensor(scales.size)], 1).T


@dataclass(frozen=True, eq=False)
class OpenSide:
    """Conditions at places (n, dim + 1) on a side, with normals (n, dim + 1).

    The label that is there depends on the map. It is found for the present map, and the state continued to the place,
    w(x) = W - grad w . (X - x), its gradient likewise, so that the derivative of a row in the map is the right one.
    """

    locate: Locator
    normals: Points
    forms: tuple[Form, ...]

    def __len__(self) -> int:
        return len(self.forms) * len(self.normals)

    def labels(self, model: MovingModel, vector: Float[Tensor, " count"]) -> LabelPoints:
        return model.at(self.locate(model, vector.detach()), model.frame.layout)

    def rows(self, model: MovingModel, motion: Jet, state: Jet, at: LabelPoints) -> Float[Tensor, "kinds n"]:
        here = pulled_back(motion, state)
        beside = motion.value - self.locate.places[:, :-1]
        assert here.hessian is not None  # sides are open where there is diffusion
        value = here.value - torch.einsum("nmc,nc->nm", here.gradient, beside)
        gradient = here.gradient - torch.einsum("nmce,ne->nmc", here.hessian, beside)
        moved = PulledBack(value, gradient, here.hessian, here.determinant)
        size = max(model.frame.scales.size)
        return torch.stack([value_of(form, self.locate.places, moved, self.normals) / size for form in self.forms])
