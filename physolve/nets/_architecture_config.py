"""An architecture as plain data, for saving."""

from collections.abc import Mapping
from typing import Any

from physolve.jets import Architecture, activation_of_name

TUPLES = ("sizes", "bands", "center", "slope")


def architecture_config(architecture: Architecture) -> dict[str, Any]:
    """JSON-able; `architecture_of` is the inverse."""
    lists = {name: list(getattr(architecture, name)) for name in TUPLES}
    return {**lists, "activation": architecture.activation.name, "gated": architecture.gated}


def architecture_of(config: Mapping[str, Any]) -> Architecture:
    """The architecture whose `architecture_config` this is."""
    tuples = {name: tuple(config[name]) for name in TUPLES}
    return Architecture(**tuples, activation=activation_of_name(config["activation"]), gated=config["gated"])
