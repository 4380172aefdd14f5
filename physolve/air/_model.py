"""The forecasting model: encoder, physics of the equation, source and wind over the horizon, graph ODE, decoder.

After AirPhyNet (arXiv 2402.03784): a recurrent encoder, a Gaussian state of a few channels at every station, a graph
ODE with gated Chebyshev branches for diffusion and advection, and a decoder that averages the channels. Where it
differs:

- The ODE is dz/dt = (terms of the equation) z + source. Its terms are finite-volume operators in SI units, linear in z
  and the same for all channels, so that the decoded concentration itself obeys the equation.
- The gated branches make the source. They see the encoder's summary and the instant, not the running state, and are
  therefore evaluated once, for all knots of the horizon together, instead of in every stage of the solver.
- The state is the last concentration plus a Gaussian. As the ODE is linear and the decoder averages, the average is
  integrated in place of the channels: the same forecast at a quarter of the work.
- The wind of the future is not known: it is the present one, fading with a learned memory, plus what the branches add.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from physolve.errors import SpecificationError
from physolve.spec import split_time

from ._batch import AirBatch
from ._calibration import Calibration
from ._dynamics import Rates, RightSide
from ._encoder import Encoded, Encoder
from ._fusion import Fusion, Outlook
from ._layout import InputLayout
from ._physics import DAY, Physics
from ._setup import AirSetup
from ._sizes import AirSizes
from ._solver import OdeSolver
from .operators import lower, station_graph

WIND_SCALE = 2.0
"""m/s, the size of what the branches add to the wind."""

MEMORY = 12.0
"""Hours in which the present wind fades, before training."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A forecast of a batch and what it was made of.

    concentration  (samples, batch, horizon, n) micrograms per cubic metre; samples may be slightly negative
    encoded        distribution of the state
    wind           (batch, knots, n, 2) m/s
    rates          of exchange and source, per step
    """

    concentration: Float[Tensor, "samples batch horizon n"]
    encoded: Encoded
    wind: Float[Tensor, "batch knots n 2"]
    rates: Rates

    @property
    def mean(self) -> Float[Tensor, "batch horizon n"]:
        return self.concentration.mean(0)


class AirModel(nn.Module):
    """Forecasts the first pollutant of a set-up at its stations.

    `calibration` is None until one is fitted to the weights; `forecast` applies it, `forward` does not.

    Raises SpecificationError where the problem's stations are not the set-up's, UnsupportedError for an equation that
    is none of advection, diffusion, deposition and source.
    """

    def __init__(self, setup: AirSetup, sizes: AirSizes | None = None, solver: OdeSolver | None = None) -> None:
        super().__init__()
        self.setup, self.sizes, self.solver = setup, sizes or AirSizes(), solver or OdeSolver()
        self.calibration: Calibration | None = None
        sizes, terms = self.sizes, lower(setup.problem)
        _check_places(setup)
        graph = station_graph(setup.stations.latitude, setup.stations.longitude, sizes.walls)
        self.physics = Physics(terms, graph, sizes, setup.level)
        self.encoder = Encoder(InputLayout(len(setup.pollutants)).count, sizes.hidden, sizes.latent)
        forecast_wind = terms.advection is not None and not sizes.known_wind
        branches = (terms.diffusion is not None) + (terms.advection is not None)
        features = sizes.hidden + sizes.latent
        needed = terms.source == "varying" or forecast_wind
        fusion = Fusion(branches, features, sizes.hidden, sizes.latent, sizes.order, sizes.dropout)
        self.fusion = fusion if needed else None
        self.memory = nn.Parameter(torch.tensor(math.log(MEMORY))) if forecast_wind else None

    @property
    def seconds(self) -> float:
        """In a step."""
        return 3600 * self.setup.step

    def forward(self, batch: AirBatch, samples: int | None = None) -> Prediction:
        """Forecasts from `samples` draws of the state (by default as many as the sizes say), 0 for its mean alone."""
        encoded = self.encoder(batch.history)
        count = self.sizes.samples if samples is None else samples
        drawn = encoded.sample(count) if count else encoded.mean[None]
        state = batch.now[..., None] + drawn
        outlook = self._outlook(batch, encoded, state)
        wind = self._wind(batch, outlook)
        rates = self.rates(wind, self._source(wind, outlook))
        right = RightSide(self.physics.graph, rates, self.sizes.every)
        fastest = rates.fastest(self.physics.graph.receiver)
        states = self.solver(right, state.mean(-1, keepdim=True), self.sizes.horizon, fastest, rates.leaves())
        concentration = self.setup.scale * states[..., 0].movedim(0, 2)
        return Prediction(concentration, encoded, wind, rates)

    def _outlook(self, batch: AirBatch, encoded: Encoded, state: Tensor) -> Outlook | None:
        if self.fusion is None:
            return None
        # tried: the mean over all stations as well, the limit of diffusion; 24 h no better on Beijing
        features = torch.cat([encoded.summary.expand(len(state), -1, -1, -1), state], dim=-1)
        clock = batch.clock[:, :: self.sizes.every]
        return self.fusion(features, clock, self.physics.supports(batch.wind_now))

    def _wind(self, batch: AirBatch, outlook: Outlook | None) -> Float[Tensor, "batch knots n 2"]:
        if self.memory is None or outlook is None:
            return batch.wind[:, :: self.sizes.every] if self.sizes.known_wind else self._persistent(batch)
        hours = self.setup.step * self.sizes.every * torch.arange(self.sizes.knots, device=self.memory.device)
        fading = (-hours / self.memory.exp()).exp()[:, None, None]
        return batch.wind_now[:, None] * fading + WIND_SCALE * outlook.wind

    def _persistent(self, batch: AirBatch) -> Float[Tensor, "batch knots n 2"]:
        return batch.wind_now[:, None].expand(-1, self.sizes.knots, -1, -1)

    def rates(
        self,
        wind: Float[Tensor, "batch knots n 2"],
        source: Float[Tensor, "samples batch knots n 1"] | None = None,
    ) -> Rates:
        """Of the equation's terms in a wind, m/s, per step of the series, with a source per step."""
        moved, deposition = self.physics.transport(wind), self.physics.deposition
        return Rates(
            self.seconds * moved.gain,
            self.seconds * moved.loss,
            source,
            None if deposition is None else self.seconds * deposition,
            self.physics.unmixing,
        )

    def _source(self, wind: Tensor, outlook: Outlook | None) -> Float[Tensor, "samples batch knots n 1"] | None:
        if self.physics.emission is None:
            return None
        source = self.physics.emission[:, None].expand(1, *wind.shape[:-1], 1)
        if outlook is not None and self.physics.terms.source == "varying":
            source = source + outlook.source.mean(-1, keepdim=True)
        return self.seconds / DAY * source


def _check_places(setup: AirSetup) -> None:
    space, _ = split_time(setup.problem.domain)
    got = np.array(getattr(space, "places", ()))
    expected = np.stack([setup.stations.longitude, setup.stations.latitude], axis=1)
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=0, atol=1e-5):
        raise SpecificationError(
            f"problem: its domain has {len(got)} places, which are not those of the {len(expected)} stations of the"
            " series; give the problem the stations with `at_stations`"
        )
