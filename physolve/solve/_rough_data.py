"""What in the data of a problem no smooth function can follow: said where a tolerance was not reached."""

import numpy as np
import torch

from physolve.residual import Collocation, Density
from physolve.spec import Dirichlet, Initial, Problem, Program, stated_values
from physolve.spec.geometry import split_time

DISAGREEMENT = 1e-3
"""Of the initial values, up to which prescribed ones agree with them."""

SAMPLES = Density(512, 512)


def rough_data(problem: Problem) -> str:
    """Where prescribed values differ from each other or from initial ones; empty where they do not."""
    collocation = Collocation(problem)
    if corners := collocation.corners.jumping:
        places = " and ".join(f"({x:.4g}, {y:.4g})" for x, y in [corner.point for corner in corners[:2]])
        return f"the values prescribed on the two sides of the corner at {places} differ"
    if name := _disagreeing(collocation):
        return f"initial and boundary values of {name} differ where they meet"
    return ""


def _disagreeing(collocation: Collocation) -> str:
    """An unknown whose prescribed values are not its initial ones at the first instant."""
    problem = collocation.problem
    space, time = split_time(problem.domain)
    initial = stated_values(problem.conditions, Initial)
    if space is None or time is None:
        return ""
    inside = torch.tensor(collocation.domain.sample_interior(SAMPLES.interior).points)
    for condition in problem.conditions:
        if not isinstance(condition, Dirichlet):
            continue
        samples = collocation.boundary_samples(condition, SAMPLES, 0).points
        asked = collocation.begins(condition, samples)
        for front in collocation.fronts.found:
            asked &= ~collocation.fronts.at(front, samples)
        points = torch.tensor(samples[asked])
        if not len(points):
            continue  # it begins to hold later, or layers follow it
        points[:, -1] = time.t0
        for unknown, value in stated_values([condition], Dirichlet).items():
            if unknown not in initial or (initial[unknown] + value).free_symbols - set(problem.coordinates):
                continue  # it holds an unknown parameter
            start, given = Program((initial[unknown], value), problem.coordinates)(*points.unbind(1))
            (everywhere,) = Program((initial[unknown],), problem.coordinates)(*inside.unbind(1))
            away = float((start - given).abs().max())
            if np.isfinite(away) and away > DISAGREEMENT * max(float(everywhere.abs().max()), away):
                return str(unknown.func)
    return ""
