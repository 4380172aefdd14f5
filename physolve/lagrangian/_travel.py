"""How far a problem's characteristics go: what makes the moving frame worth its while."""

from physolve.spec import Problem

from ._frame import lowered


def travel(problem: Problem) -> float:
    """Mean distance that is travelled during the time, in lengths of the domain, largest over the axes.

    Raises UnsupportedError for a problem that cannot be lowered to the moving frame.
    """
    frame = lowered(problem)
    low, high = frame.window
    speeds = [(d**2 + s**2) ** 0.5 for d, s in zip(frame.scales.drift, frame.scales.spread, strict=True)]
    return max(v * frame.labels.duration / (b - a) for v, a, b in zip(speeds, low, high, strict=True))
