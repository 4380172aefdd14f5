"""Corners of a domain in the plane: which count, where prescribed values jump, and points near them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from physolve.nets import JetAtom
from physolve.spec import Dirichlet, Problem, select
from physolve.spec.geometry import Corner, Samples

if TYPE_CHECKING:
    from ._collocate import Collocation

MOST_CORNERS = 16
"""Corners, the widest ones, that count: with singular functions of their own, and with values asked for near by."""

CORNER_POINTS = 4
"""On either side of a corner. Singular functions are steep there: with evenly spread points alone the solution was off
by 2e-2 in a re-entrant corner of a heptagon where the root mean square of its error was 1e-5."""

CLOSE = 1e-4
"""Distance from a corner, in sizes of the domain, within which values on its sides are compared."""

JUMP = 1e-3
"""Values on both sides of a corner that differ by more of the largest near any corner are not those of a continuous
function. What no feature can follow may not be asked for: a lid at one between walls at zero took 64 s in place of
3 s, and did not come to 1e-2."""


@dataclass(frozen=True, eq=False)
class Corners:
    """The corners that count, and what is prescribed near them."""

    collocation: "Collocation"

    def joined(self, samples: Samples, condition: Dirichlet, seed: int) -> Samples:
        """Samples of a condition, also near the corners at which values are continuous; each such point counts like an
        average sampled one."""
        if not self.continuous:
            return samples
        return samples.joined(self._near(self.continuous, condition, seed))

    @cached_property
    def continuous(self) -> tuple[Corner, ...]:
        """The corners that count, but for those at which prescribed values jump."""
        return tuple(corner for corner in notable_corners(self.collocation.problem) if corner not in self.jumping)

    @cached_property
    def jumping(self) -> tuple[Corner, ...]:
        """The corners on whose two sides values are prescribed that differ, as of a lid that slides between walls."""
        corners = notable_corners(self.collocation.problem)
        if not corners:
            return ()
        tops = np.array([corner.point for corner in corners])
        guesses = tuple(p.guess for p in self.collocation.problem.parameters)
        values: dict[tuple[JetAtom, ...], list[tuple[np.ndarray, np.ndarray]]] = {}
        for condition, forms in self.collocation.conditions:
            if not isinstance(condition, Dirichlet):
                continue
            near = self._near(corners, condition, seed=0)
            away = np.linalg.norm(near.points[:, None] - tops, axis=-1)
            close = away.min(1) < CLOSE * self.collocation.domain.size
            which, points = away.argmin(1)[close], torch.tensor(near.points[close])
            for form in forms:
                zero = {atom: torch.zeros(len(points), dtype=torch.float64) for atom in form.atoms}
                found = form.residual(points, None, zero, guesses).numpy()
                values.setdefault(form.atoms, []).append((which, found))
        jumps = {k for groups in values.values() for k in _jumping(groups)}
        return tuple(corners[k] for k in sorted(jumps))

    def _near(self, corners: Sequence[Corner], condition: Dirichlet, seed: int) -> Samples:
        on, where = self.collocation.place(condition)
        return self.collocation.domain.sample_corners(corners, CORNER_POINTS, on=on, where=where, seed=seed)


def notable_corners(problem: Problem) -> tuple[Corner, ...]:
    """The corners of a problem in the plane that count: the widest, and places on smooth pieces of the boundary where
    an unknown's values end to be prescribed. Solutions behave like r^(1/2) there."""
    domain = problem.domain
    if domain.dim != 2 or problem.time is not None:
        return ()
    given = [condition for condition in problem.conditions if isinstance(condition, Dirichlet)]
    changes: dict[tuple[float, ...], Corner] = {}
    for unknown in problem.unknowns:
        chosen = [select(domain, problem.coordinates, c.on) for c in given if unknown in c.unknowns()]
        found = [corner for selection in chosen for corner in domain.ends(selection.on, selection.where)]
        places = [tuple((np.array(corner.point) / domain.size).round(4)) for corner in found]
        once = Counter(places)  # where two of them meet, values go on to be prescribed
        changes |= {place: c for place, c in zip(places, found, strict=True) if once[place] == 1}
    everywhere = (*domain.corners, *changes.values())
    return tuple(sorted(everywhere, key=lambda corner: -corner.angle)[:MOST_CORNERS])


def _jumping(groups: Sequence[tuple[np.ndarray, np.ndarray]]) -> set[int]:
    """Numbers of the corners at which values differ."""
    which, values = (np.concatenate(columns) for columns in zip(*groups, strict=True))
    if not len(values):
        return set()
    jump = JUMP * np.abs(values).max()
    return {int(k) for k in np.unique(which) if np.ptp(values[which == k]) > jump}
