"""An interface: a round inclusion five times as conductive as the plate around it.

    python inclusion.py [FOLDER]

Temperature and heat flux are continuous across the circle, the gradient is not. The solver gives the inside
and the outside functions of their own and joins them by the interface condition.
"""

import sys
from pathlib import Path

import numpy as np
import sympy

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)
circle = ps.Disk((0, 0), 0.5)
inside = x**2 + y**2 < sympy.Rational(1, 4)
conductivity = sympy.Piecewise((5, inside), (1, True))

# Maxwell's solution: uniform inside, a dipole outside.
contrast = sympy.Rational(5 - 1, 5 + 1)
outer = x * (1 - contrast / 4 / (x**2 + y**2))
exact = sympy.Piecewise(((1 - contrast) * x, inside), (outer, True))

problem = ps.Problem(
    equations=ps.Eq(ps.div(conductivity * ps.grad(u)), 0),
    domain=ps.Rectangle((-1, -1), (1, 1)),
    conditions=[
        ps.Interface(u, on=circle, flux=conductivity * ps.grad(u)),
        ps.Dirichlet(u, outer),
    ],
    exact={u: exact},
    name="Conducting inclusion",
)
solution = ps.solve(problem, tol=1e-2)
points = problem.domain.sample_interior(4000, seed=1).points
error = np.linalg.norm(solution.evaluate(u - exact, points)) / np.linalg.norm(solution.evaluate(exact, points))
print(solution)
print(f"relative error: {error:.1e}, estimated: {solution.estimate.relative:.1e}")
print("gradient inside and just outside:", *solution.derivative(u, x)([[0.49, 0], [0.51, 0]]).round(3))
solution.plot(folder / "inclusion.png")
