"""The right-hand side of an evolution equation for Fourier coefficients that turn with it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Complex, Float
from numpy import ndarray

from ._evolution import Evolution
from ._fourier import Fourier


@dataclass(frozen=True, eq=False)
class Turning:
    """dv/dt of the coefficients v = exp(-i phase (t - start)) c, in which constant convection and dispersion rest."""

    evolution: Evolution
    fourier: Fourier

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all coefficients: (components, *kept modes)."""
        return len(self.evolution.linear), *self.fourier.shape

    @property
    def growth(self) -> Float[ndarray, "components *kept"]:
        """Rates at which the linear terms with constant coefficients let the modes grow; negative for diffusion."""
        return self._rates[0]

    @property
    def phase(self) -> Float[ndarray, "components *kept"]:
        """Rates at which these terms turn the modes."""
        return self._rates[1]

    @cached_property
    def _rates(self) -> tuple[ndarray, ndarray]:
        terms = [[c * self.fourier.symbol(orders) for orders, c in linear.items()] for linear in self.evolution.linear]
        rates = np.stack([sum(each, np.zeros(self.fourier.shape, dtype=complex)) for each in terms])
        return np.real(rates), np.imag(rates)

    def turn(self, times: Float[ndarray, "*m"] | float) -> Complex[ndarray, "..."]:
        """exp(i phase (t - start)), of shape (*m, components, *kept), or (*m, 1, ...) where nothing turns."""
        elapsed = np.asarray(times - self.evolution.start)
        elapsed = elapsed.reshape(*elapsed.shape, *[1] * len(self.shape))
        return np.exp(1j * elapsed * self.phase) if self.phase.any() else np.ones_like(elapsed, dtype=complex)

    def __call__(self, t: float, state: Complex[ndarray, " size"]) -> Complex[ndarray, " size"]:
        v, turn = state.reshape(self.shape), self.turn(t)
        found = self.growth * v
        if self._driven:
            fields = self.fourier.values(self._symbols * (v * turn)[self._unknowns])
            found += self.fourier.coefficients(np.stack(self.evolution.rest(*self._grid, t, *fields))) / turn
        return found.ravel()

    @cached_property
    def bands(self) -> tuple[ndarray, ndarray]:
        """The last tenth of the modes and their upper half."""
        return self.fourier.beyond_share(0.9), self.fourier.beyond_share(0.5)

    @cached_property
    def _symbols(self) -> Complex[ndarray, "derivatives *kept"]:
        """What differentiates the modes, for every derivative in the rest."""
        symbols = [self.fourier.symbol(d.orders) for d in self.evolution.derivatives]
        return np.stack(symbols) if symbols else np.zeros((0, *self.fourier.shape), dtype=complex)

    @cached_property
    def _unknowns(self) -> list[int]:
        return [d.unknown for d in self.evolution.derivatives]

    @cached_property
    def _driven(self) -> bool:
        """Whether anything is left besides the linear terms."""
        return any(expression != 0 for expression in self.evolution.rest.expressions)

    @cached_property
    def _grid(self) -> list[ndarray]:
        return self.fourier.grid()
