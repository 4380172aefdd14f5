"""Everything that decides a training run, and the TOML file it is written in."""

from dataclasses import dataclass, field
from pathlib import Path

from physolve.errors import SpecificationError
from physolve.training import read_toml

from .._sizes import AirSizes
from .._solver import OdeSolver
from ._losses import LossWeights


@dataclass(frozen=True)
class DataSettings:
    """What is learned from.

    series    a file of `physolve air prepare`, seen from the working directory
    problem   a problem file, whose equation decides the physics; it is stated anew at the series' stations
    parts     of the series in time: training, validation, test
    """

    series: str = ""
    problem: str = ""
    parts: tuple[float, ...] = (7.0, 1.0, 2.0)


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast: `steps` if given, else `hours` of wall clock, decide the length; patience may end it.

    batch           windows a step
    learning_rate   of AdamW after `warmup` steps; falls as a cosine to `final_rate` of itself
    physics_rate    learning rate of the equation's coefficients over that of the networks
    clip            largest norm of the gradient
    average         decay of the exponential moving average of the weights, which is what is validated and shipped
    epoch           steps between validations; `patience` of them without a better one end the run
    validate_on     only every so manyth window of the validation part is judged
    """

    steps: int | None = 600
    hours: float = 0.6
    batch: int = 32
    learning_rate: float = 1e-3
    physics_rate: float = 5.0
    final_rate: float = 0.02
    warmup: int = 50
    weight_decay: float = 0.05
    clip: float = 1.0
    average: float = 0.98
    epoch: int = 50
    validate_every: int = 1
    validate_on: int = 4
    patience: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        positive = ("steps", "hours", "batch", "learning_rate", "physics_rate", "clip", "epoch", "validate_every")
        for name in (*positive, "validate_on", "patience"):
            value = getattr(self, name)
            _check(value is None or value > 0, f"{name}={value}", "a positive number")
        for name in ("final_rate", "warmup", "weight_decay", "seed"):
            _check(getattr(self, name) >= 0, f"{name}={getattr(self, name)}", "a number from 0")
        _check(0 <= self.average < 1, f"average={self.average}", "a decay in [0, 1)")


@dataclass(frozen=True)
class Configuration:
    """A whole run: data and equation, sizes of the model, its solver, what it is judged by, how it is trained."""

    data: DataSettings = field(default_factory=DataSettings)
    model: AirSizes = field(default_factory=AirSizes)
    solver: OdeSolver = field(default_factory=OdeSolver)
    loss: LossWeights = field(default_factory=LossWeights)
    training: TrainingSettings = field(default_factory=TrainingSettings)


def read_configuration(path: str | Path) -> Configuration:
    """Read a TOML file with tables named as the fields of `Configuration`; what is absent is the default.

    Raises ProblemFileError for a file that cannot be read, an unknown entry or a value of the wrong kind, naming it.
    """
    return read_toml(path, Configuration())


def _check(right: bool, got: str, expected: str) -> None:
    if not right:
        raise SpecificationError(f"training: got {got}, expected {expected}")
