"""HyPINO: a Swin hypernetwork that writes the solution of a linear second-order problem (2509.05117)."""

from ._batch import Boundary as Boundary
from ._batch import Labels as Labels
from ._batch import ProblemBatch as ProblemBatch
from ._hypernetwork import Hypernetwork as Hypernetwork
from ._raster import draw as draw
from ._raster import grid_nodes as grid_nodes
from ._sizes import ORIGINAL as ORIGINAL
from ._sizes import SMALL as SMALL
from ._sizes import HeadSizes as HeadSizes
from ._sizes import HypernetworkSizes as HypernetworkSizes
from ._sizes import SwinSizes as SwinSizes
from ._target import target_network as target_network
from ._weights import load_pretrained as load_pretrained
from ._weights import load_weights as load_weights
from ._weights import save_weights as save_weights
from .sampler import SamplerSettings as SamplerSettings
from .sampler import sample as sample
from .sampler import validation_set as validation_set
