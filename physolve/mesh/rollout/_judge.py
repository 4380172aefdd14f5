"""What physics says of a rollout, step by step."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .._cells import mesh_edges
from .._node_types import NodeType
from ..operators import least_squares_gradient
from ._case import Case
from ._forces import BODIES, Forces


class Judge:
    """Divergence of the velocity, and the force on obstacles, of every step; of the truth too where there is one.

    The divergence is that of least-squares gradients, root-mean-square over normal nodes, over the gradient's own: 0
    for a flow that conserves volume, about 1 for noise. The force needs the viscosity, a field `pressure` and an
    obstacle, and is left out where one of them is missing.
    """

    def __init__(
        self, case: Case, velocity: str = "velocity", pressure: str = "pressure", viscosity: float | None = None
    ) -> None:
        self.velocity, self.pressure = velocity, pressure
        self.used, cells = _used(case.cells, len(case.points))
        points, node_type = case.points[self.used], case.node_type[self.used]
        self.normal = torch.from_numpy(node_type == NodeType.NORMAL)
        self.gradient = least_squares_gradient(points, mesh_edges(cells, len(points)))
        self.forces: Forces | None = None
        if viscosity is not None and np.isin(node_type, BODIES).any():
            self.forces = Forces(points, cells, node_type, viscosity)
        self._rows: dict[str, list[Any]] = {}

    def add(self, time: float, fields: Mapping[str, NDArray], truth: Mapping[str, NDArray] | None) -> None:
        """Look at a step."""
        self._rows.setdefault("time", []).append(time)
        for label, frame in (("", fields), ("truth ", truth)):
            for name, value in self._figures(frame).items():
                self._rows.setdefault(label + name, []).append(value)

    def histories(self) -> dict[str, NDArray[np.floating]]:
        """`time`, `divergence`, `force` (steps, dim); and `truth divergence`, `truth force` as far as it goes."""
        return {name: np.array(rows) for name, rows in self._rows.items()}

    def _figures(self, frame: Mapping[str, NDArray] | None) -> dict[str, Any]:
        if frame is None or self.velocity not in frame:
            return {}
        velocity = np.asarray(frame[self.velocity], dtype=float)[self.used]
        slopes = self.gradient(torch.from_numpy(velocity))[self.normal]
        divergence = slopes.diagonal(dim1=-2, dim2=-1).sum(-1)
        size = slopes.square().sum((-2, -1)).mean().sqrt().clamp_min(1e-30)
        found: dict[str, Any] = {"divergence": float(divergence.square().mean().sqrt() / size)}
        if self.forces is not None and self.pressure in frame:
            found["force"] = self.forces(velocity, np.asarray(frame[self.pressure])[self.used])
        return found


def _used(cells: Mapping[str, NDArray[np.integer]], nodes: int) -> tuple[NDArray, dict[str, NDArray[np.integer]]]:
    """The nodes that cells have, and the cells with numbers among those: a node without a cell has no slopes."""
    used = np.unique(np.concatenate([block.ravel() for block in cells.values()]))
    number = np.full(nodes, -1)
    number[used] = np.arange(len(used))
    return used, {kind: number[block] for kind, block in cells.items()}
