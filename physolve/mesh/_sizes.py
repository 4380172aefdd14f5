"""What mesh transformers differ in, and the sizes that are trained."""

from dataclasses import dataclass

from physolve.errors import SpecificationError


@dataclass(frozen=True)
class TransformerSizes:
    """Everything but inputs and outputs. Raises SpecificationError for sizes that do not fit together.

    blocks       of masked attention and gated MLP
    width        of a node's state
    heads        of attention; they divide the width
    expansion    of the gated MLP: its inner width over the width
    rotary       dimension of the positions that turn queries and keys, 0 for none
    gated        whether the attention's output is multiplied by a sigmoid of its input
    """

    blocks: int
    width: int
    heads: int
    expansion: int = 3
    rotary: int = 0
    gated: bool = False

    def __post_init__(self) -> None:
        for name in ("blocks", "width", "heads", "expansion"):
            if getattr(self, name) < 1:
                raise SpecificationError(f"transformer sizes: got {name} = {getattr(self, name)}, expected at least 1")
        if self.width % self.heads:
            raise SpecificationError(
                f"transformer sizes: got {self.heads} heads for width {self.width}, expected a number that divides it"
            )
        if self.rotary < 0 or 2 * self.rotary > self.channels:
            raise SpecificationError(
                f"transformer sizes: got positions of dimension {self.rotary} for {self.channels} channels a head,"
                " expected at most half as many; take fewer heads"
            )

    @property
    def channels(self) -> int:
        """Of one head."""
        return self.width // self.heads


SMALL = TransformerSizes(blocks=10, width=48, heads=4)
"""S, 0.33 M parameters: a seventh of MeshGraphNet's 2.3 M."""

MEDIUM = TransformerSizes(blocks=15, width=128, heads=4)
"""M, 3.3 M parameters."""

LARGE = TransformerSizes(blocks=15, width=512, heads=8)
"""L, 53 M parameters."""


@dataclass(frozen=True)
class MessageSizes:
    """Of a MeshGraphNet, as published. Raises SpecificationError for sizes below 1.

    steps    of messages
    width    of the states of nodes and edges
    """

    steps: int = 15
    width: int = 128

    def __post_init__(self) -> None:
        for name in ("steps", "width"):
            if getattr(self, name) < 1:
                raise SpecificationError(f"message sizes: got {name} = {getattr(self, name)}, expected at least 1")
