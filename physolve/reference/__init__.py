"""References: finite elements for linear scalar problems, Fourier series in time, Cole-Hopf; plane flows in `flow`."""

from ._cole_hopf import ColeHopf as ColeHopf
from ._cole_hopf import cole_hopf as cole_hopf
from ._meshing import mesh_shape as mesh_shape
from ._solve_fem import FEMSolution as FEMSolution
from ._solve_fem import MeshLevel as MeshLevel
from ._solve_fem import solve_fem as solve_fem
from ._spectral import SpectralLevel as SpectralLevel
from ._spectral import SpectralSolution as SpectralSolution
from ._spectral import solve_spectral as solve_spectral
