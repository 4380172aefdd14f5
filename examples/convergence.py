"""Convergence: error against number of features, for a smooth solution and for one with a corner singularity.

    python convergence.py [FOLDER]

The rungs of a climb are recorded in `solution.history`; the true errors come from climbs that stop earlier.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
import sympy

import physolve as ps

matplotlib.use("agg")
import matplotlib.pyplot as plt

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)
angle = sympy.Piecewise((sympy.atan2(y, x), y > 0), (sympy.atan2(y, x) + 2 * sympy.pi, True))
corner = (x**2 + y**2) ** sympy.Rational(1, 3) * sympy.sin(sympy.Rational(2, 3) * (angle - sympy.pi / 2))
L_SHAPE = ps.Rectangle((-1, -1), (1, 1)) - ps.Rectangle((0, 0), (1, 1))
CASES = {
    "smooth": (ps.Rectangle((-1, -1), (1, 1)), sympy.cos(5 * x) * sympy.exp(y)),
    "corner, and a source": (L_SHAPE, corner + sympy.cos(3 * x) * sympy.cos(2 * y)),
}

figure, axes = plt.subplots(figsize=(5, 3.5), layout="constrained")
for name, (domain, exact) in CASES.items():
    smooth = exact - corner if domain is L_SHAPE else exact  # the corner function is harmonic
    source = smooth.diff(x, 2) + smooth.diff(y, 2)
    problem = ps.Problem(ps.Eq(ps.laplacian(u), source), domain, [ps.Dirichlet(u, exact)], exact={u: exact})
    points = domain.sample_interior(2000, seed=1).points
    counts, errors = [], []
    for size in (140, 200, 290, 410):
        # At a tolerance out of reach the climb goes on to its largest basis.
        solution = ps.solve(problem, tol=1e-14, method=ps.LeastSquares(first=round(size / 1.7), largest=size + 2))
        wrong = solution.evaluate(u - exact, points)
        counts.append(solution.cost.features)
        errors.append(np.linalg.norm(wrong) / np.linalg.norm(solution.evaluate(exact, points)))
    order = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    print(f"{name}: errors {' '.join(f'{e:.0e}' for e in errors)}, average order {order:.1f} in features")
    axes.loglog(counts, errors, "o-", label=name)

axes.set(xlabel="features", ylabel="relative error")
axes.legend()
figure.savefig(folder / "convergence.png", dpi=120)
