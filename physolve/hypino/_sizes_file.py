"""Sizes of a hypernetwork as JSON-able data, for the header of a file of weights."""

from dataclasses import asdict
from os import PathLike
from typing import Any

from physolve.errors import ProblemFileError
from physolve.jets import Architecture, activation_of_name

from ._sizes import HeadSizes, HypernetworkSizes, SwinSizes


def sizes_to_data(sizes: HypernetworkSizes) -> dict[str, Any]:
    """Nested dicts; the activation by its name."""
    data = asdict(sizes)
    data["target"]["activation"] = sizes.target.activation.name
    return data


def sizes_from_data(path: str | PathLike[str], data: Any) -> HypernetworkSizes:
    """What `sizes_to_data` was given. Raises ProblemFileError, which names the file, for anything else."""
    try:
        activation: Any = activation_of_name(data["target"]["activation"])
        parts = {
            "target": Architecture(**_arguments(data["target"]) | {"activation": activation}),
            "swin": SwinSizes(**_arguments(data["swin"])),
            "weight_heads": HeadSizes(**_arguments(data["weight_heads"])),
            "bias_heads": HeadSizes(**_arguments(data["bias_heads"])),
        }
        return HypernetworkSizes(**_arguments(data) | parts)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProblemFileError(
            f"{path}: sizes: not those of a hypernetwork ({type(error).__name__}: {error}); "
            "read the file with the physolve that wrote it"
        ) from error


def _arguments(data: dict[str, Any]) -> dict[str, Any]:
    """Lists as the tuples they were."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
