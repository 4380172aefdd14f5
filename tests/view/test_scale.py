"""One range of colours for what is to be compared."""

import numpy as np
import pytest

from physolve.view._scale import fit_scale


def test_signed_values_have_zero_in_the_middle() -> None:
    scale = fit_scale("diverging", [np.linspace(-1, 3, 101)], "u")
    assert (scale.low, scale.high, scale.cut) == (-3, 3, False)
    assert scale.position(np.zeros(1))[0] == 0.5


def test_a_spike_does_not_hide_the_rest() -> None:
    scale = fit_scale("diverging", [np.append(np.linspace(-1, 1, 10_001), 50.0)], "u")
    assert scale.cut
    assert scale.high == pytest.approx(1, rel=0.01)
    assert scale.position(np.array([50.0]))[0] == 1.0


def test_a_field_is_never_cut() -> None:
    scale = fit_scale("sequential", [np.append(np.linspace(-1, 1, 10_001), 50.0)], "u")
    assert (scale.low, scale.high, scale.cut) == (-1, 50, False)
