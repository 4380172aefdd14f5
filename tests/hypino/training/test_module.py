"""One step: spikes are left out, the average follows, bfloat16 runs."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from physolve.hypino import Hypernetwork, sample
from physolve.hypino.training import Configuration
from physolve.hypino.training._module import HypinoModule

pytestmark = pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # there is no trainer to log to


@pytest.fixture
def module(tiny: Configuration) -> HypinoModule:
    torch.manual_seed(0)
    return HypinoModule(tiny, Hypernetwork(tiny.hypernetwork))


def stepped(module: HypinoModule, optimizer: torch.optim.Optimizer, size: float) -> bool:
    """Whether a step with a gradient of this norm changes the weights."""
    weights = list(module.network.parameters())
    before = [w.detach().clone() for w in weights]
    count = sum(w.numel() for w in weights)
    for w in weights:
        w.grad = torch.full_like(w, size / math.sqrt(count))
    module.configure_gradient_clipping(optimizer)
    optimizer.step()
    return any(not torch.equal(a, b) for a, b in zip(before, weights, strict=True))


def gradient(module: HypinoModule, bf16: bool) -> tuple[Tensor, Tensor]:
    """Loss and gradient on fixed problems."""
    configuration = module.configuration
    module.configuration = dataclasses.replace(
        configuration, training=dataclasses.replace(configuration.training, bf16=bf16)
    )
    batch = sample(configuration.sampler, 8, torch.Generator().manual_seed(3))
    loss = module.judged(module.network, batch)[0].total
    weights = [w for w in module.network.parameters() if w.requires_grad]
    return loss.detach(), torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)])


@pytest.mark.parametrize("size", [math.inf, math.nan, 1e6])
def test_a_spike_changes_nothing(module: HypinoModule, size: float) -> None:
    optimizer = module.configure_optimizers()
    assert stepped(module, optimizer, 1.0)
    assert not stepped(module, optimizer, size)
    assert stepped(module, optimizer, 1.0)


def test_an_infinite_first_gradient_does_not_count_as_usual(module: HypinoModule) -> None:
    optimizer = module.configure_optimizers()
    assert not stepped(module, optimizer, math.inf)
    assert stepped(module, optimizer, 1.0)
    assert module.usual_norm == pytest.approx(1.0)


def test_what_lasts_becomes_usual(module: HypinoModule) -> None:
    """Norms 50 times as large as before are spikes at first and accepted after some steps."""
    optimizer = module.configure_optimizers()
    stepped(module, optimizer, 1.0)
    taken = [stepped(module, optimizer, 50.0) for _ in range(20)]
    # every step left out multiplies the usual norm by 0.98 + 0.02 * 10 = 1.18, and 1.18^10 > 5
    assert taken == [False] * 10 + [True] * 10


def test_the_gradient_is_clipped(module: HypinoModule) -> None:
    stepped(module, module.configure_optimizers(), 3.0)
    norm = torch.stack([w.grad.norm() for w in module.network.parameters()]).norm()
    assert float(norm) == pytest.approx(module.configuration.training.clip, rel=1e-4)


def test_the_average_starts_at_the_weights_and_follows(module: HypinoModule) -> None:
    assert not any(w.requires_grad for w in module.average.parameters())
    with torch.no_grad():
        for w in module.network.parameters():
            w.fill_(1.0)
        module.on_train_batch_end(None, None, 0)  # type: ignore[arg-type]
        assert all(bool((w == 1).all()) for w in module.averaged.parameters())
        for w in module.network.parameters():
            w.fill_(2.0)
        module.on_train_batch_end(None, None, 1)  # type: ignore[arg-type]
    d = 2 / 11  # (1 + n) / (10 + n) after one update
    means = torch.cat([w.flatten() for w in module.averaged.parameters()])
    assert torch.allclose(means, torch.full_like(means, d + 2 * (1 - d)))


def test_the_averaged_weights_are_validated(module: HypinoModule) -> None:
    figures = module.validated()
    with torch.no_grad():
        for w in module.network.parameters():
            w.mul_(3)
    assert module.validated() == figures
    with torch.no_grad():
        for w in module.averaged.parameters():
            w.mul_(3)
    assert module.validated() != figures
    assert 0 < figures["val_mean"] <= 1
    assert figures["val_spread"] > 0


def test_bfloat16_is_close_to_float32(module: HypinoModule) -> None:
    loss, exact = gradient(module, bf16=False)
    rounded_loss, rounded = gradient(module, bf16=True)
    assert rounded_loss != loss
    # 8 bits of mantissa through some twenty layers: per cent, of which least squares make some more
    assert float(rounded_loss) == pytest.approx(float(loss), rel=0.1)
    assert bool(rounded.isfinite().all())
    assert float(torch.cosine_similarity(rounded, exact, dim=0)) > 0.8


def test_steps_lower_the_loss_on_what_they_see(module: HypinoModule) -> None:
    batch = sample(module.configuration.sampler, 4, torch.Generator().manual_seed(3))
    optimizer, totals = module.configure_optimizers(), []
    for _ in range(25):
        total = module.judged(module.network, batch)[0].total
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total.detach()))
    assert min(totals[-5:]) < 0.9 * totals[0]
