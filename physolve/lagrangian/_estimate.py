"""The error of a solution in the moving frame, from its own error equation on independent functions."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.jets import TANH, Jet, affine, elementwise, multiply
from physolve.solve import Estimate, Vector

from ._equations import equations
from ._kinematics import pulled_back
from ._model import LabelPoints, MovingModel

FEATURES = 300
ROWS = 2400
SLOPE = 3.0
"""Random tanh features of label and time: their number, the points of the error equation, their largest slope in units
of the box."""

RIDGE = 1e-10
SAFETY = 2.0


def estimated(model: MovingModel, vector: Vector, seed: int, valid_until: float | None = None) -> Estimate:
    """Root mean square error over the domain, up to `valid_until`.

    The linearised equations of the moving frame are solved for corrections (dX, dW) that explain the residual at fresh
    points. At a fixed place they change the state by dW - grad w . dX. What they leave of the residual counts as an
    error that grows over the whole time. The sum is multiplied by SAFETY.
    """
    frame = model.frame
    points, _ = frame.labels.sample(ROWS, seed, valid_until)
    points = points[_inside(model, vector, points)]
    at = model.at(points, frame.layout)
    features = _features(model, at, seed)
    residual, columns = _system(model, vector, at, features)
    scale = columns.norm(dim=0).clamp(min=1e-300)
    ridge = RIDGE**0.5 * math.sqrt(len(columns)) * torch.eye(columns.shape[1], dtype=columns.dtype)
    matrix = torch.cat([columns / scale, ridge])
    right = torch.cat([-residual, residual.new_zeros(columns.shape[1])])
    found = torch.linalg.lstsq(matrix, right[:, None], driver="gels").solution[:, 0] / scale
    left = (residual + columns @ found).square().mean().sqrt() * math.sqrt(len(frame.velocity) + len(frame.sources))
    return _measured(model, vector, at, features, found, float(left))


def _inside(model: MovingModel, vector: Vector, points: Tensor) -> Tensor:
    """Which labels are inside the window, where they leave it through open sides or it is one of unbounded space."""
    places = model.frame.labels.wrapped(model.place(vector, points).value)
    low, high = (places.new_tensor(end) for end in model.frame.window)
    return ((places >= low) & (places <= high)).all(1)


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
    model: MovingModel, vector: Vector, at: LabelPoints, features: Jet
) -> tuple[Tensor, Float[Tensor, "rows columns"]]:
    """Residuals and their derivative in the coefficients of dX and dW, one column a feature and component."""
    frame, scales = model.frame, model.frame.scales
    with torch.no_grad():
        outer = model.outer(vector, at)
        motion, state = model.motion(outer[0], at).tensor, model.carried(outer[1], at).tensor
    motion, state = motion.requires_grad_(), state.requires_grad_()
    rows = equations(frame, Jet(motion, at.layout), Jet(state, at.layout), at.points[:, -1])
    sizes = (*(1 / scales.slope for _ in frame.velocity), *scales.size)
    blocks = []
    for row in rows:
        slopes = torch.autograd.grad(row.sum(), (motion, state), retain_graph=True, materialize_grads=True)
        each = torch.cat(slopes, -1) * row.new_tensor(sizes)
        blocks.append(torch.einsum("rnc,rnf->ncf", each, features.tensor).flatten(1))
    return rows.detach().flatten(), torch.cat(blocks)


def _measured(
    model: MovingModel, vector: Vector, at: LabelPoints, features: Jet, found: Tensor, left: float
) -> Estimate:
    """The corrections as errors of the state, and what they left of the residual."""
    frame, scales = model.frame, model.frame.scales
    with torch.no_grad():
        motion, state = model.jets(vector, at.points, at.layout)
        here = pulled_back(motion, state)
        parts = torch.einsum("nf,cf->nc", features.tensor[0], found.unflatten(0, (-1, FEATURES)))
        dim = frame.labels.dim
        moved, changed = parts[:, :dim] / scales.slope, parts[:, dim:] * parts.new_tensor(scales.size)
        error = changed - torch.einsum("nmc,nc->nm", here.gradient, moved)
        density = here.determinant.abs()[:, None] / here.determinant.abs().mean()
        errors = (density * error.square()).mean(0).sqrt() + left * parts.new_tensor(scales.size)
        sizes = (density * here.value.square()).mean(0).sqrt()
    values, sizes = SAFETY * errors, sizes.clamp(min=1e-300)
    return Estimate(float(values.max()), float((values / sizes).max()), "error equation in the moving frame")
