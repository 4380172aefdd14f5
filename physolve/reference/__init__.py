"""Reference solutions of linear scalar problems by finite elements."""

from ._meshing import mesh_shape as mesh_shape
from ._solve_fem import FEMSolution as FEMSolution
from ._solve_fem import Level as Level
from ._solve_fem import solve_fem as solve_fem
