"""Conjugate residuals with a factorised neighbour as the preconditioner."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._triangulation import Floats

Apply = Callable[[Floats], Floats]


def iterated(apply: Apply, correct: Apply, x: Floats, residual: Floats, tol: float, limit: int) -> tuple[Floats, int]:
    """x with |residual| <= tol, from an x with the given residual, and how many corrections it took (Eisenstat,
    Elman, Schultz 1983: GCR); `limit` + 1 of them where it was not reached.

    The first correction is taken whole. What `correct` solves exactly, here that the velocity is free of divergence,
    has then no residual, and none of the later corrections brings one back.
    """
    step = correct(residual)
    x, residual = x + step, residual - apply(step)
    steps: list[Floats] = []
    images: list[Floats] = []
    while not np.linalg.norm(residual) <= tol:  # also while it is not a number
        if len(steps) == limit or not np.isfinite(residual).all():
            return x, limit + 1
        step = correct(residual)
        image = apply(step)
        for old, old_image in zip(steps, images, strict=True):
            share = old_image @ image
            step, image = step - share * old, image - share * old_image
        size = np.linalg.norm(image)
        steps.append(step / size)
        images.append(image / size)
        share = images[-1] @ residual
        x, residual = x + share * steps[-1], residual - share * images[-1]
    return x, 1 + len(steps)
