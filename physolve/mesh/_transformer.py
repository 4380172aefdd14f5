"""The mesh transformer of 2508.18051: encoder, blocks of masked attention and gated MLPs, decoder."""

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


class MeshAttention(nn.Module):
    """proj(gate(x) attention(q(x), k(x), v(x))), over the nodes that the mask allows."""

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
        self, x: Float[Tensor, "*batch n width"], mask: AttentionMask, positions: Float[Tensor, "*batch n dim"] | None
    ) -> Float[Tensor, "*batch n width"]:
        # Under autocast the projections give bfloat16: scores are summed, and softmax is taken, in float32.
        q, k, v = (_at_least_single(project(x)) for project in (self.q_proj, self.k_proj, self.v_proj))
        if self.rotary and positions is not None:
            codes = rotary_codes(positions, self.rope_inv_freq)
            q, k = rotated(q, codes, self.heads), rotated(k, codes, self.heads)
        out = masked_attention(q, k, v, mask, self.heads)
        if self.gated:
            out = torch.sigmoid(self.gate_proj(x)) * out
        return self.proj(out)


class Block(nn.Module):
    """z += attention(norm(z)), then z += gated MLP(norm(z))."""

    def __init__(self, sizes: TransformerSizes) -> None:
        super().__init__()
        self.attention = MeshAttention(sizes)
        self.norm1, self.norm2 = RMSNorm(sizes.width), RMSNorm(sizes.width)
        self.gated_mlp = gated_mlp(sizes.width, sizes.expansion)  # begins with a norm of its own, as published

    def forward(
        self, z: Float[Tensor, "*batch n width"], mask: AttentionMask, positions: Float[Tensor, "*batch n dim"] | None
    ) -> Float[Tensor, "*batch n width"]:
        z = z + self.attention(self.norm1(z), mask, positions)
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
        positions: Float[Tensor, "*batch n dim"] | None = None,
    ) -> Float[Tensor, "*batch n outputs"]:
        """Outputs of all nodes; `positions` are needed for rotary codes, whose dtype is theirs.

        Raises SpecificationError for inputs or positions that do not fit the network.
        """
        self._check(x, positions)
        z = self.nodes_encoder(x)
        for block in self.processor_list:
            if self.checkpointing and torch.is_grad_enabled():
                z = checkpoint(block, z, mask, positions, use_reentrant=False)
            else:
                z = block(z, mask, positions)
        return self.decode_module(z)

    def _check(self, x: Tensor, positions: Tensor | None) -> None:
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


def _at_least_single(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()
