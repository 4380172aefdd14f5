"""The ladder of solvers, error estimates and solutions."""

from ._adam import AdamLBFGS as AdamLBFGS
from ._adam import AdamSchedule as AdamSchedule
from ._bound import Bound as Bound
from ._gauss_newton import GaussNewton as GaussNewton
from ._ladder import LeastSquares as LeastSquares
from ._loss_balancing import CausalWeights as CausalWeights
from ._loss_balancing import FixedBalancing as FixedBalancing
from ._loss_balancing import GradientNormBalancing as GradientNormBalancing
from ._loss_balancing import LossBalancing as LossBalancing
from ._loss_balancing import RelativeLossBalancing as RelativeLossBalancing
from ._newton import Newton as Newton
from ._outcome import Cost as Cost
from ._outcome import Estimate as Estimate
from ._outcome import History as History
from ._outcome import Outcome as Outcome
from ._outcome import Progress as Progress
from ._outcome import Step as Step
from ._solution import BoundaryField as BoundaryField
from ._solution import GridField as GridField
from ._solution import Solution as Solution
from ._solve import Method as Method
from ._solve import solve as solve
from ._source import FunctionSource as FunctionSource
from ._variable_projection import VariableProjection as VariableProjection
