"""PyTorch Geometric's container, imported where the first graph is made."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch_geometric.data import Data


def new_data(**entries: Any) -> Data:
    """`Data` with these entries."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")  # PyG 2.6 under torch 2.14
        from torch_geometric.data import Data

    return Data(**entries)
