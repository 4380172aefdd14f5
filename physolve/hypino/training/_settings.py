"""Everything that decides a training run, and the TOML file it is written in."""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from physolve.errors import ProblemFileError, SpecificationError

from .._sizes import SMALL, HypernetworkSizes
from ..sampler import SamplerSettings
from ._losses import LossWeights

T = TypeVar("T")


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast: `steps` if given, else `hours` of wall clock, decide the length.

    batch           samples a step and process
    learning_rate   of AdamW after `warmup` steps; falls as a cosine to `final_rate` of itself
    clip            largest norm of the gradient; steps whose norm is above `outlier` times the usual one are left out
    average         decay of the exponential moving average of the weights, which is what is validated and shipped
    epoch           steps between checkpoints; `validate_every` epochs between validations on `validation` samples
    bf16            run the hypernetwork in bfloat16: 1.57 times as fast on a CPU with AVX512-BF16, gradients within 1 %
    start           weights to start from, a file of `save_weights`; random ones by default
    """

    steps: int | None = None
    hours: float = 2.0
    batch: int = 32
    learning_rate: float = 5e-4
    final_rate: float = 0.01
    warmup: int = 200
    weight_decay: float = 0.01
    clip: float = 1.0
    outlier: float = 10.0
    average: float = 0.999
    epoch: int = 50
    validate_every: int = 8
    validation: int = 256
    seed: int = 0
    bf16: bool = False
    start: str | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "hours", "batch", "learning_rate", "clip", "epoch", "validate_every", "validation"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise SpecificationError(f"training: got {name}={value}, expected a positive number")
        if not 0 <= self.average < 1:
            raise SpecificationError(f"training: got average={self.average}, expected a decay in [0, 1)")


@dataclass(frozen=True)
class Configuration:
    """A whole run: sizes of the hypernetwork, what it is shown, how it is judged and how it is trained."""

    training: TrainingSettings = field(default_factory=TrainingSettings)
    hypernetwork: HypernetworkSizes = SMALL
    sampler: SamplerSettings = field(default_factory=SamplerSettings)
    loss: LossWeights = field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        if self.sampler.grid != self.hypernetwork.grid:
            raise SpecificationError(
                f"configuration: got sampler.grid={self.sampler.grid} and hypernetwork.grid={self.hypernetwork.grid},"
                " expected one grid"
            )


def read_configuration(path: str | Path) -> Configuration:
    """Read a TOML file with the tables [training], [hypernetwork], [sampler] and [loss]; what is absent is the default.

    Raises ProblemFileError for a file that cannot be read, an unknown entry or a value of the wrong kind, naming it.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProblemFileError(f"{path}: cannot be read as TOML: {error}") from None
    try:
        return changed(Configuration(), table, "")
    except SpecificationError as error:
        raise ProblemFileError(f"{path}: {error}") from None


def changed(base: T, table: dict[str, Any], where: str) -> T:
    """A copy of a dataclass with the entries of a table; nested dataclasses are changed by nested tables."""
    hints = get_type_hints(type(base))
    values = {}
    for name, given in table.items():
        if name not in hints:
            raise SpecificationError(f"{where or 'the file'}: got the entry '{name}', expected one of {sorted(hints)}")
        item = f"{where}.{name}" if where else name
        current = getattr(base, name)
        if dataclasses.is_dataclass(current) and not isinstance(current, type):
            if not isinstance(given, dict):
                raise SpecificationError(f"{item}: got {given!r}, expected a table")
            values[name] = changed(current, given, item)
        else:
            values[name] = _value(hints[name], given, item)
    return dataclasses.replace(base, **values)  # type: ignore[type-var]


def _value(hint: Any, given: Any, item: str) -> Any:
    """A number, word, truth value or list of the kind that the field's type names."""
    kinds = tuple(get_origin(k) or k for k in (get_args(hint) if isinstance(hint, UnionType) else (hint,)))
    if tuple in kinds and isinstance(given, list):
        return tuple(given)
    if float in kinds and type(given) is int:
        return float(given)
    if type(given) not in kinds:
        names = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
        raise SpecificationError(f"{item}: got {given!r}, expected {names}")
    return given
