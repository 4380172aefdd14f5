"""Reading and writing: one module per format, each with `read` and `write` of a `MeshField`; and tensors."""

from . import csv as csv
from . import h5 as h5
from . import npz as npz
from . import pvd as pvd
from . import vtu as vtu
from . import xdmf as xdmf
from . import xdmf_series as xdmf_series
from ._domain_mesh import domain_mesh as domain_mesh
from ._files import reading as reading
from ._files import replacing as replacing
from ._formats import SUFFIXES as SUFFIXES
from ._formats import read_mesh_field as read_mesh_field
from ._formats import save_mesh_field as save_mesh_field
from ._mesh_field import NODES_PER_CELL as NODES_PER_CELL
from ._mesh_field import PLANAR_CELLS as PLANAR_CELLS
from ._mesh_field import MeshField as MeshField
from ._mesh_field import mesh_field as mesh_field
from ._meshio import joined_blocks as joined_blocks
from ._series import SERIES_SUFFIXES as SERIES_SUFFIXES
from ._series import SeriesWriter as SeriesWriter
from ._series import writing_series as writing_series
from .tensors import read_plain_tensors as read_plain_tensors
from .tensors import read_tensors as read_tensors
from .tensors import write_tensors as write_tensors
