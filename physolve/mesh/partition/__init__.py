"""Meshes that do not fit: parts by METIS, of which a simulator sees one at a time."""

from ._by_parts import transformed_by_parts as transformed_by_parts
from ._labels import metis_labels as metis_labels
from ._part import MeshPart as MeshPart
from ._part import Partition as Partition
from ._part import attention_partition as attention_partition
from ._part import rows_that_see_all as rows_that_see_all
from ._partitioned import partitioned as partitioned
from ._submesh import Submesh as Submesh
from ._submesh import submesh_graph as submesh_graph
from ._submesh import submeshes as submeshes
