"""A wave that steepens into a moving shock, seen from the shore and from the water: an animation in both frames.

    python moving_frame.py [FOLDER]

In the frame of its characteristics the solution hardly changes, which is why two small networks learn it in seconds.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
import sympy
import torch

import physolve as ps
from physolve.reference import cole_hopf

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation, PillowWriter

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

x, t = ps.coordinates("x", "t")
u = ps.unknown("u", x, t)
problem = ps.Problem(
    equations=ps.Eq(ps.dt(u) + u * ps.d(u, x), 0.01 * ps.d(u, x, 2)),
    domain=ps.Interval(0, 2 * np.pi) * ps.TimeInterval(0, 1),
    conditions=[ps.Initial(u, 1 + sympy.sin(x)), ps.Periodic(u, x)],
)
solution = ps.solve(problem, tol=1e-2, method=ps.Lagrangian())
print(solution)

grid = solution.on_grid((201, 41))
truth = cole_hopf(problem)(grid.points).reshape(grid.values.shape)
print(f"relative error: {np.linalg.norm(grid.values - truth) / np.linalg.norm(truth):.1e}, by Cole and Hopf")

# The field of the moving frame also tells where each characteristic is, and what it carries.
labels, times = np.linspace(0, 2 * np.pi, 201), np.linspace(0, 1, 31)
figure, (shore, water, paths) = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
(moving,), (resting,) = shore.plot(labels, labels), water.plot(labels, labels)
shore.set(title="plain frame", xlabel="x", ylabel="u", xlim=(0, 2 * np.pi), ylim=(-0.2, 2.2))
water.set(title="moving frame", xlabel="label", xlim=(0, 2 * np.pi), ylim=(-0.2, 2.2))
at = torch.cartesian_prod(torch.tensor(labels[::8]), torch.tensor(times))
paths.plot(solution.field.positions(at).reshape(-1, len(times)).T, times, color="0.6", linewidth=0.7)
paths.set(title="characteristics", xlabel="x", ylabel="t")
now = paths.axhline(0)


def draw(frame):
    points = np.stack([labels, np.full_like(labels, times[frame])], 1)
    moving.set_ydata(solution(points)[:, 0])
    resting.set_ydata(solution.field.carried(torch.from_numpy(points))[:, 0])
    now.set_ydata([times[frame]] * 2)
    return moving, resting, now


FuncAnimation(figure, draw, len(times)).save(folder / "moving_frame.gif", PillowWriter(10))
draw(len(times) - 1)
figure.savefig(folder / "moving_frame.png", dpi=100)
print(f"wrote {folder / 'moving_frame.gif'}")
