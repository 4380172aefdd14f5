"""Which terms an equation has, and which it cannot have here."""

import pytest
from air_problems import FULL, WIND, problem_of

from physolve.air.operators import Advection, Coefficient, Terms, lower
from physolve.errors import UnsupportedError
from physolve.spec import loads_problem

LEARNED = {"D": Coefficient(500.0, True), "k": Coefficient(1e-5, True), "a": Coefficient(0.2, True)}
ONE, TWO = Coefficient(1.0, False), Coefficient(2.0, False)


@pytest.mark.parametrize(
    ("equation", "terms"),
    [
        (FULL, Terms(LEARNED["D"], Advection(True, LEARNED["a"]), LEARNED["k"], "varying")),
        (
            f"dt(c) + dot({WIND}, grad(c)) = 20*laplacian(c)",
            Terms(Coefficient(20, False), Advection(False, ONE), None, None),
        ),
        ("dt(c) = D*laplacian(c)", Terms(LEARNED["D"], None, None, None)),
        (f"dt(c) + div(c*{WIND}) = 0", Terms(None, Advection(True, ONE), None, None)),
        ("dt(c) = source(x, y)", Terms(None, None, None, "steady")),
    ],
)
def test_terms(equation, terms):
    assert lower(problem_of(equation)) == terms


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("dt(c) = D*(d(c, x, 2) + 2*d(c, y, 2))", "diffusion: got D along x and 2\\*D along y"),
        ("dt(c) = -c^2", "source: got -c"),
        ("dt(c) = -D*laplacian(c)", "diffusion: got the factor -D"),
        ("dt(c) = laplacian(c) + sin(x)", "source: got sin"),
        ("dt(c) + d(c, x) = 0", "wind: got 1"),
        ("dt(c) + wind_x(x, y, t)*(d(c, x) + d(c, y)) = 0", "expected one factor and two different data"),
    ],
)
def test_other_equations_are_refused(equation, message):
    with pytest.raises(UnsupportedError, match=message):
        lower(problem_of(equation))


def test_other_domains_are_refused():
    problem = loads_problem(
        'coordinates = ["x", "y", "t"]\nunknowns = ["c"]\ndomain = "disk([0, 0], 1) * time(0, 1)"\n'
        'equations = ["dt(c) = laplacian(c)"]\nconditions = [{ kind = "initial", unknown = "c", value = "1" },'
        ' { kind = "dirichlet", unknown = "c", value = "1" }]'
    )
    with pytest.raises(UnsupportedError, match="expected stations"):
        lower(problem)
