"""Scaling is undone exactly, and problems that differ by factors become one."""

import dataclasses

import pytest
import torch

from physolve.hypino._scaling import SLOPE_SIZE, SOURCE_SIZE, leading_coefficient, scaled


def test_it_is_undone_by_its_sizes(problems) -> None:
    batch = problems(20)
    found = scaled(batch)
    c, size = leading_coefficient(batch.coefficients)[:, None], found.size[:, None]
    edge = found.batch.boundary
    pairs = [
        (found.batch.coefficients * c, batch.coefficients),
        (found.batch.source * size * c, batch.source),
        (edge.dirichlet * size, batch.boundary.dirichlet),
        (edge.neumann * size, batch.boundary.neumann),
        (found.batch.labels.jet * size[..., None], batch.labels.jet),
        (found.batch.raster[:, :2], batch.raster[:, :2]),
        (found.batch.raster[:, 2:4] * size[..., None, None], batch.raster[:, 2:4]),
        (found.batch.raster[:, 4] * (size * c)[..., None], batch.raster[:, 4]),
    ]
    for back, before in pairs:
        assert torch.allclose(back, before, rtol=1e-14, atol=0)  # a few roundings


def test_the_scaled_solution_solves_the_scaled_problem(problems) -> None:
    batch = scaled(problems(20)).batch
    known = batch.labels.known
    operator = torch.einsum("br,brn->bn", batch.coefficients, batch.labels.jet)
    assert known.sum() > 10
    assert torch.allclose(operator[known], batch.source[known], rtol=1e-4, atol=1e-4)  # sampled in float32


def test_the_largest_data_have_their_size(problems) -> None:
    batch = scaled(problems(20)).batch
    edge = batch.boundary
    sizes = torch.stack(
        [
            batch.source.square().mean(1).sqrt() / SOURCE_SIZE,
            (edge.dirichlet * edge.on_dirichlet).abs().amax(1),
            (edge.neumann * edge.on_neumann).abs().amax(1) / SLOPE_SIZE,
        ]
    ).amax(0)
    assert torch.allclose(sizes, torch.ones_like(sizes))
    second = batch.coefficients[:, 3:].abs().amax(1)
    assert torch.allclose(second[second > 0], torch.ones_like(second[second > 0]))


def test_factors_of_equation_and_data_disappear(problems) -> None:
    batch = problems(5)
    e, s = -3.0, 7.0  # equation times e, u times s
    factors = torch.tensor([1, 1, s, s, e * s])[None, :, None, None]
    edge = batch.boundary
    other = dataclasses.replace(
        batch,
        coefficients=e * batch.coefficients,
        source=e * s * batch.source,
        raster=batch.raster * factors,
        boundary=dataclasses.replace(edge, dirichlet=s * edge.dirichlet, neumann=s * edge.neumann),
        labels=dataclasses.replace(batch.labels, jet=s * batch.labels.jet),
    )
    one, two = scaled(batch), scaled(other)
    assert torch.allclose(two.size, s * one.size)
    for get in (
        lambda b: b.coefficients,
        lambda b: b.source,
        lambda b: b.raster,
        lambda b: b.boundary.dirichlet,
        lambda b: b.labels.jet,
    ):
        assert torch.allclose(get(one.batch), get(two.batch))


def test_a_problem_without_data_keeps_its_size(problems) -> None:
    batch = problems(2)
    edge = batch.boundary
    nothing = dataclasses.replace(
        batch,
        source=0 * batch.source,
        boundary=dataclasses.replace(edge, dirichlet=0 * edge.dirichlet, neumann=0 * edge.neumann),
    )
    assert scaled(nothing).size.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("coefficients", "leading"),
    [([5, 4, 3, 1, -2], -2), ([5, 4, 3, 2, -1], 2), ([1, -3, 0, 0, 0], -3), ([0, 0, 1, -0.1, 0], -0.1)],
)
def test_the_leading_coefficient(coefficients: list[float], leading: float) -> None:
    assert float(leading_coefficient(torch.tensor([coefficients]))) == pytest.approx(leading)
