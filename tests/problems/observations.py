"""Noisy measurements of the inverse problems: `python tests/problems/observations.py` prints them as TOML.

Each is the exact solution at random points, plus Gaussian noise of 1 % of its largest value, from a fixed
seed; points are rounded to four digits before the solution is evaluated, values to five after the noise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar


@dataclass(frozen=True)
class Experiment:
    """What was measured: `model(points, parameter)` at `count` random points between `lower` and `upper`."""

    parameter: str
    truth: float
    model: Callable[[np.ndarray, float], np.ndarray]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    count: int
    noise: float
    seed: int

    def measure(self) -> tuple[np.ndarray, np.ndarray]:
        """Points (count, dim) and noisy values (count,)."""
        random = np.random.default_rng(self.seed)
        points = random.uniform(self.lower, self.upper, (self.count, len(self.lower))).round(4)
        values = self.model(points, self.truth) + self.noise * random.standard_normal(self.count)
        return points, values.round(5)

    def fit(self) -> float:
        """The parameter that least squares finds with the exact model: the best that these data allow."""
        points, values = self.measure()
        misfit = lambda parameter: float(np.square(self.model(points, parameter) - values).sum())  # noqa: E731
        bracket = (0.5 * self.truth, 1.5 * self.truth)
        return float(minimize_scalar(misfit, bounds=bracket, method="bounded", options={"xatol": 1e-9}).x)


def _reaction(points: np.ndarray, c: float) -> np.ndarray:
    """-u'' + c u = (pi^2 + 8) sin(pi x), zero at both ends."""
    return (np.pi**2 + 8) / (np.pi**2 + c) * np.sin(np.pi * points[:, 0])


def _heat(points: np.ndarray, D: float) -> np.ndarray:
    x, t = points.T
    return np.exp(-D * np.pi**2 * t) * np.sin(np.pi * x)


def _source(points: np.ndarray, A: float) -> np.ndarray:
    x, y = points.T
    return A * (1 - x**2) * (1 - y**2) * np.exp(y)


EXPERIMENTS = {
    "inverse_reaction": Experiment("c", 8.0, _reaction, (0.05,), (0.95,), 60, 0.01, seed=1),
    "inverse_heat": Experiment("D", 0.3, _heat, (0.05, 0.05), (0.95, 1.0), 80, 0.01, seed=2),
    "inverse_source": Experiment("A", 2.0, _source, (-0.9, -0.9), (0.9, 0.9), 50, 0.025, seed=3),
}


def as_toml(experiment: Experiment) -> str:
    """The lines `points = ...` and `values = ...` of the observations condition."""
    points, values = experiment.measure()
    rows = ["[" + ", ".join(f"{c:.4f}" for c in p) + "]" for p in points]
    return f"points = [\n{_wrapped(rows)}]\nvalues = [\n{_wrapped([f'{v:.5f}' for v in values])}]"


def _wrapped(items: list[str], width: int = 100) -> str:
    lines, line = [], " "
    for item in items:
        if len(line) + len(item) > width:
            lines, line = [*lines, line], " "
        line += f" {item},"
    return "".join(f"{text}\n" for text in [*lines, line])


if __name__ == "__main__":
    for name, experiment in EXPERIMENTS.items():
        print(f"# {name}.toml: {experiment.parameter} = {experiment.truth}, fit {experiment.fit():.5g}")
        print(as_toml(experiment))
