"""Residual rows of a network: values, per-row scales, and the rows of the Gauss-Newton Jacobian."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.jets import Architecture, JetLayout, nested_derivatives, network_jacobian, network_pullback
from physolve.nets import JetAtom, PINNModel
from physolve.nets._pinn import order_of
from physolve.residual import Rows

CHUNK_POINTS = 256

Weights = Float[Tensor, "networks count"]


def quadrature(rows: Rows) -> Column:
    """sqrt(w_i / sum w): with these factors the sum of squares of the rows is their mean square over the place.

    Averages and measurements count alike.
    """
    n = len(rows)
    if rows.average is not None or rows.role == "data":
        return rows.target.new_full((n,), n**-0.5)
    return (rows.weights / rows.weights.sum()).sqrt()


def row_values(model: PINNModel, weights: Weights, rows: Rows, parameters: Sequence[Tensor]) -> Column:
    """Unscaled residual, differentiable in weights and parameters."""
    states = [model.atoms(weights, side.points, rows.form.atoms) for side in rows.sides]
    return rows.residual(states, parameters)


def linearized_rows(
    model: PINNModel,
    weights: Weights,
    rows: Rows,
    parameters: Sequence[Tensor],
    factor: Column | None = None,
    out: Float[Tensor, "n columns"] | None = None,
) -> tuple[Column, Float[Tensor, "n columns"]]:
    """Residual times `factor` (1 by default) and its Jacobian: columns are the network's weights, then the parameters.

    Derivatives up to second order come from jets; higher ones from torch.func, slower. `out` takes the Jacobian in
    place of a new tensor.
    """
    count = model.count
    jacobian = rows.target.new_empty(len(rows), count + len(parameters)) if out is None else out
    theta = [p.detach().expand(len(rows.points)).clone().requires_grad_() for p in parameters]
    states = [_leaves(model, weights, side.points, rows.form.atoms) for side in rows.sides]
    residual = rows.residual(states, theta) * (1 if factor is None else factor)
    leaves = [leaf for state in states for leaf in state.values()]
    slopes = torch.autograd.grad(residual.sum(), [*leaves, *theta], allow_unused=True, materialize_grads=True)
    per_side = torch.stack(slopes[: len(leaves)]).split(len(rows.form.atoms)) if leaves else ()
    for k, (side, slope) in enumerate(zip(rows.sides, per_side, strict=True)):
        place = None if k else jacobian[:, :count]
        found = _weight_gradients(model, weights, side.points, rows.form.atoms, slope, rows.average or 1, place)
        if k:
            jacobian[:, :count] += found
    for column, slope in zip(jacobian[:, count:].unbind(1), slopes[len(leaves) :], strict=True):
        column.copy_(slope.unflatten(0, (-1, rows.average or 1)).sum(1))
    return residual.detach(), jacobian


def _weight_gradients(
    model: PINNModel,
    weights: Weights,
    points: Points,
    atoms: Sequence[JetAtom],
    slopes: Float[Tensor, "atoms n"],
    group: int,
    out: Float[Tensor, "n_over_group count"] | None,
) -> Float[Tensor, "n_over_group count"]:
    """d / d weights of sum_a slopes[a] D^a u at every point, summed over `group` consecutive points; into `out`, where
    there is one."""
    weights = weights.detach()
    out = points.new_empty(len(points) // group, model.count) if out is None else out
    if order_of(atoms, model.dim) > 2:
        found = _exact_gradients(model, weights.flatten(), points, atoms, slopes)
        return out.copy_(found.unflatten(0, (-1, group)).sum(1))
    layout = JetLayout.of(model.dim, (atom.orders for atom in atoms))
    coefficients = points.new_zeros(layout.rows, len(points), model.outputs)
    for atom, slope in zip(atoms, slopes, strict=True):
        coefficients[layout.row(atom.orders), :, atom.unknown] += slope
    for vector, columns in zip(weights, out.chunk(model.networks, 1), strict=True):
        if group == 1:
            network_jacobian(model.architecture, vector, points, layout, coefficients, columns)
        else:
            columns.copy_(_grouped_gradients(model.architecture, vector, points, layout, coefficients, group))
    return out


def _grouped_gradients(
    architecture: Architecture,
    vector: Float[Tensor, " count"],
    points: Points,
    layout: JetLayout,
    coefficients: Float[Tensor, "rows n outputs"],
    group: int,
) -> Float[Tensor, "n_over_group count"]:
    """Rows of means over many points: the gradient of the sum is one pull-back a group, without a row for every
    point."""
    vectors = vector.expand(len(points) // group, -1)
    coefficients = coefficients.unflatten(1, (-1, group)).movedim(1, 0)
    return network_pullback(architecture, vectors.contiguous(), points.unflatten(0, (-1, group)), layout, coefficients)


def _leaves(model: PINNModel, weights: Weights, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
    with torch.no_grad():
        values = model.atoms(weights, points, atoms)
    return {atom: value.requires_grad_() for atom, value in values.items()}


def _exact_gradients(
    model: PINNModel,
    vector: Float[Tensor, " count"],
    points: Points,
    atoms: Sequence[JetAtom],
    slopes: Float[Tensor, "atoms n"],
) -> Float[Tensor, "n count"]:
    """The same for derivatives of any order, by torch.func."""

    def combination(vector: Tensor, point: Tensor, slope: Tensor) -> Tensor:
        def network(p: Tensor) -> Tensor:
            return model.apply(vector.unflatten(0, (model.networks, -1)), p)

        found = nested_derivatives(network, point[None], [atom.orders for atom in atoms])
        return torch.stack([found[a.orders][0, a.unknown] for a in atoms]) @ slope

    rows = torch.func.vmap(torch.func.grad(combination), in_dims=(None, 0, 1), chunk_size=CHUNK_POINTS)
    return rows(vector, points, slopes)
