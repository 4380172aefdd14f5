"""The heat equation in a plate with a hot spot, as an animation.

    python heat_animation.py [FOLDER]

Time is one more coordinate: the domain is the product of a shape with a time interval.
"""

import sys
from pathlib import Path

import sympy

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

x, y, t = ps.coordinates("x", "y", "t")
u = ps.unknown("u", x, y, t)
plate = ps.Rectangle((0, 0), (1, 1))

problem = ps.Problem(
    equations=ps.Eq(ps.dt(u), 0.1 * ps.laplacian(u)),
    domain=plate * ps.TimeInterval(0, 1),
    conditions=[
        ps.Dirichlet(u, 0, on=("left", "right")),
        ps.Neumann(u, 0, on=("bottom", "top")),
        ps.Initial(u, sympy.sin(sympy.pi * x) * (1 + sympy.cos(sympy.pi * y))),
    ],
)
solution = ps.solve(problem, tol=1e-2)
print(solution)

# The two modes of the initial value decay at rates 0.1 pi^2 and 0.2 pi^2.
decay = sympy.exp(-0.1 * sympy.pi**2 * t)
exact = decay * sympy.sin(sympy.pi * x) * (1 + decay * sympy.cos(sympy.pi * y))
points = problem.domain.sample_interior(2000, seed=1).points
error = abs(solution.evaluate(u - exact, points)).max()
print(f"largest error: {error:.1e}, estimated root mean square: {float(solution.estimate):.1e}")

# A film of a few frames; without `time` it runs from the first to the last instant.
solution.plot(folder / "heat.gif", time=(0.0, 0.25, 0.5, 1.0), resolution=40)
print(f"wrote {folder / 'heat.gif'}")
