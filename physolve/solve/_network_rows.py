"""Residual rows of a network: values, per-row scales, and the rows of the Gauss-Newton Jacobian."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.jets import nested_derivatives
from physolve.nets import JetAtom, PINNModel
from physolve.nets._pinn import order_of
from physolve.residual import Rows

CHUNK_POINTS = 256


def quadrature(rows: Rows) -> Column:
    """sqrt(w_i / sum w): with these factors the sum of squares of the rows is their mean square over the
    place.

    Averages and measurements count alike.
    """
    n = len(rows)
    if rows.average is not None or rows.role == "data":
        return rows.target.new_full((n,), n**-0.5)
    return (rows.weights / rows.weights.sum()).sqrt()


def row_values(model: PINNModel, weights: Mapping[str, Tensor], rows: Rows, parameters: Sequence[Tensor]) -> Column:
    """Unscaled residual, differentiable in weights and parameters."""
    states = [model.atoms(weights, side.points, rows.form.atoms) for side in rows.sides]
    return rows.residual(states, parameters)


def linearized_rows(
    model: PINNModel,
    weights: Mapping[str, Tensor],
    rows: Rows,
    parameters: Sequence[Tensor],
    out: Float[Tensor, "n columns"] | None = None,
) -> tuple[Column, Float[Tensor, "n columns"]]:
    """Unscaled residual and its Jacobian: columns are the network's weights, then the parameters.

    Derivatives up to second order come from jets, one reverse sweep a side; higher ones from torch.func,
    slower. `out` takes the Jacobian in place of a new tensor.
    """
    group = rows.average or 1
    count = model.network.count
    jacobian = rows.target.new_empty(len(rows), count + len(parameters)) if out is None else out
    jacobian.zero_()
    theta = [p.detach().expand(len(rows.points)).clone().requires_grad_() for p in parameters]
    taped = order_of(rows.form.atoms, model.dim) <= 2
    if taped:
        pairs = [model.taped_atoms(weights, side.points, rows.form.atoms) for side in rows.sides]
        states = [state for state, _ in pairs]
        residual = rows.residual(states, theta)
        total = residual.sum()
        for k, (_, tape) in enumerate(pairs):
            if k:
                jacobian[:, :count] += tape.point_gradients(total, group)
            else:
                tape.point_gradients(total, group, out=jacobian[:, :count])
    else:
        states = [_leaves(model, weights, side.points, rows.form.atoms) for side in rows.sides]
        residual = rows.residual(states, theta)
        for side, state in zip(rows.sides, states, strict=True):
            gradients = _exact_gradients(model, weights, side.points, state, residual.sum())
            jacobian[:, :count] += gradients.unflatten(0, (-1, group)).sum(1)
    _parameter_columns(jacobian[:, count:], residual, theta, group)
    return residual.detach(), jacobian


def _parameter_columns(columns: Tensor, residual: Column, theta: Sequence[Tensor], group: int) -> None:
    if not theta or not residual.requires_grad:
        return
    slopes = torch.autograd.grad(residual.sum(), theta, retain_graph=True, allow_unused=True, materialize_grads=True)
    for column, slope in zip(columns.unbind(1), slopes, strict=True):
        column += slope.unflatten(0, (-1, group)).sum(1)


def _leaves(
    model: PINNModel, weights: Mapping[str, Tensor], points: Points, atoms: Sequence[JetAtom]
) -> dict[JetAtom, Column]:
    with torch.no_grad():
        values = model.atoms(weights, points, atoms)
    return {atom: value.requires_grad_() for atom, value in values.items()}


def _exact_gradients(
    model: PINNModel,
    weights: Mapping[str, Tensor],
    points: Points,
    state: Mapping[JetAtom, Column],
    total: Float[Tensor, ""],
) -> Float[Tensor, "points weights"]:
    """d / d weights of sum_a slope_a D^a u at every point, slope_a = d total / d state_a, by torch.func."""
    atoms = tuple(state)
    slopes = torch.stack(
        torch.autograd.grad(total, tuple(state.values()), retain_graph=True, materialize_grads=True), 1
    )
    vector = model.network.flatten(weights)
    lower, upper = points.new_tensor(model.lower), points.new_tensor(model.upper)

    def combination(vector: Tensor, point: Tensor, slope: Tensor) -> Tensor:
        def network(p: Tensor) -> Tensor:
            inputs = (2 * p - lower - upper) / (upper - lower)
            return model.network.apply(model.network.unflatten(vector), inputs)

        found = nested_derivatives(network, point[None], [atom.orders for atom in atoms])
        return torch.stack([found[a.orders][0, a.unknown] for a in atoms]) @ slope

    rows = torch.func.vmap(torch.func.grad(combination), in_dims=(None, 0, 0), chunk_size=CHUNK_POINTS)
    return rows(vector, points, slopes)
