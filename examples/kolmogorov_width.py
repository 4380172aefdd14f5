"""How many functions a moving solution needs: singular values of its snapshots, in the plain frame and along its paths.

    python kolmogorov_width.py [FOLDER]

The best n functions miss a share of the snapshots that the singular values tell: the Kolmogorov n-width. A pulse or
front that moves needs many (a sine two, at any speed: what makes it hard for a network is not its width). Seen from the
characteristics X' = velocity(X, t), X(0) = label, it hardly changes: there the solution is two fields, its values and
how far each label has come, and both need few.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
import sympy
from scipy.integrate import solve_ivp

import physolve as ps
from physolve.reference import cole_hopf, solve_spectral

matplotlib.use("agg")
import matplotlib.pyplot as plt

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

x, t = ps.coordinates("x", "t")
u = ps.unknown("u", x, t)
ring = ps.Interval(0, 2 * np.pi)
SPEED, VISCOSITY = 30, sympy.Rational(1, 100)
places, times = np.linspace(0, 2 * np.pi, 256, endpoint=False), np.linspace(0, 1, 100)


def problem(equation, start):
    order = 0 if equation.has(SPEED) else 1
    return ps.Problem(equation, ring * ps.TimeInterval(0, 1), [ps.Periodic(u, x, order), ps.Initial(u, start)])


def values(field, paths):
    """Values (labels, times) at the places (labels, times)."""
    points = np.stack([paths.ravel(), np.tile(times, len(paths))], 1)
    return field(points).reshape(paths.shape)


def share_missed(snapshots):
    """What the best n functions leave of the snapshots, n = 0, 1, ..., as a relative error in L2."""
    squares = np.linalg.svd(snapshots, compute_uv=False) ** 2
    return np.sqrt(np.cumsum(squares[::-1])[::-1] / squares.sum())


convection, burgers = ps.dt(u) + SPEED * ps.d(u, x), ps.dt(u) + u * ps.d(u, x) - VISCOSITY * ps.d(u, x, 2)
shock = cole_hopf(problem(burgers, 1 + sympy.sin(x)))
series = solve_spectral(problem(burgers, 1 + sympy.sin(x)), tol=1e-6)
still = np.tile(places[:, None], len(times))
sine = solve_spectral(problem(convection, sympy.sin(x)))
pulse = solve_spectral(problem(convection, sympy.exp(-20 * (1 + sympy.cos(x)))))
constant = lambda points: np.full((len(points), 1), SPEED)  # noqa: E731
CASES = {
    f"sine, speed {SPEED}": (sine, constant),
    f"pulse, speed {SPEED}": (pulse, constant),
    "moving shock": (shock, shock),
}
figure, panels = plt.subplots(1, 3, figsize=(9, 3.2), sharey=True, layout="constrained")
for panel, (name, (field, velocity)) in zip(panels, CASES.items(), strict=True):
    carry = lambda now, X, velocity=velocity: velocity(np.stack([X, np.full_like(X, now)], 1))[:, 0]  # noqa: E731
    paths = solve_ivp(carry, (0, 1), places, t_eval=times, rtol=1e-8, atol=1e-9).y
    frames = {"plain frame": values(field, still), "along the paths": values(field, paths), "paths": paths - still}
    missed = {frame: share_missed(each) for frame, each in frames.items()}
    needed = ", ".join(f"{np.argmax(each < 1e-3)} for {frame}" for frame, each in missed.items())
    print(f"{name}: functions for an error of 1e-3: {needed}")
    for each, style in zip(missed.values(), ("o-", "s-", "^-"), strict=True):
        panel.semilogy(each[:30], style, markersize=3)
    panel.set(title=name, xlabel="functions", ylim=(1e-9, 2))
panels[0].set_ylabel("share missed")
panels[0].legend(["u, plain frame", "u, along the paths", "distance come"])
figure.savefig(folder / "kolmogorov_width.png", dpi=120)
error = np.linalg.norm(values(series, still) - values(shock, still)) / np.linalg.norm(values(shock, still))
print(f"two references of the moving shock, Cole-Hopf and Fourier, differ by {error:.0e}")
