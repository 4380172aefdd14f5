"""Data sets of simulations on meshes: read from what people have, kept in one layout."""

from ._convert import Conversion as Conversion
from ._convert import convert as convert
from ._fields import Fields as Fields
from ._layout import SPLITS as SPLITS
from ._layout import Split as Split
from ._parts import nodes_on_part as nodes_on_part
from ._parts import with_parts_of as with_parts_of
from ._rules import NodeRules as NodeRules
from ._rules import read_rules as read_rules
from ._rules import types_by_rules as types_by_rules
from ._series import Series as Series
from ._source import read_source as read_source
from ._splits import random_split as random_split
from ._splits import refuse_leakage as refuse_leakage
from ._store import MeshStore as MeshStore
from ._store import StoredMesh as StoredMesh
from ._writer import writing as writing
