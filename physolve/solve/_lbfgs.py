"""L-BFGS as all trainings use it."""

import torch
from torch import Tensor


def lbfgs(vector: Tensor, iterations: int) -> torch.optim.LBFGS:
    """Strong Wolfe line search, fifty pairs, no end but the number of iterations a step."""
    return torch.optim.LBFGS(
        [vector],
        max_iter=iterations,
        history_size=50,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )
