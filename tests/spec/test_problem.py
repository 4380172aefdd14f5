"""Problem: normalised fields, order of unknowns, value equality, words and LaTeX."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import sympy

from physolve.errors import WellPosednessWarning
from physolve.spec import (
    BoundaryEquation,
    Dirichlet,
    Disk,
    Eq,
    GridData,
    Initial,
    Interface,
    Interval,
    MeanValue,
    Neumann,
    Observations,
    Periodic,
    PointValue,
    Problem,
    Rectangle,
    Robin,
    TimeInterval,
    coordinates,
    d,
    div,
    dt,
    grad,
    laplacian,
    parameter,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u = unknown("u", x, y)
v = unknown("v", x, y, components=2)
p = unknown("p", x, y)
h = unknown("h", x, t)
SQUARE = Rectangle((0, 0), (1, 1))
STRIP = Interval(0, 1) * TimeInterval(0, 1)


def poisson(**changes):
    given = {"equations": [Eq(-laplacian(u), 1)], "domain": SQUARE, "conditions": [Dirichlet(u, 0)]}
    return Problem(**(given | changes))


def stokes(**changes):
    return Problem([Eq(-laplacian(v) + grad(p), 0), Eq(div(v), 0)], SQUARE, [Dirichlet(v, 0), MeanValue(p)], **changes)


def test_fields_of_a_simple_problem():
    problem = poisson()
    assert problem.unknowns == (u,)
    assert problem.coordinates == problem.space == (x, y)
    assert problem.time is None
    assert problem.residuals == (-laplacian(u) - 1,)
    assert problem.parameters == problem.data == problem.groups == problem.hints == ()


def test_a_good_problem_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        poisson()
        stokes()


def test_components_of_a_vector_stay_together():
    problem = stokes()
    names = [str(w.func) for w in problem.unknowns]
    assert names.index("v_y") == names.index("v_x") + 1
    ((name, indices),) = problem.groups
    assert name == "v"
    assert [problem.unknowns[i] for i in indices] == list(v)
    assert len(problem.equations) == 3


def test_order_of_unknowns_may_be_given():
    assert stokes(unknowns=(p, v)).unknowns == (p, *v)


def test_time_is_the_last_coordinate():
    problem = Problem([Eq(dt(h), laplacian(h))], STRIP, [Dirichlet(h), Initial(h, x)])
    assert (problem.time, problem.space) == (t, (x,))


def test_parameters_are_found_in_equations_and_conditions():
    D, a = parameter("D", 0.5), parameter("a")
    seen = Observations(u, [[0.5, 0.5]], [1.0])
    problem = poisson(equations=[Eq(-D * laplacian(u), 1)], conditions=[Dirichlet(u, a * x), seen])
    assert problem.parameters == (D, a)


def test_data_is_found_in_equations_and_conditions():
    f, g = (GridData(n, np.ones((4, 4)), ((0, 1), (0, 1))) for n in "fg")
    problem = poisson(equations=[Eq(-laplacian(u), f(x, y))], conditions=[Dirichlet(u, g(x, y))])
    assert problem.data == (f, g)


def test_equality_is_by_value():
    f = [GridData("f", np.full((4, 4), c), ((0, 1), (0, 1))) for c in (1.0, 1.0, 2.0)]
    same, other, different = (poisson(equations=[Eq(-laplacian(u), each(x, y))]) for each in f)
    assert same == other
    assert hash(same) == hash(other)
    assert same != different
    assert poisson(exact={u: x}) == poisson(exact={u: x})
    assert poisson(exact={u: x}) != poisson(exact={u: y})
    assert poisson(name="a") != poisson()


def test_problems_are_immutable():
    problem = poisson(exact={u: x})
    with pytest.raises(AttributeError):
        problem.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        problem.exact[u] = y  # type: ignore[index]


def test_exact_solution_of_a_vector_may_be_given_whole():
    assert dict(stokes(exact={v: [y, 0], p: 0}).exact) == {v[0]: y, v[1]: 0, p: 0}


def test_equivalent_ways_to_state_it():
    assert poisson(equations=Eq(-laplacian(u), 1)) == poisson()
    assert poisson(conditions=Dirichlet(u, 0)) == poisson()
    assert poisson(equations=[-laplacian(u) - 1]).residuals == poisson().residuals


def test_warnings_are_also_kept():
    with pytest.warns(WellPosednessWarning, match="no condition on 'boundary'"):
        problem = poisson(conditions=[])
    assert len(problem.hints) == 1


def everything():
    D = parameter("D", 0.5)
    conditions = [
        Robin(h, 1, 2 * x, 3, on="left"),
        Neumann(h, t, on="right"),
        BoundaryEquation(Eq(d(h, x), h**2), on=x > 0.5),
        Initial(h, sympy.sin(x)),
        Periodic(h, x),
        MeanValue(h, 1),
        PointValue(h, (0.5, 0.5), 2),
        Interface(h, Interval(0.2, 0.4)),
        Observations(h, [[0.5, 0.5]], [0.3], 0.01),
    ]
    equation = Eq(dt(h) - D * laplacian(h), 0)
    return Problem([equation], STRIP, conditions, exact={h: x * t}, name="all", description="Of everything.")


@pytest.mark.parametrize(
    "line",
    [
        "all",
        "Of everything.",
        "Find h of (x, t) such that",
        "    -D*d(h, x, x) + d(h, t) = 0",
        "in SpaceTime(Interval(0, 1), TimeInterval(0, 1)),",
        "    h + (2*x) dh/dn = 3 on 'left'",
        "    dh/dn = t on 'right'",
        "    d(h, x) = h**2 where x > 0.5",
        "    h = sin(x) at the start",
        "    h and its derivatives up to order 1 are periodic along x",
        "    the mean of h over the domain is 1",
        "    h = 2 at the point (0.5, 0.5)",
        "    h jumps by 0, the normal part of grad h by 0, on the boundary of Interval(0.2, 0.4)",
        "    h is observed at 1 point, noise 0.01",
        "Parameters to be found: D (first guess 0.5).",
        "Class: nonlinear, second order, parabolic, of order 1 in time.",
        "Exact solution: h = t*x",
    ],
)
def test_description_in_words(line):
    assert line in everything().describe().split("\n")


def test_description_lists_what_is_missing():
    with pytest.warns(WellPosednessWarning):
        problem = poisson(conditions=[Neumann(u, 0)])
    assert "Missing? unknown 'u' is determined up to a constant only" in problem.describe()


def test_latex_states_equations_and_conditions():
    text = everything()._repr_latex_()
    assert text.startswith("$$\\begin{aligned}\n")
    assert text.endswith("\n\\end{aligned}$$")
    assert r"\frac{\partial^{2} h}{\partial x^{2}}" in text
    assert r"h + 2 x \frac" not in text  # brackets round the product
    assert r"\left(2 x\right) \frac{\partial h}{\partial n} &= 3 && \text{on 'left'}" in text
    rows = text.split("\\\\\n")
    assert len(rows) == 1 + 10  # one equation; nine conditions, the interface with two rows
    assert all("&" in row for row in rows)


def test_latex_of_vectors_and_holes():
    hole = Disk((0.5, 0.5), 0.1).named("big_hole")
    text = Problem(
        [Eq(-laplacian(v) + grad(p), 0), Eq(div(v), 0)],
        SQUARE - hole,
        [
            Dirichlet(v, [1, 0], on=("left", "right", "top", "bottom")),
            Dirichlet(v, 0, on="big_hole"),
            MeanValue(p),
        ],
    )._repr_latex_()
    assert r"v &= \left[\begin{matrix}1\\0\end{matrix}\right]" in text
    assert r"\text{on 'big\_hole'}" in text


def test_problems_can_be_pickled_and_copied():
    problem = poisson(exact={u: x})
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert copy.deepcopy(problem) == problem


def test_repr_is_one_line():
    assert repr(stokes(name="flow")) == (
        "Problem('flow', 3 equations for v_x, v_y, p, domain=Rectangle((0, 0), (1, 1)), 2 conditions)"
    )
