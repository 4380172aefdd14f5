"""Layers that the mesh networks are made of. Attributes are named as in the published state dicts."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """scale x / (rms(x) + 1e-8), over the last axis."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "*n width"]) -> Float[Tensor, "*n width"]:
        rms = torch.linalg.vector_norm(x, dim=-1, keepdim=True) * x.shape[-1] ** -0.5
        return self.scale * (x / (rms + 1e-8))


class Gate(nn.Module):
    """gelu(A x + a) * (B x + b): the hidden layer of a gated MLP."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(width, hidden)

    def forward(self, x: Float[Tensor, "*n width"]) -> Float[Tensor, "*n hidden"]:
        return nn.functional.gelu(self.linear1(x)) * self.linear2(x)


def gated_mlp(width: int, expansion: int) -> nn.Sequential:
    """Norm, gate, linear."""
    return nn.Sequential(RMSNorm(width), Gate(width, expansion * width), nn.Linear(expansion * width, width))


def mlp(inputs: int, width: int, outputs: int, hidden: int, *last: nn.Module) -> nn.Sequential:
    """Linear layers with ReLU between them, `hidden` of them of the given width, then `last`."""
    layers: list[nn.Module] = []
    for k in range(hidden):
        layers += [nn.Linear(inputs if k == 0 else width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, outputs), *last)
