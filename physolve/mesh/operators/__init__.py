"""Derivatives of fields at the nodes of a mesh, for physics losses and for judging rollouts."""

from ._finite_volume import dual_volumes as dual_volumes
from ._finite_volume import finite_volume_gradient as finite_volume_gradient
from ._least_squares import least_squares_gradient as least_squares_gradient
from ._least_squares import least_squares_laplacian as least_squares_laplacian
from ._navier_stokes import NavierStokesResidual as NavierStokesResidual
from ._stencil import NodeGradient as NodeGradient
from ._stencil import NodeLaplacian as NodeLaplacian
from ._stencil import Stencil as Stencil
