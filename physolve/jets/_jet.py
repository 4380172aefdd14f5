"""Jets: a field's value, first and second derivatives, pushed forward together.

Rules (source: truncated Taylor arithmetic; exact, no approximation), for a jet (v, v_i, v_ij):
    affine        Y = J W, the bias added to the value only
    elementwise   s(v);  s'(v) v_i;  s'(v) v_ij + s''(v) v_i v_j
    product       ab;    a_i b + a b_i;  a_ij b + a_i b_j + a_j b_i + a b_ij
Everything is made of differentiable torch operations: autograd gives gradients in weights and in points, to any order.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ._activations import Activation
from ._layout import JetLayout, MultiIndex


@dataclass(frozen=True, eq=False)
class Jet:
    """`tensor` (..., rows, n, channels): one row a derivative, as `layout` orders them; leading dims are a batch.

    Raises TypeError if the tensor is not float32 or float64, ValueError if its rows are not the layout's.
    """

    tensor: Float[Tensor, "*batch rows n channels"]
    layout: JetLayout

    def __post_init__(self) -> None:
        if self.tensor.dtype not in (torch.float32, torch.float64):
            raise TypeError(f"jet: got dtype {self.tensor.dtype}, expected torch.float32 or torch.float64")
        if self.tensor.ndim < 3 or self.tensor.shape[-3] != self.layout.rows:
            raise ValueError(
                f"jet: got shape {tuple(self.tensor.shape)}, expected (..., {self.layout.rows}, n, channels)"
                f" for the derivatives {self.layout.multi_indices}"
            )

    @property
    def value(self) -> Float[Tensor, "*batch n channels"]:
        return self.tensor[..., 0, :, :]

    @property
    def channels(self) -> int:
        return self.tensor.shape[-1]

    def derivative(self, orders: MultiIndex) -> Float[Tensor, "*batch n channels"]:
        """The row of one derivative, as orders per coordinate: (1, 0) is d/dx_0."""
        return self.tensor[..., self.layout.row(orders), :, :]

    def __getitem__(self, channels: slice) -> "Jet":
        """A slice of the channels."""
        return Jet(self.tensor[..., channels], self.layout)

    def __add__(self, other: "Jet") -> "Jet":
        _same_layout(self, other)
        return Jet(self.tensor + other.tensor, self.layout)

    def __sub__(self, other: "Jet") -> "Jet":
        _same_layout(self, other)
        return Jet(self.tensor - other.tensor, self.layout)

    def __mul__(self, other: "Jet") -> "Jet":
        _same_layout(self, other)
        return multiply(self, other)

    def scaled(self, factor: Tensor | float) -> "Jet":
        """Times a constant (a number, or one a channel)."""
        return Jet(self.tensor * factor, self.layout)


def seed_jet(points: Float[Tensor, "*batch n dim"], layout: JetLayout) -> Jet:
    """Jet of the coordinates themselves: channel k is x_k, with d x_k / d x_k = 1.

    Raises ValueError if the points have another dimension than the layout.
    """
    if points.ndim < 2 or points.shape[-1] != layout.dim:
        raise ValueError(f"seed_jet: got points of shape {tuple(points.shape)}, expected (..., n, {layout.dim})")
    slopes = torch.zeros((layout.rows - 1, 1, layout.dim), dtype=points.dtype, device=points.device)
    slopes[range(len(layout.first)), 0, layout.first] = 1
    slopes = slopes.expand(*points.shape[:-2], layout.rows - 1, points.shape[-2], layout.dim)
    return Jet(torch.cat([points.unsqueeze(-3), slopes], dim=-3), layout)


def affine(
    jet: Jet,
    weight: Float[Tensor, "*batch channels outputs"],
    bias: Float[Tensor, "*batch outputs"] | None = None,
) -> Jet:
    """J W + b in one matrix product for all rows; the weights' leading dims broadcast with the jet's.

    Raises TypeError for mixed dtypes, ValueError for sizes that do not fit.
    """
    _check_affine(jet, weight, bias)
    rows, n = jet.tensor.shape[-3:-1]
    flat = jet.tensor.flatten(-3, -2) @ weight
    result = flat.unflatten(-2, (rows, n))
    if bias is None:
        return Jet(result, jet.layout)
    value = result[..., :1, :, :] + bias[..., None, None, :]
    rest = result[..., 1:, :, :].expand(*value.shape[:-3], rows - 1, *value.shape[-2:])
    return Jet(torch.cat([value, rest], dim=-3), jet.layout)


def elementwise(activation: Activation, jet: Jet) -> Jet:
    """s(jet): the chain rule of a function of one variable."""
    first, second = _blocks(jet)
    s, ds, dds = (part.unsqueeze(-3) for part in activation.derivatives(jet.value))
    parts = [s, ds * first]
    if jet.layout.second:
        left, right = jet.layout.second_factors
        parts.append(ds * second + dds * (jet.tensor[..., left, :, :] * jet.tensor[..., right, :, :]))
    return Jet(torch.cat(parts, dim=-3), jet.layout)


def multiply(a: Jet, b: Jet) -> Jet:
    """a b, channel by channel (a single channel broadcasts): the product rule."""
    _same_layout(a, b)
    (a1, a2), (b1, b2) = _blocks(a), _blocks(b)
    va, vb = a.tensor[..., :1, :, :], b.tensor[..., :1, :, :]
    parts = [va * vb, a1 * vb + va * b1]
    if a.layout.second:
        left, right = a.layout.second_factors
        cross = a.tensor[..., left, :, :] * b.tensor[..., right, :, :]
        cross = cross + a.tensor[..., right, :, :] * b.tensor[..., left, :, :]
        parts.append(a2 * vb + cross + va * b2)
    return Jet(torch.cat(parts, dim=-3), a.layout)


def compose(outer: Jet, inner: Jet) -> Jet:
    """Jet of f(g(x)) from the jet of f at y = g(x) (full layout in y) and the jet of g (one channel a component of y).

        (f o g)_i = sum_a f_a g^a_i
        (f o g)_ij = sum_a f_a g^a_ij + sum_ab f_ab g^a_i g^b_j

    outer.tensor (..., rows, n, channels), inner.tensor (..., rows', n, m) with m = outer.layout.dim.
    Raises ValueError if `outer` lacks a derivative that the rule needs.
    """
    m = inner.channels
    if outer.layout != JetLayout.full(m):
        raise ValueError(f"compose: got outer {outer.layout}, expected the full layout of {m} variables")
    first, second = _blocks(inner)
    gradient = outer.tensor[..., 1 : 1 + m, :, :]
    parts = [outer.tensor[..., :1, :, :], torch.einsum("...anc,...rna->...rnc", gradient, first)]
    if inner.layout.second:
        left, right = inner.layout.second_factors
        curved = torch.einsum(
            "...abnc,...rna,...rnb->...rnc",
            _hessian(outer),
            inner.tensor[..., left, :, :],
            inner.tensor[..., right, :, :],
        )
        parts.append(torch.einsum("...anc,...rna->...rnc", gradient, second) + curved)
    return Jet(torch.cat(parts, dim=-3), inner.layout)


def _hessian(jet: Jet) -> Float[Tensor, "*batch dim dim n channels"]:
    axes = range(jet.layout.dim)
    start = 1 + len(jet.layout.first)
    rows = [start + jet.layout.second.index((min(a, b), max(a, b))) for a in axes for b in axes]
    return jet.tensor[..., rows, :, :].unflatten(-3, (len(axes), len(axes)))


def _blocks(jet: Jet) -> tuple[Tensor, Tensor]:
    """Rows of first and of second derivatives."""
    middle = 1 + len(jet.layout.first)
    return jet.tensor[..., 1:middle, :, :], jet.tensor[..., middle:, :, :]


def _same_layout(a: Jet, b: Jet) -> None:
    if a.layout != b.layout:
        raise ValueError(f"jets: got layouts {a.layout} and {b.layout}, expected equal ones")


def _check_affine(jet: Jet, weight: Tensor, bias: Tensor | None) -> None:
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tensor.dtype != jet.tensor.dtype:
            raise TypeError(f"affine: got {name} of {tensor.dtype}, expected the jet's {jet.tensor.dtype}")
    if weight.ndim < 2 or weight.shape[-2] != jet.channels:
        raise ValueError(f"affine: got weight of shape {tuple(weight.shape)}, expected (..., {jet.channels}, outputs)")
    if bias is not None and (bias.ndim < 1 or bias.shape[-1] != weight.shape[-1]):
        raise ValueError(f"affine: got bias of shape {tuple(bias.shape)}, expected (..., {weight.shape[-1]})")
