"""Mesh graph transformers (2508.18051): masked attention over the nodes of a mesh, data sets, rollouts."""

from ._attention import attention_kernels as attention_kernels
from ._attention import masked_attention as masked_attention
from ._mask import AttentionMask as AttentionMask
from ._plain_attention import plain_attention as plain_attention
