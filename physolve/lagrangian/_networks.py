"""The two networks over labels: characteristics and state."""

from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points
from physolve.jets import Activation, Architecture, Jet, JetLayout, compose, network_jet
from physolve.nets import PINNModel

from ._labels import Labels


@dataclass(frozen=True)
class LabelNetwork:
    """N(embed(xi, t)): a dense network of what `Labels.embed` makes of a label, so periodic where the labels are."""

    labels: Labels
    model: PINNModel

    @classmethod
    def of(cls, labels: Labels, outputs: int, width: int, depth: int, activation: Activation) -> "LabelNetwork":
        """`depth` hidden layers `width` wide."""
        box = labels.box()
        architecture = Architecture((len(box[0]), *(width,) * depth, outputs), activation)
        return cls(labels, PINNModel.on_box(architecture, *box))

    @property
    def count(self) -> int:
        return self.model.count

    @cached_property
    def plain(self) -> bool:
        """Whether the network reads the labels as they are, and its jets need no chain rule."""
        return not any(self.labels.periodic)

    def layout(self, layout: JetLayout) -> JetLayout:
        """Derivatives in the network's inputs that the derivatives `layout` in labels need."""
        return layout if self.plain else JetLayout.full(self.model.dim)

    def outer(
        self, weights: Float[Tensor, " count"], inputs: Points, layout: JetLayout
    ) -> Float[Tensor, "rows n outputs"]:
        """Derivatives in the inputs, by the compiled kernels."""
        return network_jet(self.model.architecture, weights, inputs, self.layout(layout))

    def jet(self, outer: Float[Tensor, "rows n outputs"], embedding: Jet) -> Jet:
        """Derivatives in label and time from those in the inputs."""
        if self.plain:
            return Jet(outer, embedding.layout)
        return compose(Jet(outer, self.layout(embedding.layout)), embedding)
