"""The mesh transformer of 2508.18051: encoder, blocks of masked attention and gated MLPs, decoder."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from physolve.errors import SpecificationError

from ._attention import masked_attention
from ._layers import RMSNorm, gated_mlp, mlp
from ._mask import AttentionMask
from ._rotary import rotary_codes, rotary_frequencies, rotated
from ._sizes import TransformerSizes

HIDDEN = 3  # layers of encoder and decoder
Codes = tuple[Tensor, Tensor]  # cosines and sines, see `rotary_codes`


class MeshAttention(nn.Module):
    """proj(gate(x) attention(q(x), k(x), v(x))), over the nodes that the mask allows.

    Where the mask has fewer rows than nodes, the rows are the first nodes.
    """

    rope_inv_freq: Tensor

    def __init__(self, sizes: TransformerSizes) -> None:
        super().__init__()
        self.heads, self.rotary, self.gated = sizes.heads, sizes.rotary, sizes.gated
        if sizes.rotary:
            self.register_buffer("rope_inv_freq", rotary_frequencies(sizes.channels, sizes.rotary))
        self.q_proj, self.k_proj, self.v_proj, self.proj = (nn.Linear(sizes.width, sizes.width) for _ in range(4))
        if sizes.gated:
            self.gate_proj = nn.Linear(sizes.width, sizes.width)

    def forward(
        self, x: Float[Tensor, "*batch n width"], mask: AttentionMask, positions: Float[Tensor, "*#batch n dim"] | None
    ) -> Float[Tensor, "*batch rows width"]:
        own, codes = _first(x, mask.rows), self.codes(positions)
        own_codes = None if codes is None else (_first(codes[0], mask.rows, -3), _first(codes[1], mask.rows, -3))
        q, k, v = self.queries(own, own_codes), self.keys(x, codes), self.values(x)
        return self.finished(own, masked_attention(q, k, v, mask, self.heads))

    def codes(self, positions: Float[Tensor, "*#batch n dim"] | None) -> Codes | None:
        """Rotary codes of nodes, where there are any."""
        return rotary_codes(positions, self.rope_inv_freq) if self.rotary and positions is not None else None

    def queries(self, x: Float[Tensor, "*batch n width"], codes: Codes | None) -> Float[Tensor, "*batch n width"]:
        return self._turned(self.q_proj(x), codes)

    def keys(self, x: Float[Tensor, "*batch n width"], codes: Codes | None) -> Float[Tensor, "*batch n width"]:
        return self._turned(self.k_proj(x), codes)

    def values(self, x: Float[Tensor, "*batch n width"]) -> Float[Tensor, "*batch n width"]:
        return _at_least_single(self.v_proj(x))

    def finished(
        self, x: Float[Tensor, "*batch n width"], attended: Float[Tensor, "*batch n width"]
    ) -> Float[Tensor, "*batch n width"]:
        """From what nodes x attended to: gate and projection."""
        return self.proj(torch.sigmoid(self.gate_proj(x)) * attended if self.gated else attended)

    def _turned(self, x: Tensor, codes: Codes | None) -> Tensor:
        """Under autocast projections give bfloat16: scores are summed, and softmax is taken, in float32."""
        return _at_least_single(x) if codes is None else rotated(_at_least_single(x), codes, self.heads)


class Block(nn.Module):
    """z += attention(norm(z)), then z += gated MLP(norm(z)); of the mask's rows, which are the first nodes."""

    def __init__(self, sizes: TransformerSizes) -> None:
        super().__init__()
        self.attention = MeshAttention(sizes)
        self.norm1, self.norm2 = RMSNorm(sizes.width), RMSNorm(sizes.width)
        self.gated_mlp = gated_mlp(sizes.width, sizes.expansion)  # begins with a norm of its own, as published

    def forward(
        self, z: Float[Tensor, "*batch n width"], mask: AttentionMask, positions: Float[Tensor, "*#batch n dim"] | None
    ) -> Float[Tensor, "*batch rows width"]:
        return self.finished(_first(z, mask.rows), self.attention(self.norm1(z), mask, positions))

    def finished(
        self, z: Float[Tensor, "*batch n width"], attended: Float[Tensor, "*batch n width"]
    ) -> Float[Tensor, "*batch n width"]:
        """From what attention adds to nodes z."""
        z = z + attended
        return z + self.gated_mlp(self.norm2(z))


class MeshTransformer(nn.Module):
    """From node inputs to node outputs, every node looking at those that the mask allows.

    `inputs` and `outputs` are numbers of channels of a node. `checkpointing` keeps only the states between blocks for
    the backward pass and computes the rest again: memory for time.
    """

    def __init__(self, inputs: int, outputs: int, sizes: TransformerSizes, *, checkpointing: bool = False) -> None:
        super().__init__()
        self.inputs, self.sizes, self.checkpointing = inputs, sizes, checkpointing
        self.nodes_encoder = mlp(inputs, sizes.width, sizes.width, HIDDEN, RMSNorm(sizes.width))
        self.processor_list = nn.ModuleList(Block(sizes) for _ in range(sizes.blocks))
        self.decode_module = mlp(sizes.width, sizes.width, outputs, HIDDEN)

    def forward(
        self,
        x: Float[Tensor, "*batch n inputs"],
        mask: AttentionMask,
        positions: Float[Tensor, "*#batch n dim"] | None = None,
    ) -> Float[Tensor, "*batch n outputs"]:
        """Outputs of all nodes; `positions` are needed for rotary codes, whose dtype is theirs.

        Raises SpecificationError for inputs, positions or a mask that do not fit.
        """
        self.check(x, positions)
        if mask.rows != x.shape[-2]:
            raise SpecificationError(
                f"mesh transformer: got a mask of {mask.rows} rows for {x.shape[-2]} nodes, expected one for each"
            )
        z = self.nodes_encoder(x)
        for block in self.processor_list:
            z = self.through(block, z, mask, positions)
        return self.decode_module(z)

    def through(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """What a block, or a piece of one, makes of its arguments; with `checkpointing` these alone are kept."""
        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(step, *arguments, use_reentrant=False)
        return step(*arguments)

    def check(self, x: Tensor, positions: Tensor | None) -> None:
        """Raises SpecificationError for inputs or positions that do not fit the network."""
        if x.ndim < 2 or x.shape[-1] != self.inputs:
            raise SpecificationError(
                f"mesh transformer: got inputs of shape {tuple(x.shape)}, expected (..., nodes, {self.inputs})"
            )
        dim = self.sizes.rotary
        if dim and (positions is None or positions.shape[-2:] != (x.shape[-2], dim)):
            got = None if positions is None else tuple(positions.shape)
            raise SpecificationError(
                f"mesh transformer: got positions {got}, expected ({x.shape[-2]}, {dim}) for its rotary codes"
            )


def _first(x: Tensor, rows: int, axis: int = -2) -> Tensor:
    """The first rows; nothing is done where they are all."""
    return x if x.shape[axis] == rows else x.narrow(axis, 0, rows)


def _at_least_single(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()
