"""Characteristics and state as two networks; initial and entering values and periodicity hold by construction."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physolve._typing import Points
from physolve.jets import Activation, Jet, JetLayout, multiply
from physolve.solve import random_weights

from ._frame import MovingFrame
from ._networks import LabelNetwork

Outer = tuple[Float[Tensor, "rows n dim"], Float[Tensor, "rows n unknowns"]]


@dataclass(frozen=True, eq=False)
class LabelPoints:
    """Labels and times (n, dim + 1) with the jets, of these derivatives, of all that is known there; each is computed
    when it is first asked for, and kept."""

    frame: MovingFrame
    points: Points
    layout: JetLayout

    @cached_property
    def embedding(self) -> Jet:
        """What the networks read."""
        return self.frame.labels.embed(self.points, self.layout)

    @cached_property
    def clock(self) -> Jet:
        """Time since the characteristic began."""
        return self.frame.labels.clock(self.points, self.layout)

    @cached_property
    def origin(self) -> Jet:
        """Where it began."""
        return self.frame.labels.origin(self.points, self.layout)

    @cached_property
    def beginning(self) -> Jet:
        """What it carried there."""
        return self.frame.beginnings.jet(self.frame.labels, self.points, self.layout)

    @property
    def inputs(self) -> Points:
        return self.embedding.value


@dataclass(frozen=True, eq=False)
class MovingModel:
    """X = origin + (t - begin) (drift + spread D(xi, t)),  W = beginning + (t - begin) size / duration N(xi, t).

    D and N are separate networks. The trainable vector is the weights of D, then those of N.
    """

    frame: MovingFrame
    characteristics: LabelNetwork
    state: LabelNetwork

    @classmethod
    def of(cls, frame: MovingFrame, width: int, depth: int, activation: Activation) -> "MovingModel":
        unknowns = len(frame.problem.unknowns)
        return cls(
            frame,
            LabelNetwork.of(frame.labels, frame.labels.dim, width, depth, activation),
            LabelNetwork.of(frame.labels, unknowns, width, depth, activation),
        )

    @property
    def count(self) -> int:
        return self.characteristics.count + self.state.count

    @property
    def last_layers(self) -> Int[Tensor, " outputs"]:
        """Entries of the vector in the output layers."""
        parts, start = [], 0
        for network in (self.characteristics, self.state):
            inner, outputs = network.model.architecture.layers[-1]
            start += network.count
            parts.append(torch.arange(start - (inner + 1) * outputs, start))
        return torch.cat(parts)

    def start(self, seed: int) -> Float[Tensor, " count"]:
        """Random hidden layers, output layers zero: every characteristic drifts along and keeps its value."""
        parts = (self.characteristics, self.state)
        vector = torch.cat([random_weights(n.model, seed + k).flatten() for k, n in enumerate(parts)])
        vector[self.last_layers] = 0
        return vector

    def split(self, vector: Float[Tensor, " count"]) -> tuple[Tensor, Tensor]:
        """Weights of D and of N."""
        return vector[: self.characteristics.count], vector[self.characteristics.count :]

    def at(self, points: Points, layout: JetLayout) -> LabelPoints:
        """Labels and times prepared for evaluation with these derivatives."""
        return LabelPoints(self.frame, points, layout)

    def outer(self, vector: Float[Tensor, " count"], at: LabelPoints) -> Outer:
        """Derivatives of D and N in the networks' inputs."""
        first, second = self.split(vector)
        return (
            self.characteristics.outer(first, at.inputs, at.layout),
            self.state.outer(second, at.inputs, at.layout),
        )

    def motion(self, outer: Tensor, at: LabelPoints) -> Jet:
        """Jet (rows, n, dim) of X."""
        scales = self.frame.scales
        velocity = self.characteristics.jet(outer, at.embedding).scaled(outer.new_tensor(scales.spread))
        steady = torch.zeros_like(velocity.tensor)
        steady[0] = outer.new_tensor(scales.drift)
        return at.origin + multiply(at.clock, velocity + Jet(steady, at.layout))

    def carried(self, outer: Tensor, at: LabelPoints) -> Jet:
        """Jet (rows, n, unknowns) of W."""
        rate = outer.new_tensor(self.frame.scales.size) / self.frame.labels.duration
        return at.beginning + multiply(at.clock, self.state.jet(outer, at.embedding).scaled(rate))

    def jets_of(self, outer: Outer, at: LabelPoints) -> tuple[Jet, Jet]:
        """Jets of X and W from derivatives of D and N."""
        return self.motion(outer[0], at), self.carried(outer[1], at)

    def jets(self, vector: Float[Tensor, " count"], points: Points, layout: JetLayout) -> tuple[Jet, Jet]:
        """Jets of X and W at labels and times."""
        at = self.at(points, layout)
        return self.jets_of(self.outer(vector, at), at)

    def place(self, vector: Float[Tensor, " count"], points: Points) -> Jet:
        """Jet of X alone, with first derivatives."""
        at = self.at(points, self.frame.labels.layout(False))
        return self.motion(self.characteristics.outer(self.split(vector)[0], at.inputs, at.layout), at)
