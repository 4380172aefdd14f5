"""The length of a run, its learning rate, the average of its weights."""

import pytest
import torch

from physolve.hypino.training import TrainingSettings
from physolve.training import Clock, learning_rate, moving_average

SETTINGS = TrainingSettings(learning_rate=2e-3, final_rate=0.1, warmup=10)


def test_the_rate_warms_up_linearly() -> None:
    rates = [learning_rate(SETTINGS, step, 0.0) for step in range(12)]
    assert rates[:10] == pytest.approx([2e-4 * (step + 1) for step in range(10)])
    assert rates[10:] == pytest.approx([2e-3, 2e-3])


def test_the_rate_falls_as_half_a_cosine() -> None:
    rates = [learning_rate(SETTINGS, 100, progress / 4) for progress in range(5)]
    assert rates[0] == pytest.approx(2e-3)
    assert rates[2] == pytest.approx((2e-3 + 2e-4) / 2)
    assert rates[4] == pytest.approx(2e-4)
    assert rates == sorted(rates, reverse=True)


def test_no_warmup() -> None:
    assert learning_rate(TrainingSettings(warmup=0, learning_rate=1.0), 0, 0.0) == 1.0


def test_progress_of_steps() -> None:
    clock = Clock(TrainingSettings(steps=10))
    assert [clock.progress(step) for step in (0, 5, 10, 12)] == [0, 0.5, 1, 1]


def test_progress_of_hours_counts_time_spent_before() -> None:
    clock = Clock(TrainingSettings(hours=2.0))
    assert clock.progress(1000) == 0
    clock.spent = 3600.0
    assert clock.progress(0) == 0.5
    clock.start()
    first = clock.seconds
    assert 3600 <= first <= clock.seconds < 3601
    clock.spent = 8000.0
    assert clock.progress(0) == 1


def test_the_average_forgets_with_its_decay() -> None:
    update = moving_average(0.9)
    mean, new = torch.ones(3), torch.zeros(3)
    update([mean], [new], 0)
    assert mean.tolist() == pytest.approx([0.1] * 3)  # 1 / 10 at first
    mean.fill_(1)
    update([mean], [new], torch.tensor(10_000))
    assert mean.tolist() == pytest.approx([0.9] * 3)
