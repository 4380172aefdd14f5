"""A rollout from its case to its record, step by step to disk, stopped where it blows up."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physolve.errors import SpecificationError
from physolve.io import SeriesWriter

from .._design import Design
from .._simulation_graph import moved, simulation_graph
from .._simulator import Advanced, Simulator
from ..partition import partitioned
from ._case import Case, Frames
from ._errors import RolloutErrors
from ._judge import Judge
from ._rolled import rolled


class RolloutOutcome(Enum):
    """How a rollout ended, and in words."""

    FINISHED = "all steps were made"
    NOT_FINITE = "a value became infinite or not a number"
    BLEW_UP = "the state left what was trained on by far"


@dataclass(frozen=True, eq=False)
class Rollout:
    """What a rollout was.

    outcome      how it ended
    message      which value, at the step after those that were kept, where it did not finish
    steps        made and kept
    errors       of state and outputs against the truth, in the data's units; empty where there is none
    compared     steps that they are of: the truth may end before the rollout
    histories    of every step: time, divergence, force; see `Judge`
    rate         steps a second, without what was written and judged
    state        fields after the last step
    """

    outcome: RolloutOutcome
    message: str
    steps: int
    errors: dict[str, float]
    compared: int
    histories: dict[str, NDArray[np.floating]]
    rate: float
    state: dict[str, NDArray[np.floating]]


def run_rollout(
    simulator: Simulator,
    case: Case,
    steps: int,
    *,
    writers: Sequence[SeriesWriter] = (),
    judge: Judge | None = None,
    bound: float = 100.0,
    device: torch.device | str = "cpu",
    parts: int = 1,
    progress: Callable[[int], None] = lambda step: None,
) -> Rollout:
    """Predict `steps` steps of a case.

    It stops before the first step with a value that is not finite or further than `bound` standard deviations of the
    training data from their mean. `writers` are given every step, and the same fields each time, so that files can be
    read again: the beginning only where its outputs are known, and the truth and the error beside the prediction only
    where they are known of all `steps`. `judge` looks at every step. A mesh that does not fit the device is predicted
    in `parts`, one after another, to rounding the same; see `partitioned`.

    Raises SpecificationError for a case that does not fit the simulator, for a number of steps below 1 and for parts
    that the mesh does not have, UnsupportedError for parts of a MeshGraphNet's mesh.
    """
    _check(simulator.design, case, steps)
    simulator = simulator.to(device).eval()
    graph = simulation_graph(case.points, case.cells, case.node_type, simulator.design)
    if parts == 1:
        graph = moved(graph, device)
    else:
        graph, device = partitioned(graph, parts), "cpu"  # where states are kept
    packed = _packed(simulator.design, device)
    record = _Record(simulator.design, case, steps, graph.node_type, writers, judge)
    known = None if case.known is None else (lambda step, frames=case.known: packed(frames, step))
    state, spent, fault = packed(lambda _: case.start, 0), 0.0, None
    record.begin()
    trail = rolled(simulator, graph, state, known, steps)
    while fault is None and record.steps < steps:
        begun = time.perf_counter()
        advanced = next(trail)
        fault = _fault(simulator, advanced, bound)  # waits for the device
        spent += time.perf_counter() - begun
        if fault is None:
            record.add(advanced)
            progress(record.steps)
    outcome, message = (RolloutOutcome.FINISHED, "") if fault is None else fault
    return record.finished(outcome, message, (record.steps + (fault is not None)) / max(spent, 1e-9))


class _Record:
    """What a rollout leaves, step by step."""

    def __init__(
        self,
        design: Design,
        case: Case,
        wanted: int,
        node_type: Tensor,
        writers: Sequence[SeriesWriter],
        judge: Judge | None,
    ) -> None:
        self.design, self.case, self.writers, self.judge = design, case, writers, judge
        self.beside = wanted <= case.steps
        self.errors = [RolloutErrors(channels, node_type) for channels in (design.state, design.outputs)]
        self.fields: dict[str, Any] = dict(case.start)
        self.steps = 0

    def begin(self) -> None:
        names = (*self.design.state.names, *self.design.outputs.names)
        self._keep({name: self.case.start[name] for name in names if name in self.case.start}, self._truth())

    def add(self, advanced: Advanced) -> None:
        self.steps += 1
        fields = self.design.state.unpacked(advanced.state.cpu().numpy())
        fields |= self.design.outputs.unpacked(advanced.outputs.cpu().numpy())
        truth = self._truth()
        if truth is not None:
            self._compare(advanced, truth)
        self._keep(fields, truth)

    def _truth(self) -> Mapping[str, NDArray] | None:
        """At the step that was made last, if it is known."""
        if self.case.truth is None or self.steps > self.case.steps:
            return None
        return self.case.truth(self.steps)

    def _compare(self, advanced: Advanced, truth: Mapping[str, NDArray]) -> None:
        for errors, found in zip(self.errors, advanced, strict=True):
            if all(name in truth for name in errors.channels.names):
                errors.add(found, torch.from_numpy(errors.channels.packed(truth)).to(found.device))

    def _keep(self, fields: dict[str, Any], truth: Mapping[str, NDArray] | None) -> None:
        self.fields = fields
        instant = self.case.time + self.steps * self.design.dt
        if self.judge is not None:
            self.judge.add(instant, fields, truth)
        together = {**fields, **_beside(fields, truth)} if truth is not None and self.beside else fields
        whole = all(name in fields for name in self.design.outputs.names)
        for writer in self.writers if whole else ():
            writer.write(instant, together)

    def finished(self, outcome: RolloutOutcome, message: str, rate: float) -> Rollout:
        told = {name: value for errors in self.errors if errors.squares for name, value in errors.figures().items()}
        compared = min(self.steps, self.case.steps) if told else 0
        histories = {} if self.judge is None else self.judge.histories()
        return Rollout(outcome, message, self.steps, told, compared, histories, rate, self.fields)


def _beside(fields: Mapping[str, NDArray], truth: Mapping[str, NDArray]) -> dict[str, NDArray]:
    pairs = [(name, values, truth[name]) for name, values in fields.items() if name in truth]
    return {f"{name} truth": true for name, _, true in pairs} | {f"{name} error": v - true for name, v, true in pairs}


def _packed(design: Design, device: torch.device | str) -> Callable[[Frames, int], Tensor]:
    return lambda frames, step: torch.from_numpy(design.state.packed(frames(step))).to(device)


def _fault(simulator: Simulator, advanced: Advanced, bound: float) -> tuple[RolloutOutcome, str] | None:
    """What is wrong with a step."""
    own = simulator.scales.to(advanced.state.device)
    scaled = ((advanced.state - own.mean) / own.scale).abs()
    largest = float(scaled.max())  # NaN where there is one
    if not np.isfinite(largest) or not bool(torch.isfinite(advanced.outputs).all()):
        bad = int((~torch.isfinite(torch.cat(advanced, 1)).all(1)).sum())
        return RolloutOutcome.NOT_FINITE, f"{bad} of {len(scaled)} nodes have values that are not finite"
    if largest > bound:
        node, column = divmod(int(scaled.argmax()), scaled.shape[1])
        return (
            RolloutOutcome.BLEW_UP,
            f"column {column} of the state is {largest:.3g} standard deviations from its mean at node {node}, more than"
            f" {bound:g}; train with more noise or unrolled steps, or on data that are more alike",
        )
    return None


def _check(design: Design, case: Case, steps: int) -> None:
    if steps < 1:
        raise SpecificationError(f"rollout: got {steps} steps, expected at least 1")
    for name, width in zip(design.state.names, design.state.widths, strict=True):
        if name not in case.start:
            has = ", ".join(case.start)
            raise SpecificationError(f"rollout: case '{case.name}' has no field '{name}' to begin with; it has {has}")
        got = np.asarray(case.start[name]).reshape(len(case.points), -1).shape[1]
        if got != width:
            raise SpecificationError(
                f"rollout: field '{name}' of case '{case.name}' has {got} components, expected {width} as trained"
            )
