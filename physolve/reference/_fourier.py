"""Truncated Fourier series on a periodic box: derivatives, products without aliasing, values anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import numpy as np
from jaxtyping import Complex, Float
from numpy import ndarray
from scipy import fft

from .._typing import PointArray

FINEST = (4096, 512, 96)
"""Points per axis at which initial data are sampled, by dimension: what they hold beyond the kept modes is seen."""


@dataclass(frozen=True, eq=False)
class Fourier:
    """u(x) = sum over |k_j| <= modes of c_k exp(2 pi i k . (x - lower) / lengths), real.

    Kept are the coefficients with k_d >= 0 along the last axis, the others being their conjugates: arrays of shape
    (..., 2 modes + 1, ..., 2 modes + 1, modes + 1), wave numbers in the order of the transform.
    """

    lower: Float[ndarray, " dim"]
    lengths: Float[ndarray, " dim"]
    modes: int

    @property
    def dim(self) -> int:
        return len(self.lengths)

    @cached_property
    def numbers(self) -> tuple[ndarray, ...]:
        """The wave numbers k along every axis."""
        last = np.arange(self.modes + 1)
        return (*repeat(np.concatenate([last, last[1:] - self.modes - 1]), self.dim - 1), last)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the kept coefficients."""
        return tuple(map(len, self.numbers))

    @cached_property
    def size(self) -> int:
        """Points per axis of the grid: with 3 modes + 1 of them products of two series do not alias into kept modes
        (Orszag's rule of two thirds)."""
        return int(fft.next_fast_len(3 * self.modes + 1, real=True))

    def grid(self, size: int | None = None) -> list[ndarray]:
        """Coordinates of the grid's points, one array of shape (size, ...) per axis."""
        steps = np.arange(size or self.size) / (size or self.size)
        axes = [low + length * steps for low, length in zip(self.lower, self.lengths, strict=True)]
        return list(np.meshgrid(*axes, indexing="ij"))

    def symbol(self, orders: Sequence[int]) -> Complex[ndarray, "*kept"]:
        """(i k)^orders: what differentiates a mode."""
        factor = np.ones(self.shape, dtype=complex)
        for axis, order in enumerate(orders):
            if order:
                factor = factor * self._along(axis, (2j * np.pi / self.lengths[axis] * self.numbers[axis]) ** order)
        return factor

    def values(self, coefficients: Complex[ndarray, "m *kept"]) -> Float[ndarray, "m *grid"]:
        """On the grid."""
        lead = coefficients.shape[: -self.dim]
        half = (*repeat(self.size, self.dim - 1), self.size // 2 + 1)
        padded = np.zeros((*lead, *half), dtype=complex)
        padded[self._kept] = coefficients
        return fft.irfftn(padded, (self.size,) * self.dim, axes=self._axes, norm="forward")

    def coefficients(self, values: Float[ndarray, "m *grid"]) -> Complex[ndarray, "m *kept"]:
        """Of values on a grid, this one or a finer one."""
        return fft.rfftn(values, axes=self._axes, norm="forward")[self._kept]

    def beyond(self, values: Float[ndarray, "components *grid"]) -> float:
        """Root mean square of what the series leaves out of values on a grid, the largest of the components."""
        spectrum = fft.rfftn(values, axes=self._axes, norm="forward")
        spectrum[self._kept] = 0
        rest = fft.irfftn(spectrum, values.shape[1:], axes=self._axes, norm="forward")
        return float(np.sqrt((rest**2).mean(axis=self._axes)).max())

    def at(
        self, coefficients: Complex[ndarray, "components *kept"], points: PointArray
    ) -> Float[ndarray, "n components"]:
        """Values of series (components, *shape) at points (n, dim)."""
        angles = 2 * np.pi * (points - self.lower) / self.lengths
        waves = [np.exp(1j * k[:, None] * angle) for k, angle in zip(self.numbers, angles.T, strict=True)]
        total = (coefficients * self._pairs) @ waves[-1]
        for wave in reversed(waves[:-1]):
            total = np.einsum("...kn,kn->...n", total, wave)
        return total.real.T

    def size_of(self, coefficients: Complex[ndarray, "components *kept"]) -> Float[ndarray, " components"]:
        """Root mean square over the box."""
        return np.sqrt((self._pairs * np.abs(coefficients) ** 2).sum(axis=self._axes))

    def beyond_share(self, share: float) -> ndarray:
        """1 at the modes with |k_j| > share * modes along any axis, else 0, of the kept shape."""
        beyond = [self._along(axis, np.abs(k) > share * self.modes) for axis, k in enumerate(self.numbers)]
        return np.logical_or.reduce(np.broadcast_arrays(*beyond)).astype(float)

    @cached_property
    def _pairs(self) -> ndarray:
        """How many modes a kept coefficient stands for."""
        return self._along(self.dim - 1, np.where(self.numbers[-1] > 0, 2.0, 1.0))

    @cached_property
    def _kept(self) -> tuple:
        """Where the kept coefficients stand in a transform: k < 0 counts from the end."""
        return (..., *np.ix_(*self.numbers))

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-self.dim, 0))

    def _along(self, axis: int, values: ndarray) -> ndarray:
        """A vector along one axis, to be broadcast over the others."""
        return values.reshape([-1 if a == axis else 1 for a in range(self.dim)])
