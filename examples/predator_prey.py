"""A system of ordinary differential equations: Lotka and Volterra's foxes and rabbits.

    python predator_prey.py [FOLDER]

An unknown of the time alone, over a time interval; nonlinear, so Newton's iteration is at work.
"""

import sys
from pathlib import Path

import numpy as np
import sympy
from scipy.integrate import solve_ivp

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

(t,) = ps.coordinates("t")
rabbits, foxes = ps.unknown("rabbits", t), ps.unknown("foxes", t)
END = 6

problem = ps.Problem(
    equations=[
        ps.Eq(ps.dt(rabbits), rabbits - rabbits * foxes),
        ps.Eq(ps.dt(foxes), rabbits * foxes - foxes),
    ],
    domain=ps.TimeInterval(0, END),
    conditions=[ps.Initial(rabbits, 2), ps.Initial(foxes, 1)],
    name="Lotka-Volterra",
)
solution = ps.solve(problem, tol=1e-5)
print(solution)

# Nothing is lost along the way: this combination stays what it was.
times = np.linspace(0, END, 200)[:, None]
conserved = rabbits - sympy.log(rabbits) + foxes - sympy.log(foxes)
drift = np.ptp(solution.evaluate(conserved, times))

# And a classical integrator agrees.
reference = solve_ivp(
    lambda _, z: (z[0] - z[0] * z[1], z[0] * z[1] - z[1]),
    (0, END),
    (2, 1),
    t_eval=times[:, 0],
    rtol=1e-11,
    atol=1e-11,
)
error = abs(solution(times) - reference.y.T).max()
print(f"conserved quantity drifts by {drift:.1e}; largest difference from Runge-Kutta: {error:.1e}")
solution.plot(folder / "predator_prey.png")
