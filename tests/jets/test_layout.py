import pytest

from physolve.errors import UnsupportedError
from physolve.jets import JetLayout, directions_of


def test_of_completes_the_chain_rule():
    layout = JetLayout.of(3, [(0, 1, 1), (2, 0, 0)])
    assert layout.first == (0, 1, 2)
    assert layout.second == ((0, 0), (1, 2))
    assert layout.rows == 6
    assert layout.multi_indices[layout.row((0, 1, 1))] == (0, 1, 1)


def test_value_only():
    assert JetLayout.of(2, [(0, 0)]) == JetLayout(2)
    assert JetLayout(2).rows == 1


@pytest.mark.parametrize(("dim", "rows"), [(1, 3), (2, 6), (3, 10), (4, 15)])
def test_full_layout_has_all_derivatives_once(dim, rows):
    layout = JetLayout.full(dim)
    assert layout.rows == rows == len(set(layout.multi_indices))
    assert [layout.row(orders) for orders in layout.multi_indices] == list(range(rows))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "dim=0"),
        ((2, (0, 2)), "first=(0, 2)"),
        ((2, (1, 0)), "first=(1, 0)"),
        ((2, (0,), ((0, 1),)), "second=((0, 1),)"),
        ((2, (0, 1), ((1, 0),)), "second=((1, 0),)"),
        ((2, (0, 1), ((1, 1), (0, 0))), "ascending pairs"),
    ],
)
def test_wrong_layouts_are_refused(arguments, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the message is compared below)
        JetLayout(*arguments)
    assert message in str(caught.value)


def test_third_order_points_to_the_exact_path():
    with pytest.raises(UnsupportedError, match=r"order 3.*physolve\.jets\.derivatives"):
        JetLayout.of(2, [(2, 1)])


def test_missing_row_is_named():
    with pytest.raises(ValueError, match=r"no row for derivative \(0, 1\)"):
        JetLayout.of(2, [(1, 0)]).row((0, 1))


def test_directions():
    assert directions_of((2, 0, 1), 3) == (0, 0, 2)
    with pytest.raises(ValueError, match="expected 2 non-negative"):
        directions_of((1, -1), 2)
