"""Networks, layouts and inputs that the kernel tests share."""

import torch
from kernel_checks import distance as distance

from physolve.jets import GELU, SINE, TANH, Architecture, JetLayout

BANDS = tuple(0.1 * 2**k for k in range(5))

ARCHITECTURES = {
    "hypino": Architecture((2, 32, 32, 32, 32, 1), TANH, BANDS, gated=True),
    "gated": Architecture((2, 9, 9, 2), SINE, (0.3,), gated=True, center=(0.1, -0.2), slope=(1.5, 0.5)),
    "one_layer": Architecture((1, 128, 1), TANH),
    "uneven": Architecture((3, 20, 50, 7, 2), GELU, center=(0.1, 0.2, 0.3), slope=(1.2, 0.8, 2.0)),
    "deep": Architecture((2, *(5,) * 12, 1), TANH),
    "space_time": Architecture((4, 16, 17, 3), SINE, (0.2, 0.4)),
}

LAYOUTS = {
    "value": lambda dim: JetLayout(dim),
    "gradient": lambda dim: JetLayout(dim, tuple(range(dim))),
    "one_second": lambda dim: JetLayout(dim, (dim - 1,), ((dim - 1, dim - 1),)),
    "laplacian": lambda dim: JetLayout(dim, tuple(range(dim)), tuple((i, i) for i in range(dim))),
    "full": JetLayout.full,
}

DTYPES = (torch.float32, torch.float64)


def inputs(architecture, networks=2, n=37, dtype=torch.float64, seed=0):
    """Weights (networks, count) and points (networks, n, dim)."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(networks, architecture.count, generator=generator, dtype=torch.float64) * 0.3
    points = 2 * torch.rand(networks, n, architecture.dim, generator=generator, dtype=torch.float64) - 1
    return weights.to(dtype), points.to(dtype)


def like(tensor, seed=5):
    return torch.randn(tensor.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(tensor)
