"""A transformer on a mesh in parts: block by block, so that every node sees what it sees in the whole mesh."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from .._transformer import MeshTransformer
from ._part import Part


def transformed_by_parts(
    network: MeshTransformer,
    x: Float[Tensor, "*batch n inputs"],
    parts: Sequence[Part],
    positions: Float[Tensor, "*batch n dim"] | None = None,
) -> Float[Tensor, "*batch n outputs"]:
    """`network` of the whole mesh to rounding, computed from one part at a time.

    States between blocks are kept where `x` is, for all nodes; a part goes to the device of the network, is computed
    there, and comes back. Each part goes there with its halo once for every block. Differentiable; with the network's
    `checkpointing` the way back needs the states between blocks and one part's memory, too.

    Raises SpecificationError as the network.
    """
    network.check(x, positions)
    device = next(network.parameters()).device

    def shown(values: Tensor, part: Part) -> Tensor:
        return values[..., part.nodes, :].to(device)

    z = _assembled(parts, x, lambda part: network.nodes_encoder(x[..., part.own, :].to(device)))
    for block in network.processor_list:

        def following(part: Part, z: Tensor = z, block: torch.nn.Module = block) -> Tensor:
            where = None if positions is None else shown(positions, part)
            return network.through(block, shown(z, part), part.mask.to(device), where)

        z = _assembled(parts, x, following)
    return _assembled(parts, x, lambda part, z=z: network.decode_module(z[..., part.own, :].to(device)))


def _assembled(parts: Sequence[Part], like: Tensor, of: Callable[[Part], Tensor]) -> Tensor:
    """All nodes' rows from what is found of every part's own, where `like` is."""
    whole: Tensor | None = None
    for part in parts:
        rows = of(part)
        if whole is None:
            whole = like.new_empty((*like.shape[:-1], rows.shape[-1]), dtype=rows.dtype)
        whole[..., part.own, :] = rows.to(like.device)
    assert whole is not None, "a mesh has nodes"
    return whole
