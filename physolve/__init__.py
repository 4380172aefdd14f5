"""physolve: state a PDE, get a solution to a tolerance, with an honest error estimate.

    import physolve as ps

A `Problem` (equations, domain, conditions) says what; `solve` returns a `Solution` that can be evaluated,
differentiated, judged, saved and drawn. Meshes, finite elements and pictures are imported only where used.
"""

from importlib.metadata import version as _version

from .errors import NumericalError as NumericalError
from .errors import PhysolveError as PhysolveError
from .errors import ProblemFileError as ProblemFileError
from .errors import SpecificationError as SpecificationError
from .errors import UnsupportedError as UnsupportedError
from .errors import WellPosednessWarning as WellPosednessWarning
from .lagrangian import Lagrangian as Lagrangian
from .solve import BoundaryField as BoundaryField
from .solve import Cost as Cost
from .solve import Estimate as Estimate
from .solve import GridField as GridField
from .solve import History as History
from .solve import LeastSquares as LeastSquares
from .solve import Marching as Marching
from .solve import Method as Method
from .solve import Newton as Newton
from .solve import Outcome as Outcome
from .solve import Progress as Progress
from .solve import Shooting as Shooting
from .solve import Solution as Solution
from .solve import Step as Step
from .solve._adam import AdamLBFGS as AdamLBFGS
from .solve._adam import AdamSchedule as AdamSchedule
from .solve._gauss_newton import GaussNewton as GaussNewton
from .solve._saving import read_solution as load_solution  # noqa: F401
from .solve._variable_projection import VariableProjection as VariableProjection
from .spec import Ball as Ball
from .spec import BoundaryEquation as BoundaryEquation
from .spec import Box as Box
from .spec import Classification as Classification
from .spec import Condition as Condition
from .spec import Cylinder as Cylinder
from .spec import Dirichlet as Dirichlet
from .spec import Disk as Disk
from .spec import Ellipse as Ellipse
from .spec import Eq as Eq
from .spec import GridData as GridData
from .spec import Initial as Initial
from .spec import Interface as Interface
from .spec import Interval as Interval
from .spec import MeanValue as MeanValue
from .spec import MeshDomain as MeshDomain
from .spec import Neumann as Neumann
from .spec import Observations as Observations
from .spec import Parameter as Parameter
from .spec import Periodic as Periodic
from .spec import PointValue as PointValue
from .spec import Polygon as Polygon
from .spec import Problem as Problem
from .spec import Program as Program
from .spec import Rectangle as Rectangle
from .spec import Robin as Robin
from .spec import Shape as Shape
from .spec import SpaceTime as SpaceTime
from .spec import TimeInterval as TimeInterval
from .spec import Triangle as Triangle
from .spec import Unbounded as Unbounded
from .spec import biharmonic as biharmonic
from .spec import coordinates as coordinates
from .spec import curl as curl
from .spec import d as d
from .spec import div as div
from .spec import dot as dot
from .spec import dt as dt
from .spec import dumps_problem as dumps_problem
from .spec import grad as grad
from .spec import laplacian as laplacian
from .spec import loads_problem as loads_problem
from .spec import normal as normal
from .spec import parameter as parameter
from .spec import parse_expression as parse_expression
from .spec import parse_shape as parse_shape
from .spec import print_expression as print_expression
from .spec import print_shape as print_shape
from .spec import read_problem as read_problem
from .spec import unknown as unknown
from .spec import write_problem as write_problem

# isort: split
# Last, so that the name stands for the function and not for the room.
from ._solve import solve as solve

__version__ = _version("physolve")
