"""Fine-tuning: the training of a network goes on from the one that the hypernetwork wrote (2509.05117)."""

from collections.abc import Callable
from dataclasses import replace

from physolve.nets import PINN
from physolve.solve import AdamLBFGS, GaussNewton, Progress, Solution, VariableProjection, solve
from physolve.spec import Problem

from ._inference import HyPINO
from ._lower import lower

Training = GaussNewton | AdamLBFGS | VariableProjection


def generated_network(problem: Problem, model: HyPINO, seed: int = 0) -> PINN:
    """The networks written for a problem, with the least-squares head as their last layers, in its own coordinates.

    Raises UnsupportedError with the reason where the problem is not in the class.
    """
    lowered = lower(problem, model.grid, seed=seed)
    answer = model.zero_shot(lowered.posed)
    field = lowered.field(model.target, answer.weights[0], answer.head[0])
    return lowered.basis(model.target, answer.weights[0]).network(field.coefficients)


def fine_tuned(
    problem: Problem,
    model: HyPINO,
    method: Training | None = None,
    tol: float = 1e-3,
    *,
    seed: int = 0,
    budget_s: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Solution:
    """Solve with a training method (Gauss-Newton by default) whose start is replaced by the generated network.

    Raises UnsupportedError where the problem is not in the class, else like `physolve.solve`.
    """
    start = generated_network(problem, model, seed)
    method = replace(GaussNewton() if method is None else method, start=start)
    return solve(problem, tol, method=method, seed=seed, budget_s=budget_s, progress=progress)
