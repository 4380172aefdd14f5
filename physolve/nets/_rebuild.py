"""Fields and bases from what they saved: the inverse of `config` and `tensors`."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from physolve._typing import Points
from physolve.errors import ProblemFileError

from ._basis import Basis
from ._chebyshev import Chebyshev
from ._complex_powers import ComplexPowers
from ._composite import Concatenated
from ._diffusion_layers import DiffusionLayers, Front
from ._field import Expansion, Field, Frozen, TimeSlabs, ZeroField
from ._generated import GeneratedBasis
from ._pinn import PINN
from ._polynomials import Polynomials
from ._products import Products
from ._regional import Regional
from ._similarity_features import SimilarityFeatures
from ._stretched import Stretch, Stretched
from ._tanh_features import TanhFeatures
from ._windows import WindowedFeatures

Region = Callable[[Points], Int[Tensor, " n"]]


def rebuild_basis(config: Mapping[str, Any], tensors: Mapping[str, Tensor], region: Region | None) -> Basis:
    """The basis whose `config()` and `tensors()` these are."""
    match config["kind"]:
        case "tanh":
            return TanhFeatures(**tensors)
        case "windows":
            return WindowedFeatures(**tensors)
        case "powers":
            x, y = config["center"]
            return ComplexPowers((x, y), config["cut"], config["radius"], tensors["exponents"], config["real_only"])
        case "polynomials":
            return Polynomials(tuple(config["lower"]), tuple(config["upper"]), config["degree"])
        case "chebyshev":
            return Chebyshev(config["lower"], config["upper"], config["degree"])
        case "diffusion layers":
            return DiffusionLayers(Front(**config["front"]), config["count"])
        case "similarity features":
            return SimilarityFeatures(Front(**config["front"]), **tensors)
        case "products":
            left, right = (rebuild_basis(config[s], _under(tensors, f"{s}."), region) for s in ("left", "right"))
            return Products(left, tuple(config["left_axes"]), right, tuple(config["right_axes"]))
        case "generated":
            return GeneratedBasis.rebuild(config, tensors)
        case "concatenated":
            return Concatenated(_parts(config, tensors, region))
        case "stretched":
            stretch = Stretch(**config["stretch"], first=tensors["first"], last=tensors["last"])
            return Stretched(rebuild_basis(config["inner"], _under(tensors, "inner."), region), stretch)
        case "regional":
            if region is None:
                raise ProblemFileError("saved field: its basis is split by interfaces, which its problem does not have")
            return Regional(_parts(config, tensors, region), region)
        case kind:
            raise ProblemFileError(f"saved field: basis of kind {kind!r} is not known to this version of physolve")


def _parts(config: Mapping[str, Any], tensors: Mapping[str, Tensor], region: Region | None) -> tuple[Basis, ...]:
    return tuple(rebuild_basis(part, _under(tensors, f"{i}."), region) for i, part in enumerate(config["parts"]))


def rebuild_field(config: Mapping[str, Any], tensors: Mapping[str, Tensor], region: Region | None = None) -> Field:
    """The field whose `config()` and `tensors()` these are; `region` where its basis is split by interfaces.

    Raises: ProblemFileError where the kind is unknown.
    """
    match config["kind"]:
        case "expansion":
            basis = rebuild_basis(config["basis"], _under(tensors, "basis."), region)
            return Expansion(basis, tensors["coefficients"].to(torch.float64))
        case "zero":
            return ZeroField(config["components"])
        case "pinn":
            return PINN.rebuild(config, tensors)
        case "frozen":
            return Frozen(rebuild_field(config["field"], tensors, region), config["time"])
        case "slabs":
            fields = [rebuild_field(f, _under(tensors, f"{k}."), region) for k, f in enumerate(config["fields"])]
            return TimeSlabs(tuple(config["breaks"]), tuple(fields))
        case kind:
            raise ProblemFileError(f"saved field: kind {kind!r} is not known to this version of physolve")


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
