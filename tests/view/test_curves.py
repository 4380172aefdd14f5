"""Curves: cuts, convergence, and the curves of a solution."""

import numpy as np
import pytest
from PIL import Image

from physolve.errors import SpecificationError
from physolve.view import Style, plot_convergence, plot_cut
from physolve.view._curve import curve_axes
from physolve.view._lines import curve_figure
from physolve.view._request import make_request

QUICK = Style(dpi=60)
FEATURES = [100, 200, 400, 800]


def lines_of(solution, **options):
    """The curves of a figure as {label: (x, y)}."""
    asked = {"quantity": "field", "unknown": None, "reference": None, "time": None, "resolution": 21}
    asked |= {"units": None, "title": None, "style": QUICK, "curve": True} | options
    (axes,) = curve_figure(make_request(solution, **asked)).axes
    return {line.get_label(): line.get_data() for line in axes.get_lines()}


def test_curves_of_an_ordinary_system(make):
    lines = lines_of(make("ode"))
    assert list(lines) == ["$u$", "$w$"]
    t, w = lines["$w$"]
    np.testing.assert_allclose(t, np.linspace(0, 10, 21))
    np.testing.assert_allclose(w, np.sin(t), atol=1e-12)


def test_curves_at_times(make):
    lines = lines_of(make("line over time"), time=[0, 2])
    assert list(lines) == ["$t$ = 0", "$t$ = 2"]
    x, u = lines["$t$ = 2"]
    np.testing.assert_allclose(u, np.sin(6 * x - 2) * np.exp(-0.5), atol=1e-12)


def test_cut_and_convergence_are_pictures(tmp_path, make):
    plot_cut({"u": make("plate")}, tmp_path / "cut.png", (0, 0.5), (2, 0.5), label="u", style=QUICK)
    plot_convergence(
        FEATURES, {"estimate": [1e-1, 1e-2, 0, np.nan]}, tmp_path / "c.png", tol=1e-3, order=2, style=QUICK
    )
    for name in ("cut.png", "c.png"):
        with Image.open(tmp_path / name) as image:
            assert image.format == "PNG"
            assert image.size[0] > image.size[1] > 150


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: plot_cut({}, p, (0, 0), (1, 1)), "no fields given"),
        (lambda p: plot_cut({"u": np.sum}, p, (0, 0), (0, 0)), "two points of one dimension"),
        (lambda p: plot_convergence([], {"e": []}, p), "nothing to draw"),
        (lambda p: plot_convergence(FEATURES, {"e": [1.0]}, p), "series 'e' has 1 values for 4"),
    ],
)
def test_misuse(tmp_path, call, message):
    with pytest.raises(SpecificationError, match=message):
        call(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_small_and_large_numbers_have_a_common_power_of_ten():
    figure, axes = curve_axes("x", "y", "")
    axes.plot([0, 1], [0, 3e-7])
    figure.canvas.draw()
    assert "10^{\N{MINUS SIGN}7}" in axes.yaxis.get_offset_text().get_text()
