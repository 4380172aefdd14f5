"""A transformer on a mesh in parts: block by block, so that every node sees what it sees in the whole mesh."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .._transformer import Block, MeshTransformer
from ._everywhere import Shown, seeing_all
from ._part import Partition

Rows = tuple[Int[Tensor, " rows"], Float[Tensor, "*batch rows columns"]]
"""Numbers of nodes, and what was found of them."""


def transformed_by_parts(
    network: MeshTransformer,
    x: Float[Tensor, "*batch n inputs"],
    partition: Partition,
    positions: Float[Tensor, "*#batch n dim"] | None = None,
) -> Float[Tensor, "*batch n outputs"]:
    """`network` of the whole mesh to rounding, computed from one part at a time.

    States between blocks are kept where `x` is, for all nodes; a part goes to the device of the network with its halo,
    once for every block, and its own nodes come back. Differentiable; with the network's `checkpointing` the way back
    needs the states between blocks, and otherwise no more than a part at a time, either.

    Raises SpecificationError as the network.
    """
    network.check(x, positions)
    device = next(network.parameters()).device
    size = max((len(part.own) for part in partition.parts), default=partition.nodes)
    pieces = torch.arange(partition.nodes).split(size)  # for what is done node by node

    def shown(values: Tensor, nodes: Tensor) -> Tensor:
        return values[..., nodes, :].to(device)

    def shown_with_place(z: Tensor, nodes: Tensor) -> Shown:
        return shown(z, nodes), None if positions is None else shown(positions, nodes)

    def through(block: Block, z: Tensor) -> Iterator[Rows]:
        for part in partition.parts:
            here, where = shown_with_place(z, part.nodes)
            yield part.own, network.through(block, here, part.mask.to(device), where)
        if len(partition.everywhere):
            few = shown_with_place(z, partition.everywhere)
            yield partition.everywhere, seeing_all(network, block, few, (shown_with_place(z, p) for p in pieces))

    z = _assembled(x, ((nodes, network.nodes_encoder(shown(x, nodes))) for nodes in pieces))
    for block in network.processor_list:
        z = _assembled(x, through(block, z))  # type: ignore[arg-type]
    return _assembled(x, ((nodes, network.decode_module(shown(z, nodes))) for nodes in pieces))


def _assembled(like: Tensor, found: Iterable[Rows]) -> Tensor:
    """The rows of all nodes, where `like` is."""
    whole: Tensor | None = None
    for nodes, rows in found:
        if whole is None:
            whole = like.new_empty((*like.shape[:-1], rows.shape[-1]), dtype=rows.dtype)
        whole[..., nodes, :] = rows.to(like.device)
    assert whole is not None, "a partition has nodes"
    return whole
