"""A thousand problems solved in one batch by the hypernetwork, as an animation.

    python hypernetwork_sweep.py [FOLDER] [COUNT]

A plate with a hole, cooled at its edge, is heated by a spot that travels around the hole while the loss of heat to the
air changes. The problem is stated once, with parameters; each position is one problem of the batch.
"""

import sys
import time
import warnings
from pathlib import Path

import imageio
import numpy as np
import sympy
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import physolve as ps
from physolve.hypino import HyPINO, grid_nodes, lower_sweep, stack

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)
hole = ps.Disk((0, 0), 0.25)


def heated(px, py, loss):
    return ps.Problem(
        equations=ps.Eq(-ps.laplacian(u) + loss * u, 20 * sympy.exp(-((x - px) ** 2 + (y - py) ** 2) / 0.08)),
        domain=ps.Rectangle((-1, -1), (1, 1)) - hole,
        conditions=[ps.Dirichlet(u, 0, on=("left", "right", "bottom", "top")), ps.Neumann(u, 0, on=hole)],
    )


with warnings.catch_warnings():
    warnings.simplefilter("ignore", ps.WellPosednessWarning)  # the parameters are given below, not to be found
    problem = heated(ps.parameter("px", 0.0), ps.parameter("py", 0.0), ps.parameter("loss", 1.0))

model = HyPINO.load()
turn = torch.linspace(0, 2 * torch.pi, count + 1, dtype=torch.float64)[:-1]
values = {"px": 0.6 * turn.cos(), "py": 0.6 * turn.sin(), "loss": 2 + 2 * (3 * turn).sin()}
table = torch.stack([values[parameter.name] for parameter in problem.parameters], 1)

began = time.perf_counter()
batch = stack([one.posed for one in lower_sweep(problem, table, model.grid, points=768, edge=384)])
stated = time.perf_counter()
answer = model.refine(batch, 1)[-1]  # asked once more, for what the first answer leaves
solved = time.perf_counter()
stating, solving = 1e3 * (stated - began) / count, 1e3 * (solved - stated) / count
print(f"{count} problems: {stating:.1f} ms each to state, {solving:.1f} to solve")

# Look at some of them: the field on a grid, white where the plate ends.
shown = np.linspace(0, count, min(count, 60), endpoint=False).astype(int)
fields = answer.part(torch.from_numpy(shown)).on_grid(96).numpy()
fields[:, ~problem.domain.contains(grid_nodes(96).double().flatten(0, 1).numpy()).reshape(96, 96)] = np.nan
frames = []
for field, k in zip(fields, shown, strict=True):
    figure = Figure(figsize=(3.2, 3.2), dpi=80, layout="tight")
    axes = figure.add_subplot()
    axes.imshow(field, extent=(-1, 1, -1, 1), cmap="inferno", vmin=0, vmax=float(np.nanmax(fields)))
    axes.plot(values["px"][k], values["py"][k], "c+")
    axes.set(xticks=[], yticks=[], title="heated at the cross")
    (canvas := FigureCanvasAgg(figure)).draw()
    frames.append(np.asarray(canvas.buffer_rgba())[..., :3])
imageio.mimsave(folder / "sweep.gif", frames, duration=60, loop=0)
print(f"wrote {folder / 'sweep.gif'}")

# One of them solved to a tolerance, to see how far the quick answer is off.
k = count // 3
careful = ps.solve(heated(*(float(values[name][k]) for name in ("px", "py", "loss"))), tol=1e-3)
points = problem.domain.sample_interior(2000, seed=1).points
quick = answer.part(slice(k, k + 1)).values(torch.from_numpy(points))[0].numpy()
true = careful(points)[:, 0]
print(f"relative error of number {k}: {np.linalg.norm(quick - true) / np.linalg.norm(true):.1e}")
