"""The Fourier pseudo-spectral reference: exact solutions, refinement, what it says of itself, refusals."""

import warnings

import numpy as np
import pytest
import sympy

from physolve.errors import NumericalError, SpecificationError, UnsupportedError, WellPosednessWarning
from physolve.reference import cole_hopf, solve_spectral
from physolve.spec import (
    Box,
    Disk,
    Eq,
    GridData,
    Initial,
    Interval,
    MeanValue,
    Periodic,
    Problem,
    Program,
    Rectangle,
    TimeInterval,
    coordinates,
    d,
    dot,
    dt,
    grad,
    laplacian,
    parameter,
    unknown,
)

x, y, z, t = coordinates("x", "y", "z", "t")
u, v = unknown("u", x, t), unknown("v", x, t)
w = unknown("w", x, y, t)
q = unknown("q", x, y, z, t)
a = unknown("a", x, y, t, components=2)
sin, cos, exp, pi = sympy.sin, sympy.cos, sympy.exp, sympy.pi
RING = Interval(0, 2 * np.pi)
TORUS = Rectangle((0, -1), (2 * np.pi, 3))
SECOND = TimeInterval(0, 1)


def periodic(unknowns, equations, exact, space=RING, time=SECOND, order=1, start=None):
    """The problem on a torus whose initial values are those of the exact solution, or `start`."""
    initial = start or [e.subs(t, time.t0) for e in exact]
    around = [Periodic(each, s, order) for each in unknowns for s in unknowns[0].args[:-1]]
    given = [Initial(each, value) for each, value in zip(unknowns, initial, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WellPosednessWarning)
        known = dict(zip(unknowns, exact, strict=True)) if exact else None
        return Problem(equations, space * time, [*around, *given], exact=known)


def manufactured(unknowns, left, exact, **options):
    """left(unknowns) = left(exact), one equation for each."""
    put = dict(zip(unknowns, exact, strict=True))
    return periodic(unknowns, [Eq(e, e.subs(put).doit()) for e in left], exact, **options)


def burgers(nu, start, end=1.0):
    return periodic(
        [u],
        [Eq(dt(u) + u * d(u, x), nu * d(u, x, 2))],
        None,
        order=1 if nu else 0,
        time=TimeInterval(0, end),
        start=[start],
    )


def error(solution, reference=None, n=500):
    """Relative root mean square error at points that share 20 times."""
    problem = solution.problem
    points = problem.domain.sample_interior(n, seed=3).points
    low, high = (bound[-1] for bound in problem.domain.bounds)
    points[:, -1] = np.linspace(low, high, 20)[np.arange(n) % 20]
    if reference is None:
        truth = np.stack(Program([problem.exact[each] for each in problem.unknowns], problem.coordinates)(*points.T), 1)
    else:
        truth = reference(points)
    return np.linalg.norm(solution(points) - truth) / np.linalg.norm(truth)


WAVE = exp(sin(x)) * (1 + t**2)
BUMP = sin(x - 2 * t) * cos(pi * y / 2) + cos(2 * x) * sin(pi * y + t)
EXACT = {
    "convection, speed 100": periodic([u], [Eq(dt(u) + 100 * d(u, x), 0)], [exp(sin(x - 100 * t))], order=0),
    "heat": periodic([u], [Eq(dt(u), d(u, x, 2) / 2)], [exp(-2 * t) * sin(2 * x) + 3]),
    "fourth order": periodic([u], [Eq(dt(u), -d(u, x, 4) / 10)], [exp(-t / 10) * cos(x)], order=3),
    "later start": periodic([u], [Eq(dt(u) + 3 * d(u, x), -u)], [exp(-t) * sin(x - 3 * t)], time=TimeInterval(2, 3)),
    "korteweg-de vries": periodic(
        [u],
        [Eq(dt(u) + 6 * u * d(u, x) + d(u, x, 3), 0)],
        [2 / sympy.cosh(x - 15 - 4 * t) ** 2],
        space=Interval(0, 40),
        time=TimeInterval(0, 0.2),
        order=2,
    ),
    "variable coefficients": manufactured([u], [(2 + cos(x)) * dt(u) - d((2 + sin(x + t)) * d(u, x), x)], [WAVE]),
    "nonlinear": manufactured([u], [dt(u) + u**2 * d(u, x) - d(u, x, 2) + sin(u)], [WAVE / 4]),
    "system in another order": periodic(
        [u, v], [Eq(2 * dt(v), 2 * d(u, x)), Eq(dt(u), d(v, x))], [sin(x) * cos(t), cos(x) * sin(t)]
    ),
    "two dimensions": manufactured(
        [w], [dt(w) + sin(pi * y / 2) * d(w, x) - laplacian(w) / 5 + d(w, x, y) / 5], [BUMP], space=TORUS
    ),
    "three dimensions": periodic(
        [q],
        [Eq(dt(q) + d(q, y), laplacian(q) / 5)],
        [exp(-3 * t / 5) * sin(x) * cos(y - t) * sin(z)],
        space=Box((0, 0, 0), (2 * np.pi,) * 3),
        time=TimeInterval(0, 0.2),
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_solution_is_met(name):
    solution = solve_spectral(EXACT[name], tol=1e-9)
    assert solution.converged
    assert error(solution) < 1e-9  # steps are a thousand times as accurate, and their errors add up


def test_constant_convection_is_exact():
    """No matter how fast: a rotation of phases, whose angle of 100 radians is rounded to 1e-14."""
    assert error(solve_spectral(EXACT["convection, speed 100"], modes=20, tol=1e-4)) < 1e-12


# --- Burgers' equation


@pytest.mark.parametrize("start", [1 + sin(x), sin(x), sin(x) + cos(2 * x) / 2 - 2], ids=str)
def test_burgers_is_that_of_cole_and_hopf(start):
    problem = burgers(0.02, start)
    assert error(solve_spectral(problem), cole_hopf(problem)) < 1e-8


def test_burgers_in_the_plane_is_that_of_cole_and_hopf():
    """a = grad(f) at first; then a = -2 nu grad(h) / h, where h solves the heat equation from exp(-f / 2 nu)."""
    nu, f = 0.2, cos(x) * (1 + cos(y) / 2)
    equation = Eq(dt(a) + dot(grad(a), a), nu * laplacian(a))
    square = Rectangle((0, 0), (2 * np.pi, 2 * np.pi))
    problem = periodic(list(a), [equation], None, space=square, time=TimeInterval(0, 0.5), start=[d(f, x), d(f, y)])
    n = 64
    nodes = np.stack(np.meshgrid(*[2 * np.pi * np.arange(n) / n] * 2, indexing="ij"), -1).reshape(-1, 2)
    k = np.fft.fftfreq(n, 1 / n)
    kx, ky = np.meshgrid(k, k, indexing="ij")
    heat = np.fft.fft2(np.exp(-Program([f], [x, y])(*nodes.T)[0].reshape(n, n) / (2 * nu)))
    heat = heat * np.exp(-nu * 0.5 * (kx**2 + ky**2))
    h, h_x, h_y = (np.fft.ifft2(factor * heat).real.ravel() for factor in (1, 1j * kx, 1j * ky))
    truth = -2 * nu * np.stack([h_x / h, h_y / h], 1)
    found = solve_spectral(problem, modes=32)(np.column_stack([nodes, np.full(n**2, 0.5)]))
    assert np.abs(found - truth).max() < 1e-9


def test_mean_is_conserved():
    solution = solve_spectral(burgers(0.05, 1 + sin(x)))
    means = solution.run.coefficients(np.linspace(0, 1, 7))[:, 0, 0].real
    assert np.abs(means - 1).max() < 1e-13


# --- what it says of itself


def test_error_falls_like_the_tail():
    """Faster than any power: twice the modes gain more each time. The tail, of the worst time, is above the error."""
    problem = burgers(0.05, sin(x))
    solutions = [solve_spectral(problem, modes) for modes in (16, 32, 64)]
    errors = [error(s, cole_hopf(problem)) for s in solutions]
    assert errors[0] / errors[1] > 10
    assert errors[1] / errors[2] > (errors[0] / errors[1]) ** 1.5
    assert all(1 < s.tail / e < 50 for s, e in zip(solutions, errors, strict=True))


def test_resolution_grows_until_the_tail_is_small():
    solution = solve_spectral(burgers(0.05, sin(x)), tol=1e-9)
    assert [level.modes for level in solution.history] == [8, 12, 18, 27, 40, 60, 90]
    assert solution.converged
    assert solution.tail <= 1e-9 < solution.history[-2].tail
    assert solution.seconds >= solution.history[0].seconds > 0


def test_front_too_thin_is_told():
    """Without viscosity characteristics cross at t = 1: what comes afterwards is no solution."""
    solution = solve_spectral(burgers(0, sin(x), end=1.2), largest=64)
    assert not solution.converged
    assert solution.modes == 64
    assert solution.tail > 1e-2


def test_initial_data_finer_than_the_modes_are_seen():
    """On the grid of 32 modes sin(100 x) looks like a longer wave."""
    solution = solve_spectral(periodic([u], [Eq(dt(u) + d(u, x), 0)], [sin(100 * (x - t))], order=0))
    assert solution.modes > 100
    assert error(solution) < 1e-10
    assert solve_spectral(solution.problem, modes=32).tail == pytest.approx(1)


def test_waves_that_repeat_themselves_are_seen():
    """All modes are multiples of 11: up to 32 modes there are only two, and none in the last tenth."""
    problem = burgers(0.05, sin(11 * x) / 2)
    assert error(solve_spectral(problem, tol=1e-6), cole_hopf(problem)) < 1e-6


def test_grid_data_as_initial_values():
    nodes = np.linspace(0, 2 * np.pi, 201)
    data = GridData("u0", np.sin(nodes), ((0, 2 * np.pi),))
    problem = periodic([u], [Eq(dt(u) + d(u, x), 0)], [sin(x - t)], start=[data(x)], order=0)
    assert error(solve_spectral(problem, modes=64)) < 1e-6  # cubic splines: 0.03^4


# --- values


def test_values_outside_the_box_and_the_time():
    solution = solve_spectral(EXACT["heat"])
    inside, around, late = solution(np.array([[1.0, 0.5], [1.0 + 4 * np.pi, 0.5], [1.0, 1.1]]))
    assert inside == pytest.approx(around, abs=1e-12)
    assert np.isnan(late).all()
    assert solution(np.zeros((0, 2))).shape == (0, 1)


@pytest.mark.parametrize("shape", [(3,), (4, 3)])
def test_points_of_the_wrong_shape(shape):
    with pytest.raises(SpecificationError, match=r"points: got shape .* expected \(n, 2\)"):
        solve_spectral(EXACT["heat"])(np.zeros(shape))


# --- refusals

TURNING = [Periodic(u, x), Initial(u, sin(x))]
ON_THE_RING = RING * SECOND


def problem_of(equation, conditions=TURNING, domain=ON_THE_RING):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WellPosednessWarning)
        return Problem(equation, domain, conditions)


HEAT = Eq(dt(u), d(u, x, 2))
steady = unknown("s", x)
REFUSED = {
    "has no time": problem_of(Eq(d(steady, x, 2), 0), [Periodic(steady, x)], RING),
    "only first derivatives in time": problem_of(Eq(d(u, t, 2), d(u, x, 2)), [Periodic(u, x), Initial(u, 0, 0)]),
    "first derivatives in time alone": problem_of(Eq(dt(u) - d(u, x, x, t), 0)),
    "is not periodic along x": problem_of(HEAT, [Initial(u, 0)]),
    "has no initial value": problem_of(HEAT, [Periodic(u, x)]),
    "kind 'mean_value'": problem_of(HEAT, [*TURNING, MeanValue(u, 0)]),
    "the parameter D": problem_of(Eq(dt(u), parameter("D") * d(u, x, 2))),
    "factor of the time derivative": problem_of(Eq(u * dt(u), d(u, x, 2))),
    "here stand those of none": problem_of([HEAT, Eq(d(v, x), u)], [*TURNING, Periodic(v, x, order=0), Initial(v, 0)]),
    "here stand those of u, v": problem_of(
        [Eq(dt(u) + dt(v), 0), Eq(dt(u) - dt(v), 0)], [*TURNING, Periodic(v, x), Initial(v, 0)]
    ),
    "must be an interval, a rectangle or a box": problem_of(
        Eq(dt(w), laplacian(w)), [Initial(w, 0)], Disk((0, 0), 1) * SECOND
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused_with_the_reason(reason):
    with pytest.raises(UnsupportedError, match=f"spectral reference: .*{reason}"):
        solve_spectral(REFUSED[reason])


@pytest.mark.parametrize("options", [{"modes": 0}, {"modes": 2.5}, {"largest": -1}])
def test_number_of_modes_is_checked(options):
    with pytest.raises(SpecificationError, match="must be a positive whole number"):
        solve_spectral(EXACT["heat"], **options)


def test_solution_that_ends_early():
    """u_t = u^2 from 1 + sin^2 is infinite at t = 1/2."""
    with pytest.raises(NumericalError, match=r"at t = 0\.[45]"):
        solve_spectral(problem_of(Eq(dt(u), u**2), [Periodic(u, x), Initial(u, 1 + sin(x) ** 2)]), modes=16)


def test_initial_values_that_are_not_finite():
    with pytest.raises(NumericalError, match="initial values"):
        solve_spectral(problem_of(HEAT, [Periodic(u, x), Initial(u, sympy.log(x))]))
