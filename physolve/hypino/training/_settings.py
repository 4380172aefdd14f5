"""Everything that decides a training run, and the TOML file it is written in."""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from physolve.errors import ProblemFileError, SpecificationError
from physolve.jets import Activation, activation_of_name

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
    start           weights to start from, a file of `save_weights`, seen from the working directory; else random ones
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
            _check(value is None or value > 0, f"{name}={value}", "a positive number")
        for name in ("final_rate", "warmup", "weight_decay", "seed"):
            _check(getattr(self, name) >= 0, f"{name}={getattr(self, name)}", "a number from 0")
        _check(self.outlier > 1, f"outlier={self.outlier}", "a number above 1")
        _check(0 <= self.average < 1, f"average={self.average}", "a decay in [0, 1)")


def _check(right: bool, got: str, expected: str) -> None:
    if not right:
        raise SpecificationError(f"training: got {got}, expected {expected}")


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
    except OSError as error:
        raise ProblemFileError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProblemFileError(f"{path}: not a TOML file: {error}") from None
    try:
        return changed(Configuration(), table, "")
    except ValueError as error:  # SpecificationError of the settings, ValueError of the target's architecture
        raise ProblemFileError(f"{path}: {error}") from None


def changed(base: T, table: dict[str, Any], where: str) -> T:
    """A copy of a dataclass with the entries of a table; nested dataclasses are changed by nested tables.

    It reads `as_data` of a whole configuration, too, as the record holds it.
    """
    hints = get_type_hints(type(base))
    values = {}
    for name, given in table.items():
        if name not in hints:
            raise SpecificationError(f"{where or 'the file'}: got the entry '{name}', expected one of {sorted(hints)}")
        item = f"{where}.{name}" if where else name
        current = getattr(base, name)
        if isinstance(current, Activation):
            values[name] = activation_of_name(given)
        elif not dataclasses.is_dataclass(current):
            values[name] = _value(hints[name], given, item)
        elif isinstance(given, dict):
            values[name] = changed(current, given, item)
        else:
            raise SpecificationError(f"{item}: got {given!r}, expected a table")
    return dataclasses.replace(base, **values)  # type: ignore[type-var]


def _value(hint: Any, given: Any, item: str) -> Any:
    """A number, word, truth value or list of the kind that the field's type names; lists become tuples."""
    for kind in get_args(hint) if isinstance(hint, UnionType) else (hint,):
        if get_origin(kind) is tuple and isinstance(given, list):
            return tuple(_value(get_args(kind)[0], each, f"{item}[{i}]") for i, each in enumerate(given))
        if kind is float and type(given) is int:
            return float(given)
        if type(given) is kind:
            return given
    raise SpecificationError(f"{item}: got {given!r}, expected {_words(hint)}")


def _words(hint: Any) -> str:
    """A type as a reader of the file knows it."""
    if isinstance(hint, UnionType):
        return " or ".join(_words(kind) for kind in get_args(hint) if kind is not NoneType)
    if get_origin(hint) is tuple:
        return f"a list, each {_words(get_args(hint)[0])}"
    return {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}.get(hint, str(hint))
