"""The network that the hypernetwork writes: Fourier features and multiplicative gates (2509.05117, section 3)."""

from physolve.jets import TANH, Architecture


def target_network(width: int = 32, bands: int = 5, depth: int = 4) -> Architecture:
    """u(x, y) with features of the bands 0.1 * 2^k, k < `bands`, and depth - 1 gated layers; published: 4 deep."""
    return Architecture((2, *[width] * depth, 1), TANH, bands=tuple(0.1 * 2.0**k for k in range(bands)), gated=True)
