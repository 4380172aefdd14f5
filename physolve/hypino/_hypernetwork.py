"""The hypernetwork of HyPINO (2509.05117, section 3): a problem on a grid in, the weights of a PINN out."""

from jaxtyping import Float
from torch import Tensor, nn

from ._decoder import Decoder
from ._encoder import Encoder
from ._sizes import HypernetworkSizes


class Hypernetwork(nn.Module):
    """theta = decoder(encoder(raster, coefficients))."""

    def __init__(self, sizes: HypernetworkSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = Encoder(sizes)
        self.decoder = Decoder(sizes)

    def forward(
        self, raster: Float[Tensor, "batch 5 n n"], coefficients: Float[Tensor, "batch 5"]
    ) -> Float[Tensor, "batch networks count"]:
        """Weights of the target networks of every problem, in the flat order of `sizes.target`."""
        return self.decoder(self.encoder(raster, coefficients))
