"""The equations in the moving frame, from jets of motion and state, in relative size."""

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.jets import Jet
from physolve.nets import JetAtom
from physolve.residual import Form

from ._frame import MovingFrame
from ._kinematics import PulledBack, pulled_back


def equations(frame: MovingFrame, motion: Jet, state: Jet, times: Column) -> Float[Tensor, "equations n"]:
    """X_t - velocity for every axis, W_t - source for every unknown.

    An entry is the relative error of the state that it makes over the whole time if it stays: equations of the motion
    count with the slope of the state.
    """
    scales, duration, dim = frame.scales, frame.labels.duration, frame.labels.dim
    rate = motion.layout.first_row(dim)
    here = pulled_back(motion, state)
    points = torch.cat([frame.labels.wrapped(motion.value), times[:, None]], 1)
    moved = [
        (motion.tensor[rate, :, k] - value_of(form, points, here)) * duration * scales.slope
        for k, form in enumerate(frame.velocity)
    ]
    changed = [
        (state.tensor[rate, :, i] - value_of(form, points, here)) * duration / scales.size[i]
        for i, form in enumerate(frame.sources)
    ]
    return torch.stack([*moved, *changed])


def value_of(form: Form, points: Points, here: PulledBack, normals: Points | None = None) -> Column:
    """A form at places and times, for values and derivatives in space."""
    return form.residual(points, normals, {atom: derivative(here, atom) for atom in form.atoms})


def derivative(here: PulledBack, atom: JetAtom) -> Column:
    """A derivative up to order two."""
    axes = [k for k, order in enumerate(atom.orders) for _ in range(order)]
    if not axes:
        return here.value[:, atom.unknown]
    if len(axes) == 1:
        return here.gradient[:, atom.unknown, axes[0]]
    assert here.hessian is not None
    return here.hessian[:, atom.unknown, axes[0], axes[1]]
