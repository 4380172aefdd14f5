"""Mesh graph transformers (2508.18051): masked attention over the nodes of a mesh, data sets, rollouts."""

from ._attention import attention_kernels as attention_kernels
from ._attention import masked_attention as masked_attention
from ._augmentations import Augmentation as Augmentation
from ._augmentations import DilatedWindow as DilatedWindow
from ._augmentations import GlobalNodes as GlobalNodes
from ._augmentations import KHop as KHop
from ._augmentations import RandomEdges as RandomEdges
from ._augmentations import attention_mask as attention_mask
from ._cells import mesh_edges as mesh_edges
from ._graph import mesh_graph as mesh_graph
from ._hilbert import hilbert_order as hilbert_order
from ._mask import AttentionMask as AttentionMask
from ._mesh_graph_net import MeshGraphNet as MeshGraphNet
from ._node_types import PREDICTED as PREDICTED
from ._node_types import NodeType as NodeType
from ._node_types import one_hot as one_hot
from ._plain_attention import plain_attention as plain_attention
from ._sizes import LARGE as LARGE
from ._sizes import MEDIUM as MEDIUM
from ._sizes import SMALL as SMALL
from ._sizes import TransformerSizes as TransformerSizes
from ._transformer import MeshTransformer as MeshTransformer
