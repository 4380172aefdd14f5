"""An inverse problem of ordinary differential equations: the three parameters of Lorenz from a noisy record.

    python lorenz_parameters.py [FOLDER]

Time is all there is, so `solve` marches through it; unknown parameters are found around the march, with the deviations
that the noise gives them. The guesses are far away.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

(t,) = ps.coordinates("t")
x, y, z = (ps.unknown(name, t) for name in "xyz")
NOISE, END = 0.5, 2.0


def lorenz(sigma, rho, beta, *observations: ps.Observations) -> ps.Problem:
    """The system of Lorenz (1963) from one fixed state."""
    return ps.Problem(
        equations=[
            ps.Eq(ps.dt(x), sigma * (y - x)),
            ps.Eq(ps.dt(y), x * (rho - z) - y),
            ps.Eq(ps.dt(z), x * y - beta * z),
        ],
        domain=ps.TimeInterval(0, END),
        conditions=[ps.Initial(x, -8), ps.Initial(y, 7), ps.Initial(z, 27), *observations],
    )


truth = ps.solve(lorenz(10, 28, 8 / 3), tol=1e-6)
times = np.linspace(0.05, END, 40)[:, None]
random = np.random.default_rng(0)
record = truth(times) + NOISE * random.standard_normal((len(times), 3))

parameters = [ps.parameter("sigma", 5.0), ps.parameter("rho", 20.0), ps.parameter("beta", 1.0)]
measured = [ps.Observations(u, times, record[:, k], noise=NOISE) for k, u in enumerate((x, y, z))]
solution = ps.solve(lorenz(*parameters, *measured), tol=1e-2)
print(solution.outcome)
away = []
for (name, value), right in zip(solution.parameters.items(), (10, 28, 8 / 3), strict=True):
    print(f"{name:6s}{value:8.4f} ± {solution.deviations[name]:.4f}")
    away.append(abs(value - right) / solution.deviations[name])
print(f"at most so many deviations away: {max(away):.2f}")

mpl.use("Agg")
fine = np.linspace(0, END, 600)[:, None]
figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
for k, name in enumerate("xyz"):
    (line,) = axes.plot(fine, solution(fine)[:, k], label=name)
    axes.plot(times, record[:, k], ".", color=line.get_color(), markersize=4)
axes.set(xlabel="t", title="Lorenz: what was found through what was measured")
axes.legend()
figure.savefig(folder / "lorenz_parameters.png", dpi=120)
