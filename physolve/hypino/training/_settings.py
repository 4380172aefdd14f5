"""Everything that decides a training run, and the TOML file it is written in."""

from dataclasses import dataclass, field
from pathlib import Path

from physolve.errors import SpecificationError
from physolve.training import check, check_settings, read_toml

from .._sizes import SMALL, HypernetworkSizes
from ..sampler import SamplerSettings
from ._losses import LossWeights


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
        check_settings(self, positive=("validation",))
        check("training", self.outlier > 1, f"outlier={self.outlier}", "a number above 1")


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
    return read_toml(path, Configuration())
