"""Options of methods that are not of their kind are refused where the method is made."""

import re

import numpy as np
import pytest

from physolve import spec as ps
from physolve.errors import SpecificationError
from physolve.jets import TANH, Architecture
from physolve.nets import PINNModel
from physolve.solve import (
    AdamLBFGS,
    AdamSchedule,
    CausalWeights,
    GaussNewton,
    GradientNormBalancing,
    LeastSquares,
    RelativeLossBalancing,
    VariableProjection,
    solve,
)
from physolve.spec.geometry import Interval

MODEL = PINNModel(Architecture((1, 4, 1), TANH))


def whole(least):
    return f"a whole number from {least} on"


WRONG = [
    (GaussNewton, "width", 0, whole(1)),
    (GaussNewton, "width", 8.5, whole(1)),
    (GaussNewton, "depth", 0, whole(1)),
    (GaussNewton, "depth", True, whole(1)),
    (GaussNewton, "rows", 0, whole(1)),
    (GaussNewton, "first_rows", -3, whole(1)),
    (GaussNewton, "steps", -1, whole(0)),
    (GaussNewton, "resample_every", 0, whole(1)),
    (GaussNewton, "activation", "tanh", "one of physolve.jets, such as TANH"),
    (AdamLBFGS, "width", 0, whole(1)),
    (AdamLBFGS, "depth", "4", whole(1)),
    (AdamLBFGS, "rows", 0, whole(1)),
    (AdamLBFGS, "lbfgs_steps", -1, whole(0)),
    (AdamLBFGS, "activation", "tanh", "one of physolve.jets, such as TANH"),
    (AdamLBFGS, "adam", 200, "an AdamSchedule"),
    (AdamLBFGS, "balancing", None, "an object such as FixedBalancing() or GradientNormBalancing()"),
    (AdamLBFGS, "causal", 10.0, "CausalWeights or None"),
    (AdamSchedule, "steps", -1, whole(0)),
    (AdamSchedule, "resample_every", 0, whole(1)),
    (AdamSchedule, "rate", -1, "a positive number"),
    (AdamSchedule, "last_rate", float("nan"), "a positive number"),
    (CausalWeights, "bins", 1, whole(2)),
    (CausalWeights, "epsilon", -1.0, "a number from 0 on"),
    (GradientNormBalancing, "every", 0, whole(1)),
    (GradientNormBalancing, "memory", 1.5, "a number from 0 to 1"),
    (RelativeLossBalancing, "temperature", 0, "a positive number"),
]


@pytest.mark.parametrize(("made", "name", "value", "expected"), WRONG, ids=lambda v: getattr(v, "__name__", str(v)))
def test_refused_with_class_option_and_what_was_expected(made, name, value, expected):
    message = f"{made.__name__}: got {name}={value!r}, expected {expected}"
    with pytest.raises(SpecificationError, match=f"^{re.escape(message)}$"):
        made(**{name: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": 0}, "got rows=0, expected a whole number from 1 on"),
        ({"first_rows": 0}, "got first_rows=0, expected a whole number from 1 on"),
        ({"steps": -1}, "got steps=-1, expected a whole number from 0 on"),
        ({"start": None}, "got start=None, expected a network or a kind of network"),
    ],
)
def test_variable_projection(options, message):
    with pytest.raises(SpecificationError, match=f"^VariableProjection: {message}$"):
        VariableProjection(**({"start": MODEL} | options))


def test_numpys_numbers_will_do():
    assert GaussNewton(width=np.int64(8), steps=np.int32(0)).width == 8
    assert AdamSchedule(rate=np.float64(1e-2)).rate_at(0) == 1e-2


@pytest.mark.parametrize("made", [GaussNewton, AdamLBFGS, VariableProjection])
def test_a_start_must_be_a_network(made):
    with pytest.raises(SpecificationError, match=rf"^{made.__name__}: got a str as start, expected a network \(PINN\)"):
        made(start="network.safetensors")


def test_the_solution_of_another_method_is_no_start():
    (x,) = ps.coordinates("x")
    u = ps.unknown("u", x)
    problem = ps.Problem(ps.Eq(ps.d(u, x, x), 1), Interval(0.0, 1.0), [ps.Dirichlet(u, 0)])
    solution = solve(problem, method=LeastSquares())
    with pytest.raises(SpecificationError, match=r"^GaussNewton: got the solution by least squares on random features"):
        GaussNewton(start=solution)
