"""How a picture looks, where the defaults are not what one wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import SpecificationError


@dataclass(frozen=True)
class Style:
    """Choices of looks.

    - `vectors`: how the direction of a vector unknown is drawn over its magnitude.
    - `solid`: a three-dimensional domain is drawn with the near upper quarter cut out ("cutaway"), as three
      orthogonal slices, or as its whole surface.
    - `frames`, `fps`: number of pictures of an animation and how many are shown per second.
    - `dpi`: pixels per inch; a single picture is about 6 inches wide.

    Raises:
        SpecificationError: a value that is not one of those.
    """

    vectors: Literal["arrows", "streamlines", "none"] = "arrows"
    solid: Literal["cutaway", "slices", "surface"] = "cutaway"
    frames: int = 40
    fps: int = 10
    dpi: int = 150

    def __post_init__(self) -> None:
        one_of("vectors", self.vectors, ("arrows", "streamlines", "none"))
        one_of("solid", self.solid, ("cutaway", "slices", "surface"))
        for name in ("frames", "fps", "dpi"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise SpecificationError(f"style: {name} must be a positive integer, got {value!r}")


def one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """`value` is one of the words allowed for `name`."""
    if value not in allowed:
        raise SpecificationError(f"plot: {name} {value!r} is unknown; use one of {', '.join(allowed)}")
