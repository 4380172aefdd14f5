"""Everything that decides a training run, and the TOML file it is written in."""

from dataclasses import dataclass, field
from pathlib import Path

from physolve.training import check_settings, read_toml

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
    """How long and how fast: `steps`, or where none are given `hours` of wall clock, decide the length.

    A run of `steps`, too, ends at the validation after `hours`; so does one that is no longer getting better.

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
        check_settings(self, positive=("physics_rate", "validate_on", "patience"))


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
