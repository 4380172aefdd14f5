"""Linear elasticity: a plate clamped on the left and pulled on the right; where is the stress?

    python elastic_plate.py [FOLDER]

The traction on the right, stress times normal, is written out with `normal`.
"""

import sys
from pathlib import Path

import numpy as np
import sympy

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

LAMBDA, MU = 1.0, 0.5
x, y = ps.coordinates("x", "y")
v = ps.unknown("v", x, y, components=2)
n = sympy.Matrix(ps.normal(x, y))


def stress(v: sympy.Matrix) -> sympy.Matrix:
    """Hooke's law in plane strain."""
    strain = (ps.grad(v) + ps.grad(v).T) / 2
    return LAMBDA * ps.div(v) * sympy.eye(2) + 2 * MU * strain


traction = stress(v) * n
problem = ps.Problem(
    equations=ps.Eq(ps.div(stress(v)), sympy.zeros(2, 1)),
    domain=ps.Rectangle((0, 0), (2, 1)),
    conditions=[
        ps.Dirichlet(v[0], 0, on="left"),  # a wall to slide along, so that the stress is uniform and known
        ps.BoundaryEquation(ps.Eq(traction[1], 0), on="left"),
        ps.BoundaryEquation(ps.Eq(traction, sympy.zeros(2, 1)), on=("bottom", "top")),
        ps.BoundaryEquation(ps.Eq(traction, sympy.Matrix([1, 0])), on="right"),
        ps.PointValue(v[1], (0, 0), 0),
    ],
    name="Pulled plate",
)
solution = ps.solve(problem, tol=1e-5)
print(solution)

# Plane strain stretches by (1 - nu^2) / E in the direction of a unit pull.
poisson = LAMBDA / (2 * (LAMBDA + MU))
young = 2 * MU * (1 + poisson)
expected = (1 - poisson**2) / young * 2
found = solution(np.array([[2.0, 0.5]]))[0, 0]
print(f"the right end moves by {found:.6f}, error {abs(found - expected):.1e}")
solution.plot(folder / "elastic_plate.png", unknown="v")
