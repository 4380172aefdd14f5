"""What a learned simulator is but for its numbers."""

from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

from physolve.errors import ProblemFileError, SpecificationError

from ._augmentations import Augmentation, DilatedWindow, GlobalNodes, KHop, RandomEdges
from ._channels import Channels
from ._node_types import TYPES
from ._sizes import SMALL, MessageSizes, TransformerSizes


@dataclass(frozen=True)
class Sight:
    """What a node of a transformer looks at beyond itself; 0 leaves out.

    hops                along mesh edges, at least 1
    reach, dilation     nodes on either side on a Hilbert curve, every `dilation`-th
    global_nodes        that see all and are seen by all
    random_edges        to others, for every node
    """

    hops: int = 1
    reach: int = 0
    dilation: int = 1
    global_nodes: int = 0
    random_edges: int = 0

    def __post_init__(self) -> None:
        for name, least in (("hops", 1), ("reach", 0), ("dilation", 1), ("global_nodes", 0), ("random_edges", 0)):
            if getattr(self, name) < least:
                raise SpecificationError(f"sight: got {name} = {getattr(self, name)}, expected at least {least}")

    def augmentations(self) -> tuple[Augmentation, ...]:
        """Those that are not left out."""
        chosen: list[Augmentation | None] = [
            KHop(self.hops) if self.hops > 1 else None,
            DilatedWindow(self.reach, self.dilation) if self.reach else None,
            GlobalNodes(self.global_nodes) if self.global_nodes else None,
            RandomEdges(self.random_edges) if self.random_edges else None,
        ]
        return tuple(each for each in chosen if each is not None)


@dataclass(frozen=True)
class Design:
    """Fields, features and sizes; what a file of weights says of itself.

    state            fields that are seen, and predicted by their increment over a step
    outputs          fields that are predicted from the state and not seen, such as the pressure of a flow
    dim              of space
    dt               time of a step
    length           a typical edge of the meshes, the unit of positions
    network          sizes of a transformer, or of a MeshGraphNet
    sight            of a transformer's nodes
    positions        whether nodes see where they lie, in `extent`s from the lower corner of their mesh
    wall_distance    whether nodes see how far the next wall is
    extent           size of the meshes, the unit of what nodes see of their place
    """

    state: Channels
    outputs: Channels
    dim: int
    dt: float
    length: float
    extent: float
    network: TransformerSizes | MessageSizes = SMALL
    sight: Sight = field(default_factory=Sight)
    positions: bool = True
    wall_distance: bool = True

    def __post_init__(self) -> None:
        if not self.state.names:
            raise SpecificationError("simulator: got no field of the state, expected at least one")
        both = set(self.state.names) & set(self.outputs.names)
        if both:
            raise SpecificationError(f"simulator: field '{both.pop()}' is in the state and an output; choose one")
        for name in ("dt", "length", "extent"):
            if not getattr(self, name) > 0:
                raise SpecificationError(f"simulator: got {name} = {getattr(self, name)}, expected a positive number")

    @property
    def features(self) -> int:
        """Channels of a node that do not change: its type, its place, the distance to the wall."""
        return TYPES + self.dim * self.positions + self.wall_distance


def design_to_data(design: Design) -> dict[str, Any]:
    """JSON-able; the network under the name of its kind."""
    data = asdict(design)
    kind = "transformer" if isinstance(design.network, TransformerSizes) else "messages"
    return {**data, "network": {kind: data["network"]}}


def design_from_data(path: str | PathLike[str], data: Any) -> Design:
    """What `design_to_data` was given. Raises ProblemFileError, which names the file, for anything else."""
    try:
        ((kind, sizes),) = data["network"].items()
        parts = {
            "network": {"transformer": TransformerSizes, "messages": MessageSizes}[kind](**sizes),
            "sight": Sight(**data["sight"]),
            "state": _channels(data["state"]),
            "outputs": _channels(data["outputs"]),
        }
        return Design(**{**data, **parts})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProblemFileError(
            f"{path}: design: not that of a simulator ({type(error).__name__}: {error}); read the file with the"
            " physolve that wrote it"
        ) from error


def _channels(data: Any) -> Channels:
    return Channels(tuple(data["names"]), tuple(data["components"]))
