"""Checks of the settings of a run."""

from collections.abc import Iterable
from typing import Any

from physolve.errors import SpecificationError


def check(table: str, right: bool, got: str, expected: str) -> None:
    """Raises SpecificationError, naming the table of the configuration, unless `right`."""
    if not right:
        raise SpecificationError(f"{table}: got {got}, expected {expected}")


def check_settings(settings: Any, *, positive: Iterable[str] = (), from_zero: Iterable[str] = ()) -> None:
    """Check the numbers that the settings of every run have, and more of them by name.

    Raises SpecificationError for the first one out of its range.
    """
    for name in ("steps", "hours", "batch", "learning_rate", "clip", "epoch", "validate_every", *positive):
        value = getattr(settings, name)
        check("training", value is None or value > 0, f"{name}={value}", "a positive number")
    for name in ("final_rate", "warmup", "weight_decay", "seed", *from_zero):
        value = getattr(settings, name)
        check("training", value >= 0, f"{name}={value}", "a number from 0")
    check("training", 0 <= settings.average < 1, f"average={settings.average}", "a decay in [0, 1)")
