"""What a rollout begins with: a mesh, the state there, what is known of the boundary, and the truth if there is one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from physolve.errors import SpecificationError

from .._channels import Channels
from .._design import Design
from .._instants import uneven_step
from ..data import MeshStore

Frames = Callable[[int], Mapping[str, NDArray[np.floating]]]
"""Fields (n,) or (n, components) after a step, step 0 the beginning."""


@dataclass(frozen=True, eq=False)
class Case:
    """A simulation to be predicted.

    name         for messages
    points       (n, dim)
    cells        kind, named as in meshio, to (m, k)
    node_type    (n,)
    start        fields at the beginning
    known        fields of which the known nodes take their values; None where they stay as they begin
    truth        fields to compare with, for steps up to `steps`; None where nobody knows
    steps        how many steps `truth` has
    time         at the beginning
    """

    name: str
    points: Float[np.ndarray, "n dim"]
    cells: Mapping[str, NDArray[np.integer]]
    node_type: Int[np.ndarray, " n"]
    start: Mapping[str, NDArray[np.floating]]
    known: Frames | None = None
    truth: Frames | None = None
    steps: int = 0
    time: float = 0.0


def stored_case(store: MeshStore, name: str, design: Design, first: int = 0) -> Case:
    """A trajectory of a data set from its frame `first` on, a frame for every step of the design.

    What is known of the boundary is what the trajectory has there; after its last frame it stays as it was. Raises
    SpecificationError for a trajectory without the design's fields, or without frames a step apart all along.
    """
    times = store.times(name)
    stride = _stride(store, name, times[first:], design.dt)
    _check_even(store, name, times[first::stride], design.dt)
    Channels.of((*design.state.names, *design.outputs.names), store.fields())
    last = (len(times) - 1 - first) // stride
    mesh = store.mesh(name)
    return Case(
        name=name,
        points=mesh.points,
        cells=mesh.cells,
        node_type=mesh.node_type,
        start=store.frame(name, first),
        known=lambda step: store.frame(name, first + stride * min(step, last)),
        truth=lambda step: store.frame(name, first + stride * step),
        steps=last,
        time=float(times[first]),
    )


def _stride(store: MeshStore, name: str, times: NDArray[np.floating], dt: float) -> int:
    """Frames in a step; one where there is nothing after the beginning."""
    if len(times) == 0:
        raise SpecificationError(f"{store.path}: trajectory '{name}' ends before the first frame that was asked for")
    after = times - times[0]
    stride = int(np.argmin(np.abs(after - dt))) if len(times) > 1 else 1
    if len(times) > 1 and (stride == 0 or uneven_step(times[: stride + 1], stride, dt)):
        raise SpecificationError(
            f"{store.path}: trajectory '{name}' has frames {after[1]:g} apart, and the simulator makes steps of {dt:g};"
            " give a case with frames such a step apart"
        )
    return stride


def _check_even(store: MeshStore, name: str, times: NDArray[np.floating], dt: float) -> None:
    uneven = uneven_step(times, 1, dt)
    if uneven is not None:
        step, took = uneven
        raise SpecificationError(
            f"{store.path}: step {step + 1} of trajectory '{name}', from time {times[step]:g} on, takes {took:g}, and"
            f" the simulator makes steps of {dt:g}; give a case with frames such a step apart all along"
        )
