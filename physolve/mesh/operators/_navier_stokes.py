"""What a predicted step leaves of the incompressible Navier-Stokes equations at the nodes."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from physolve.errors import SpecificationError

from ._stencil import NodeGradient, NodeLaplacian


@dataclass(frozen=True, eq=False)
class NavierStokesResidual:
    """(v' - v) / dt + (w . grad) w + grad p - nu lap w, w = (v + v') / 2: errors O(dt^2) and those of the operators.

    gradient      at nodes
    laplacian     at nodes
    viscosity     nu, kinematic; the pressure is divided by the density. Raises SpecificationError where it is negative.
    """

    gradient: NodeGradient
    laplacian: NodeLaplacian
    viscosity: float

    def __post_init__(self) -> None:
        if not self.viscosity >= 0:
            raise SpecificationError(f"Navier-Stokes residual: got the viscosity {self.viscosity}, expected at least 0")

    def momentum(
        self, before: Float[Tensor, "n dim"], after: Float[Tensor, "n dim"], pressure: Float[Tensor, " n"], dt: float
    ) -> Float[Tensor, "n dim"]:
        """Of a step of length `dt`, with the pressure at its middle; zero for an exact one but for errors as above.

        The rows of nodes on the boundary are one-sided, and no loss should count those where values are prescribed.
        Raises SpecificationError for a step that is not positive and for fields of another size.
        """
        if not dt > 0:
            raise SpecificationError(f"Navier-Stokes residual: got the step {dt}, expected a positive number")
        w = (before + after) / 2
        carried = (self.gradient(w) @ w[..., None])[..., 0]
        return (after - before) / dt + carried + self.gradient(pressure) - self.viscosity * self.laplacian(w)

    def continuity(self, velocity: Float[Tensor, "n dim"]) -> Float[Tensor, " n"]:
        """div v; raises SpecificationError for a field of another size."""
        return self.gradient.divergence(velocity)
