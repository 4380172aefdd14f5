"""An inverse problem: find a diffusivity from noisy readings of a cooling rod.

    python inverse_diffusivity.py

The unknown number is a `parameter`, the readings are a condition like any other.
"""

import numpy as np
import sympy

import physolve as ps

TRUE, NOISE = 0.3, 0.01

# What a laboratory would deliver: 100 temperatures at places and times, with an error of one per cent.
generator = np.random.default_rng(0)
readings = generator.uniform((0.1, 0.05), (0.9, 1.0), (100, 2))
place, time = readings.T
values = np.exp(-TRUE * np.pi**2 * time) * np.sin(np.pi * place)
values += NOISE * generator.standard_normal(len(values))

x, t = ps.coordinates("x", "t")
u = ps.unknown("u", x, t)
D = ps.parameter("D", guess=1.0)
problem = ps.Problem(
    equations=ps.Eq(ps.dt(u), D * ps.d(u, x, 2)),
    domain=ps.Interval(0, 1) * ps.TimeInterval(0, 1),
    conditions=[
        ps.Dirichlet(u, 0),
        ps.Initial(u, sympy.sin(sympy.pi * x)),
        ps.Observations(u, readings, values, noise=NOISE),
    ],
)

# D multiplies a derivative of the unknown field: a nonlinear problem, solved by Newton's iteration.
solution = ps.solve(problem, tol=3e-2)  # no more than the readings can give
found = solution.parameters["D"]
print(solution)
print(f"D = {found:.4f}, true {TRUE}: {100 * abs(found / TRUE - 1):.2f} % off, readings {100 * NOISE:.0f} % off")
