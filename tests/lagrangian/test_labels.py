"""Label space: jets against torch.func, periods, labels that enter, samples on characteristics that have begun."""

import pytest
import torch
from torch.func import hessian, jacrev, vmap

from physolve.jets import JetLayout
from physolve.lagrangian._labels import Entry, Labels

FLAT = Labels((-1.0,), (2.0,), (False,), 0.5, 2.0)
RING = Labels((-1.0,), (2.0,), (True,), 0.0, 1.0)
BELOW = Labels((-2.0,), (1.0,), (False,), 0.0, 1.0, Entry(0, 0.0, 2.0))  # through x = 0, moving up
ABOVE = Labels((0.0,), (4.0,), (False,), 0.5, 2.0, Entry(0, 1.0, -2.0))  # through x = 1, moving down
TUBE = Labels((0.0, -1.0), (3.0, 1.0), (True, False), 0.0, 1.0)
TUBE_BELOW = Labels((0.0, -3.0), (3.0, 1.0), (True, False), 0.0, 1.0, Entry(1, -1.0, 2.0))
ALL = {"flat": FLAT, "ring": RING, "below": BELOW, "above": ABOVE, "tube": TUBE, "tube below": TUBE_BELOW}


def begin(labels, xi):
    """When a label begins, by hand."""
    if labels.entry is None:
        return labels.start
    side = labels.entry
    return labels.start + ((side.position - xi[side.axis]) / side.speed).clamp(min=0)


def clock(labels, point):
    return (point[-1] - begin(labels, point[:-1])).reshape(1)


def origin(labels, point):
    if labels.entry is None:
        return point[:-1]
    side, columns = labels.entry, list(point[:-1])
    late = (side.position - columns[side.axis]) / side.speed > 0
    columns[side.axis] = torch.where(late, torch.tensor(side.position, dtype=point.dtype), columns[side.axis])
    return torch.stack(columns)


def embed(labels, point):
    made = []
    for k, (a, b) in enumerate(zip(labels.lower, labels.upper, strict=True)):
        angle = 2 * torch.pi * (point[k] - a) / (b - a)
        made += [angle.cos(), angle.sin()] if labels.periodic[k] else [point[k]]
    return torch.stack([*made, point[-1]])


def assert_jet_of(jet, function, points):
    """Rows of the jet against derivatives by torch.func."""
    first, second = vmap(jacrev(function))(points), vmap(hessian(function))(points)
    torch.testing.assert_close(jet.value, vmap(function)(points))
    for k, row in enumerate(jet.layout.first):
        torch.testing.assert_close(jet.tensor[1 + k], first[..., row])
    for k, (i, j) in enumerate(jet.layout.second):
        torch.testing.assert_close(jet.tensor[1 + len(jet.layout.first) + k], second[..., i, j])


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("function", [embed, clock, origin], ids=lambda f: f.__name__)
def test_jets_equal_torch_func(function, name):
    labels = ALL[name]
    points = labels.sample(40, seed=1)[0]
    made = getattr(labels, function.__name__)
    for layout in (labels.layout(False), labels.layout(True), JetLayout.full(labels.dim + 1)):
        assert_jet_of(made(points, layout), lambda p: function(labels, p), points)


@pytest.mark.parametrize("name", ALL)
def test_embedding_stays_in_its_box(name):
    labels = ALL[name]
    made = labels.embed(labels.sample(60, seed=2)[0], labels.layout(False)).value
    low, high = (made.new_tensor(end) for end in labels.box())
    assert bool(((made >= low - 1e-12) & (made <= high + 1e-12)).all())


def test_embedding_does_not_see_whole_periods():
    points = TUBE.sample(20, seed=3)[0]
    moved = points + points.new_tensor([6.0, 0.0, 0.0])
    layout = TUBE.layout(True)
    torch.testing.assert_close(TUBE.embed(moved, layout).tensor, TUBE.embed(points, layout).tensor)


def test_wrapped_moves_by_periods_along_periodic_axes_only():
    places = torch.tensor([[3.5, 3.5], [-0.5, -9.0], [3.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    expected = torch.tensor([[0.5, 3.5], [2.5, -9.0], [0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(TUBE.wrapped(places), expected)
    slope = vmap(jacrev(lambda p: TUBE.wrapped(p[None])[0]))(places)
    torch.testing.assert_close(slope, torch.eye(2, dtype=torch.float64).expand(4, 2, 2))


@pytest.mark.parametrize(
    ("labels", "xi", "begins", "late"),
    [
        (FLAT, [-1.0, 2.0], [0.5, 0.5], [False, False]),
        (BELOW, [0.5, 0.0, -1.0, -2.0], [0.0, 0.0, 0.5, 1.0], [False, False, True, True]),
        (ABOVE, [0.5, 1.0, 2.0, 4.0], [0.5, 0.5, 1.0, 2.0], [False, False, True, True]),
    ],
    ids=["flat", "below", "above"],
)
def test_labels_beyond_the_side_enter_later(labels, xi, begins, late):
    column = torch.tensor(xi, dtype=torch.float64)[:, None]
    torch.testing.assert_close(labels.begin(column), torch.tensor(begins, dtype=torch.float64))
    assert labels.entering(column).tolist() == late


@pytest.mark.parametrize("until", [None, 0.8])
@pytest.mark.parametrize("name", ALL)
def test_samples_lie_on_characteristics_that_have_begun(name, until):
    labels = ALL[name]
    points, weights = labels.sample(200, seed=4, until=until)
    xi, t = points[:, :-1], points[:, -1]
    low, high = (xi.new_tensor(end) for end in (labels.lower, labels.upper))
    assert bool(((xi >= low) & (xi <= high)).all())
    assert bool((t >= labels.begin(xi)).all())
    assert bool((t <= (until or labels.end)).all())
    assert float(weights.sum()) == pytest.approx(1)
    assert bool((weights > 0).all())


def test_weights_make_the_mean_over_the_lives():
    """Labels enter through x = 0 at speed 2 for 1 s, labels from -2 to 1: mean t = (1 * 1/2 + 2 * 1/3) / (1 + 1)."""
    points, weights = BELOW.sample(4096, seed=5)
    assert float(weights @ points[:, -1]) == pytest.approx(7 / 12, abs=2e-3)


def test_same_seed_same_sample():
    first, again, other = (TUBE.sample(30, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
