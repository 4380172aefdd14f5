"""The error of a solution in the moving frame, from its own error equation on independent functions."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.jets import TANH, Jet, affine, elementwise, multiply
from physolve.solve import Estimate, Vector, least_squares

from ._equations import equations
from ._frame import MovingFrame
from ._kinematics import pulled_back
from ._model import LabelPoints, MovingModel

FEATURES = 300
ROWS = 2400
SLOPE = 3.0
"""Random tanh features of label and time: their number, the points of the error equation, their largest slope in units
of the box."""

METHOD = "error equation in the moving frame"
RIDGE = 1e-10
SAFETY = 2.0


def estimated(model: MovingModel, vector: Vector, seed: int, valid_until: float | None = None) -> Estimate:
    """Root mean square error over the domain, up to `valid_until`.

    The linearised equations of the moving frame are solved for corrections (dX, dW) that explain the residual at fresh
    points. At a fixed place they change the state by dW - grad w . dX, the latter being no more than it varies. What
    they leave of the residual counts as an error that grows over the whole time. The sum is multiplied by SAFETY. NaN
    where the residual is not finite.
    """
    frame = model.frame
    points, _ = frame.labels.sample(ROWS, seed, valid_until)
    points = points[frame.inside(model.place(vector, points).value)]
    at = model.at(points, frame.layout)
    with torch.no_grad():
        motion, state = model.jets_of(model.outer(vector, at), at)
    features = _features(model, at, seed)
    residual, columns = _system(frame, motion, state, at, features)
    if not bool(torch.isfinite(columns).all() and torch.isfinite(residual).all()):
        return Estimate(math.nan, math.nan, METHOD)
    ridge = RIDGE**0.5 * math.sqrt(len(columns))
    found = least_squares([(columns, -residual)], columns.shape[1], ridge).coefficients[:, 0]
    left = (residual + columns @ found).square().mean().sqrt() * math.sqrt(len(frame.velocity) + len(frame.sources))
    return _measured(frame, motion, state, features, found, float(left))


def _features(model: MovingModel, at: LabelPoints, seed: int) -> Jet:
    """Jets (rows, n, FEATURES) of clock times tanh features of what the networks read: corrections vanish where
    characteristics begin."""
    generator = torch.Generator().manual_seed(seed + 1)
    low, high = (at.points.new_tensor(end) for end in model.frame.labels.box())
    inputs = len(low)
    weight = torch.randn(inputs, FEATURES, generator=generator, dtype=torch.float64)
    weight = weight * SLOPE * torch.rand(FEATURES, generator=generator, dtype=torch.float64) * 2 / (high - low)[:, None]
    center = low + (high - low) * torch.rand(FEATURES, inputs, generator=generator, dtype=torch.float64)
    bias = -(center.T * weight).sum(0)
    return multiply(at.clock, elementwise(TANH, affine(at.embedding, weight, bias)))


def _system(
    frame: MovingFrame, motion: Jet, state: Jet, at: LabelPoints, features: Jet
) -> tuple[Tensor, Float[Tensor, "rows columns"]]:
    """Residuals and their derivative in the coefficients of dX and dW, one column a feature and component."""
    leaves = [jet.tensor.detach().requires_grad_() for jet in (motion, state)]
    rows = equations(frame, Jet(leaves[0], at.layout), Jet(leaves[1], at.layout), at.points[:, -1])
    sizes = (*(1 / frame.scales.slope for _ in frame.velocity), *frame.scales.size)
    blocks = []
    for row in rows:
        slopes = torch.autograd.grad(row.sum(), leaves, retain_graph=True, materialize_grads=True)
        each = torch.cat(slopes, -1) * row.new_tensor(sizes)
        blocks.append(torch.einsum("rnc,rnf->ncf", each, features.tensor).flatten(1))
    return rows.detach().flatten(), torch.cat(blocks)


def _measured(frame: MovingFrame, motion: Jet, state: Jet, features: Jet, found: Tensor, left: float) -> Estimate:
    """The corrections as errors of the state, and what they left of the residual."""
    scales, dim = frame.scales, frame.labels.dim
    here = pulled_back(motion, state)
    parts = torch.einsum("nf,cf->nc", features.tensor[0], found.unflatten(0, (-1, FEATURES)))
    size = parts.new_tensor(scales.size)
    moved, changed = parts[:, :dim] / scales.slope, parts[:, dim:] * size
    varies = here.value.amax(0) - here.value.amin(0)
    error = changed - torch.einsum("nmc,nc->nm", here.gradient, moved).clamp(-varies, varies)
    density = here.determinant.abs()[:, None] / here.determinant.abs().mean()
    values = SAFETY * ((density * error.square()).mean(0).sqrt() + left * size)
    sizes = (density * here.value.square()).mean(0).sqrt().clamp(min=1e-300)
    return Estimate(float(values.max()), float((values / sizes).max()), METHOD)
