"""The baseline that learns as the model does, but without a graph and without an equation."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from physolve.training import learning_rate, moving_average

from .._batch import AirBatch
from .._encoder import Encoder
from .._fusion import LEADS, leads
from .._sizes import AirSizes
from .._windows import Windows
from ._losses import masked_mean
from ._scores import Forecaster, evaluate
from ._settings import TrainingSettings


class Recurrent(nn.Module):
    """The model's encoder and, in place of the graph ODE, a network from its summary and the instant."""

    def __init__(self, sizes: AirSizes, features: int, clock: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.encoder = Encoder(features, sizes.hidden, sizes.latent)
        self.dropout = nn.Dropout(sizes.dropout)
        self.summary = nn.Linear(sizes.hidden + 1, sizes.hidden)
        self.instant = nn.Linear(clock + LEADS, sizes.hidden, bias=False)
        self.layer = nn.Linear(sizes.hidden, sizes.hidden)
        self.out = nn.Linear(sizes.hidden, 1)

    def forward(self, batch: AirBatch) -> Float[Tensor, "batch horizon n"]:
        encoded = self.encoder(batch.history)
        seen = self.dropout(torch.cat([encoded.summary, batch.now[..., None]], dim=-1))
        clock = batch.clock[:, 1:]
        instants = torch.cat([clock, leads(clock)], dim=-1)[:, :, None]
        hidden = torch.tanh(self.summary(seen)[:, None] + self.instant(instants))
        kept = self.dropout(torch.ones_like(hidden[:, :1]))
        return self.scale * self.out(torch.tanh(self.layer(kept * hidden)))[..., 0]


def train_recurrent(
    sizes: AirSizes, settings: TrainingSettings, train: Windows, validation: Windows, scale: float
) -> Forecaster:
    """Trained with the model's loss of the mean, batches, schedule, averaging and choice of the best validation."""
    torch.manual_seed(settings.seed)
    model = Recurrent(sizes, train.inputs.shape[-1], train.clock.shape[-1], scale)
    average = AveragedModel(model, multi_avg_fn=moving_average(settings.average)).eval()
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decay, "weight_decay": settings.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups)
    steps, best = settings.steps or 600, (float("inf"), average.module.state_dict())
    for step in range(steps):
        _step(model, optimizer, settings, train, step, steps)
        average.update_parameters(model)
        if (step + 1) % settings.epoch == 0 or step + 1 == steps:
            scores = evaluate(average.module, validation, validation.instants[:: settings.validate_on])
            error = scores.overall()
            if error < best[0]:
                best = error, {name: tensor.clone() for name, tensor in average.module.state_dict().items()}
    model.load_state_dict(best[1])
    return model.eval()


def _step(
    model: Recurrent,
    optimizer: torch.optim.Optimizer,
    settings: TrainingSettings,
    train: Windows,
    step: int,
    steps: int,
) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(settings, step, step / steps)
    generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
    instants = train.instants
    batch = train.at(torch.randint(instants.start, instants.stop, (settings.batch,), generator=generator))
    loss = masked_mean((model(batch) - batch.target).abs(), batch.measured) / model.scale
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
    optimizer.step()
