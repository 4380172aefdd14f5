"""Shape aliases used across the rooms: one place for the letters."""

from typing import TypeAlias

from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

Points: TypeAlias = Float[Tensor, "n dim"]
Column: TypeAlias = Float[Tensor, " n"]
PointArray: TypeAlias = Float[ndarray, "n dim"]
ColumnArray: TypeAlias = Float[ndarray, " n"]
MaskArray: TypeAlias = Bool[ndarray, " n"]
