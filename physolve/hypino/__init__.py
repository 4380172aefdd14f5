"""HyPINO: a Swin hypernetwork that writes the solution of a linear second-order problem (2509.05117)."""

from ._affine import Affine as Affine
from ._batch import Boundary as Boundary
from ._batch import Labels as Labels
from ._batch import ProblemBatch as ProblemBatch
from ._class import why_not as why_not
from ._lower import Lowered as Lowered
from ._lower import lower as lower
from ._lower import lower_many as lower_many
from ._lower import lower_sweep as lower_sweep
from ._lower import own_head as own_head
from ._lower import stack as stack
from ._nearby import Nearby as Nearby
from ._nearby import frozen as frozen
from ._raster import draw as draw
from ._raster import grid_nodes as grid_nodes
from ._raster_problem import read_raster_problem as read_raster_problem
from ._target import target_network as target_network
