"""What models of air quality differ in."""

from dataclasses import dataclass

from physolve.errors import SpecificationError

from .operators import Scheme


@dataclass(frozen=True)
class AirSizes:
    """Everything but the problem and the stations; the published sizes by default (arXiv 2402.03784).

    history     steps that are read
    horizon     steps that are forecast
    hidden      units of the recurrent encoder and of the fusion
    latent      channels of the state; their mean is the concentration
    samples     of the initial state
    order       of the Chebyshev polynomials in the graph Laplacian and in the wind's operator
    every       steps between the instants at which source and wind are computed; in between they are linear
    dropout     of the encoder's summary while training
    per_edge    a diffusivity for every pair of stations, else one for all
    known_wind  the wind over the horizon is given, else it is forecast from the history
    scheme      of fluxes by diffusion and wind together, see `operators`
    solenoidal  the wind has no divergence: a stream function takes it to faces; only behind a closed rim
    open_rim    the wind carries mass over the region's rim, else nothing passes it
    walls       west, south, east and north of the region in degrees where they are known, else the rim is guessed

    Raises SpecificationError for numbers that make no model.
    """

    history: int = 24
    horizon: int = 24
    hidden: int = 64
    latent: int = 4
    samples: int = 3
    order: int = 2
    every: int = 2
    dropout: float = 0.3
    per_edge: bool = True
    known_wind: bool = False
    scheme: Scheme = "fitted"
    solenoidal: bool = False
    open_rim: bool = True
    walls: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("history", "horizon", "hidden", "latent", "samples", "every"):
            _check(getattr(self, name) >= 1, f"{name}={getattr(self, name)}", "at least 1")
        _check(self.order >= 0, f"order={self.order}", "at least 0")
        _check(0 <= self.dropout < 1, f"dropout={self.dropout}", "a share in [0, 1)")
        _check(not (self.solenoidal and self.open_rim), "solenoidal and open_rim", "one of them at most")
        _check(len(self.walls) in (0, 4), f"walls={self.walls}", "west, south, east and north, or none")
        _check(self.horizon % self.every == 0, f"every={self.every}", f"a divisor of horizon={self.horizon}")

    @property
    def knots(self) -> int:
        """Instants at which source and wind are computed, both ends of the horizon among them."""
        return self.horizon // self.every + 1


def _check(right: bool, got: str, expected: str) -> None:
    if not right:
        raise SpecificationError(f"air model: got {got}, expected {expected}")
