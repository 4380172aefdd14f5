"""Why a network finds a carried wave hard to learn: its loss, around where training ended, in both frames.

    python loss_landscape.py [FOLDER]

Both networks are trained by Gauss-Newton for the same equation, a sine carried around a ring at speed 30 while it
decays. Their loss is drawn along two random directions, every entry scaled by the weight it changes (Li et al. 2018,
1712.09913).
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
import sympy
import torch

import physolve as ps
from physolve.jets import TANH
from physolve.lagrangian import MovingModel, MovingSystem, lowered
from physolve.solve import network_system

matplotlib.use("agg")
import matplotlib.pyplot as plt

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
SPEED, VISCOSITY, STEPS, SIZE = 30, 0.1, 40, 25

x, t = ps.coordinates("x", "t")
u = ps.unknown("u", x, t)
problem = ps.Problem(
    equations=ps.Eq(ps.dt(u) + SPEED * ps.d(u, x), VISCOSITY * ps.d(u, x, 2)),
    domain=ps.Interval(0, 2 * np.pi) * ps.TimeInterval(0, 1),
    conditions=[ps.Initial(u, sympy.sin(x)), ps.Periodic(u, x)],
)
points = problem.domain.sample_interior(2000, seed=1).points
truth = np.exp(-VISCOSITY * points[:, 1:]) * np.sin(points[:, :1] - SPEED * points[:, 1:])
systems = {
    "plain frame": network_system(problem, 18, 3, TANH),
    "moving frame": MovingSystem(MovingModel.of(lowered(problem), 16, 2, TANH)),
}
figure, panels = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
errors = {}
for panel, (name, system) in zip(panels, systems.items(), strict=True):
    trained = ps.GaussNewton(steps=STEPS, rows=1200).train(system, 1e-6)
    values = trained.field.values(torch.from_numpy(points)).numpy()
    errors[name] = np.linalg.norm(values - truth) / np.linalg.norm(truth)
    fields = trained.field
    weights = fields.vector if hasattr(fields, "vector") else fields.weights.flatten()
    generator = torch.Generator().manual_seed(0)
    first, second = weights.abs() * torch.randn(2, len(weights), generator=generator, dtype=torch.float64)
    sample = system.sample(600, 5, system.levels(weights, system.blocks(600, 5)))
    axis = np.linspace(-1, 1, SIZE)
    loss = [[system.loss(weights + a * first + b * second, sample) / sample.zero for a in axis] for b in axis]
    shown = panel.contourf(axis, axis, np.log10(loss), levels=np.linspace(-9, 5, 29), extend="both")
    panel.set(title=f"{name}: error {errors[name]:.0e}")
    print(f"{name}: relative error {errors[name]:.1e} after at most {STEPS} steps")
figure.colorbar(shown, ax=panels, label="log10 of the loss")
figure.savefig(folder / "loss_landscape.png", dpi=100)
print(f"error in the moving frame: {errors['moving frame']:.1e}, in the plain frame {errors['plain frame']:.1e}")
