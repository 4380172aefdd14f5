"""Everything that decides a training run, and the TOML file it is written in."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from physolve.training import check, check_settings, read_toml

from .._design import Sight
from .._sizes import SMALL, MessageSizes, TransformerSizes


@dataclass(frozen=True)
class DataSettings:
    """What is learned from.

    path        of the data set, seen from the working directory; from `physolve mesh convert` or `generate`
    state       fields that are seen and predicted
    outputs     fields that are predicted only, such as the pressure
    first       stored frame that trajectories are seen from on: what came before was another flow
    stride      stored frames between two states
    in_memory   keep all frames in the memory of the device; else they are read as they are needed, by `workers`
    parts       pieces, by METIS, that a mesh is learned from one by one: for meshes that do not fit as a whole
    halo        steps along mesh edges around a piece that it sees without learning from them
    """

    path: str = ""
    state: tuple[str, ...] = ("velocity",)
    outputs: tuple[str, ...] = ()
    first: int = 0
    stride: int = 1
    in_memory: bool = False
    workers: int = 0
    parts: int = 1
    halo: int = 4

    def __post_init__(self) -> None:
        for name in ("stride", "parts"):
            check("data", getattr(self, name) > 0, f"{name}={getattr(self, name)}", "a positive number")
        for name in ("first", "workers", "halo"):
            check("data", getattr(self, name) >= 0, f"{name}={getattr(self, name)}", "a number from 0")
        check("data", not (self.in_memory and self.workers), f"workers={self.workers}", "0 with in_memory")


@dataclass(frozen=True)
class ModelSettings:
    """Which network, and what its nodes see of themselves; see `Design`."""

    network: Literal["transformer", "messages"] = "transformer"
    positions: bool = True
    wall_distance: bool = True


@dataclass(frozen=True)
class PhysicsWeights:
    """Of losses beside the mean square error, over nodes that are predicted; 0 leaves them out.

    gradient      squared error of the velocity's least-squares gradient, over the squared size of the true one
    divergence    squared divergence of the velocity, over the squared size of the true gradient
    momentum      squared residual of the Navier-Stokes equations over a step (`NavierStokesResidual`), over the squared
                  size of the true acceleration; it needs the pressure, over the density, and the `viscosity`
    velocity      which field of the state that is
    pressure      which output that is
    """

    gradient: float = 0.0
    divergence: float = 0.0
    momentum: float = 0.0
    viscosity: float = 0.0
    velocity: str = "velocity"
    pressure: str = "pressure"

    def __post_init__(self) -> None:
        for name in ("gradient", "divergence", "momentum", "viscosity"):
            value = getattr(self, name)
            check("physics", value >= 0, f"{name}={value}", "a number from 0")

    @property
    def any(self) -> bool:
        """Whether one of the losses counts."""
        return self.hops > 0

    @property
    def hops(self) -> int:
        """How far along mesh edges the losses look: second derivatives at the neighbours' neighbours."""
        return 2 if self.momentum else int(max(self.gradient, self.divergence) > 0)


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast: `steps` if given, else `hours` of wall clock, decide the length.

    batch           windows a step and process
    learning_rate   of AdamW after `warmup` steps; falls as a cosine to `final_rate` of itself
    clip            largest norm of the gradient
    noise           on the state that is seen, as a share of its standard deviation
    unroll          steps of a window, each from the prediction of the one before
    pushforward     whether only a window's last step is learned from; else all of them, through one another
    average         decay of the exponential moving average of the weights, which is what is validated and shipped
    epoch           steps between checkpoints; `validate_every` epochs between validations
    validation      trajectories rolled out for it, `validation_steps` steps at most
    bf16            run the network in bfloat16
    checkpointing   keep less for the backward pass of a transformer, and compute more
    """

    steps: int | None = None
    hours: float = 2.0
    batch: int = 8
    learning_rate: float = 1e-3
    final_rate: float = 0.01
    warmup: int = 200
    weight_decay: float = 1e-4
    clip: float = 1.0
    noise: float = 0.02
    unroll: int = 1
    pushforward: bool = False
    average: float = 0.999
    epoch: int = 200
    validate_every: int = 5
    validation: int = 4
    validation_steps: int = 600
    seed: int = 0
    bf16: bool = False
    checkpointing: bool = False

    def __post_init__(self) -> None:
        check_settings(self, positive=("unroll", "validation", "validation_steps"), from_zero=("noise",))


@dataclass(frozen=True)
class Configuration:
    """A whole run. `transformer` with `sight`, or `messages`, are the sizes of the network that `model` names."""

    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    transformer: TransformerSizes = SMALL
    sight: Sight = field(default_factory=Sight)
    messages: MessageSizes = field(default_factory=MessageSizes)
    physics: PhysicsWeights = field(default_factory=PhysicsWeights)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        enough = self.data.parts == 1 or self.data.halo >= self.physics.hops
        check("data", enough, f"halo={self.data.halo}", f"at least {self.physics.hops} for the losses of [physics]")

    @property
    def sizes(self) -> TransformerSizes | MessageSizes:
        """Of the network that is trained."""
        return self.transformer if self.model.network == "transformer" else self.messages


def read_configuration(path: str | Path) -> Configuration:
    """Read a TOML file with tables named as the fields of `Configuration`; what is absent is the default.

    Raises ProblemFileError for a file that cannot be read, an unknown entry or a value of the wrong kind, naming it.
    """
    return read_toml(path, Configuration())
