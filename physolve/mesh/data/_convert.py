"""From simulations in any of the known formats to one data set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physolve.errors import ProblemFileError
from physolve.spec import Shape

from ._fields import Fields
from ._loose_nodes import tell_coincident, without_loose
from ._parts import with_parts_of
from ._rules import NodeRules, checked_types, types_by_rules
from ._series import Series
from ._source import read_source
from ._splits import random_split, refuse_leakage
from ._writer import writing

LISTS = (".xdmf", ".pvd")
"""Files that say which others hold the numbers."""


@dataclass(frozen=True)
class Conversion:
    """What is kept and how.

    fields       which arrays; empty: all
    rules        of node types; None: those of the source
    type_field   an array of the source that holds node types, at its first step
    domain       shape whose boundary parts the rules may name
    dt           between steps where the source does not say it; 1 without
    split        fractions of trajectories for training, validation and test
    seed         of the split
    """

    fields: Fields = field(default_factory=lambda: Fields({}))
    rules: NodeRules | None = None
    type_field: str | None = None
    domain: Shape | None = None
    dt: float | None = None
    split: tuple[float, float, float] = (1.0, 0.0, 0.0)
    seed: int = 0


def convert(
    sources: Sequence[str | PathLike[str]],
    target: str | PathLike[str],
    conversion: Conversion | None = None,
    *,
    progress: Callable[[str], None] = lambda name: None,
) -> None:
    """Read `sources` and write the data set `target`, whole or not at all; `progress` is told each trajectory's name.

    Raises ProblemFileError for what cannot be read, what does not fit together (see docs/bring_your_own_data.md) and a
    target that is, or belongs to, a source; SpecificationError for a split that is impossible or leaks.
    """
    how = conversion or Conversion()
    for source in sources:
        _refuse_own(Path(source), Path(target))
    with writing(target) as writer:
        for source in sources:
            for series in read_source(source, how.dt):
                progress(series.name)
                joined = without_loose(series)
                tell_coincident(joined)
                writer.add(joined, _types(joined, how), _without_types(joined, how))
        prints = writer.prints()
        splits = random_split(list(prints), how.split, how.seed)
        refuse_leakage(splits, prints)
        writer.assign(splits)


def _refuse_own(source: Path, target: Path) -> None:
    """The target is no source, does not lie in one, and no source, a list of files, names it."""
    here, there = target.resolve(), source.resolve()
    named = source.suffix in LISTS and here.parent == there.parent and source.is_file()
    if here == there or there in here.parents or (named and target.name.encode() in source.read_bytes()):
        raise ProblemFileError(f"{target}: file: belongs to the source '{source}'; write the data set elsewhere")


def _types(series: Series, how: Conversion) -> NDArray[np.integer]:
    if how.type_field is not None:
        frame = series.frame(0)
        if how.type_field not in frame:
            has = ", ".join(sorted(frame))
            raise ProblemFileError(f"{series.origin}: no field '{how.type_field}' with node types; it has {has}")
        return checked_types(series, frame[how.type_field])
    if how.rules is not None:
        return types_by_rules(with_parts_of(series, how.domain) if how.domain else series, how.rules)
    if series.node_type is None:
        raise ProblemFileError(
            f"{series.origin}: node types: the source has none; give rules (--node-types FILE) or the field that holds"
            " them (--type-field NAME)"
        )
    return checked_types(series, series.node_type)


def _without_types(series: Series, how: Conversion) -> Fields:
    """All fields, but for the one with the types."""
    if how.fields.sources or how.type_field is None:
        return how.fields
    return Fields({name: (name,) for name in series.frame(0) if name != how.type_field})
