"""Whole runs: resumed bit for bit, ended in time, refused with the reason; see also test_processes.py."""

import dataclasses
import json
import logging
import signal
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from physolve.errors import ProblemFileError, SpecificationError
from physolve.hypino import load_weights, save_weights
from physolve.hypino.training import LAST, RECORD, WEIGHTS, Configuration, News, train
from physolve.io import read_tensors


def changed(configuration: Configuration, **training: Any) -> Configuration:
    return dataclasses.replace(configuration, training=dataclasses.replace(configuration.training, **training))


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / RECORD).read_text(encoding="utf-8"))


def test_a_run_leaves_weights_record_checkpoint_and_logs(tiny, tmp_path, recwarn, capfd) -> None:
    news: list[News] = []
    handler, state = signal.getsignal(signal.SIGINT), torch.get_rng_state()
    level, filters = logging.getLogger("lightning.pytorch").level, list(warnings.filters)
    weights = train(tiny, tmp_path, progress=news.append)
    assert weights == tmp_path / WEIGHTS
    found = record(tmp_path)
    assert [found[key] for key in ("steps", "samples", "processes")] == [8, 32, 1]
    assert found["configuration"]["training"]["seed"] == tiny.training.seed
    assert [point["step"] for point in found["curve"]] == [4, 8]
    assert [each.steps for each in news] == list(range(9))
    assert [each.share for each in news] == [step / 8 for step in range(9)]
    assert [each.error for each in news[5:]] == [found["curve"][0]["val_median"]] * 4
    assert len(list(tmp_path.glob("csv/*/metrics.csv"))) == len(list(tmp_path.glob("tensorboard/*/events*"))) == 1
    # nothing was said, nothing of the process was changed
    assert not recwarn.list
    assert capfd.readouterr() == ("", "")
    assert signal.getsignal(signal.SIGINT) is handler
    assert torch.equal(torch.get_rng_state(), state)
    assert logging.getLogger("lightning.pytorch").level == level
    assert list(warnings.filters) == filters


def test_the_weights_are_the_average(tiny, tmp_path) -> None:
    train(tiny, tmp_path)
    kept = torch.load(tmp_path / LAST, weights_only=True)["state_dict"]
    for name, tensor in load_weights(tmp_path / WEIGHTS).state_dict().items():
        average = kept[f"average.module.{name}"]
        assert torch.equal(tensor, average.half().float() if average.is_floating_point() else average)
    name = "encoder.proj_norm.0.weight"
    assert not torch.equal(kept[f"network.{name}"], kept[f"average.module.{name}"])


def test_the_last_epoch_may_be_shorter_and_a_run_may_be_made_longer(tiny, tmp_path) -> None:
    straight, parts = tmp_path / "straight", tmp_path / "parts"
    train(changed(tiny, steps=6, validate_every=5), straight)
    assert [point["step"] for point in record(straight)["curve"]] == [6]
    train(changed(tiny, steps=4), parts)
    train(changed(tiny, steps=6), parts)
    assert [point["step"] for point in record(parts)["curve"]] == [4, 6]
    assert len(list(parts.glob("csv/*/metrics.csv"))) == 2


def test_a_run_that_is_over_is_left_as_it_is_and_that_is_told(tiny, tmp_path, caplog) -> None:
    news: list[News] = []
    before = read_tensors(train(tiny, tmp_path))[0]
    assert not caplog.records
    after = read_tensors(train(tiny, tmp_path, progress=news.append))[0]
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert news == []
    assert [point["step"] for point in record(tmp_path)["curve"]] == [4, 8]
    (told,) = caplog.messages
    assert "the run was over after 8 steps" in told


def test_fresh_begins_anew(tiny, tmp_path) -> None:
    news: list[News] = []
    before = load_weights(train(tiny, tmp_path)).encoder.proj_norm[0].weight
    after = load_weights(train(changed(tiny, seed=1), tmp_path, fresh=True, progress=news.append))
    assert news[0].steps == 0
    assert not torch.allclose(before, after.encoder.proj_norm[0].weight, atol=1e-2)  # other random numbers


def test_hours_end_a_run_after_about_their_time(tiny, tmp_path) -> None:
    news: list[News] = []
    hours = 3 / 3600
    train(changed(tiny, steps=None, hours=hours, epoch=2, validation=4), tmp_path, progress=news.append)
    assert news[-1].share == 1
    steps = [each.seconds for each in news]
    longest = max(b - a for a, b in zip(steps[:-2], steps[2:], strict=True))  # an epoch with its validation
    assert 3 <= news[-1].seconds <= 3 + 2 * longest
    assert record(tmp_path)["curve"][-1]["step"] == news[-1].steps
    assert record(tmp_path)["hours"] == pytest.approx(news[-1].seconds / 3600, abs=1e-3)
    train(changed(tiny, steps=None, hours=hours, epoch=2, validation=4), tmp_path)
    assert record(tmp_path)["steps"] == news[-1].steps


def test_starts_from_given_weights(tiny, tmp_path) -> None:
    first = train(changed(tiny, steps=1, learning_rate=1e-12), tmp_path / "a")
    second = train(changed(tiny, steps=1, learning_rate=1e-12, start=str(first), seed=9), tmp_path / "b")
    one, other = read_tensors(first)[0], read_tensors(second)[0]
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


def test_another_hypernetwork_is_refused(tiny, tmp_path) -> None:
    other = dataclasses.replace(tiny, hypernetwork=dataclasses.replace(tiny.hypernetwork, networks=1))
    weights = train(changed(tiny, steps=1), tmp_path)
    with pytest.raises(SpecificationError, match="the run's hypernetwork has other sizes"):
        train(other, tmp_path)
    with pytest.raises(SpecificationError, match=r"training\.start: got .* with other sizes"):
        train(changed(other, start=str(weights)), tmp_path / "new")


def test_a_damaged_checkpoint_is_named(tiny, tmp_path) -> None:
    (tmp_path / LAST).write_bytes(b"nothing")
    with pytest.raises(ProblemFileError, match=r"last\.ckpt: no checkpoint of a run"):
        train(tiny, tmp_path)


def test_interrupted_in_process_it_can_be_interrupted_again(tiny, tmp_path) -> None:
    def stop(news: News) -> None:
        if news.steps == 5:
            signal.raise_signal(signal.SIGINT)

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(tiny, tmp_path, progress=stop)
    assert record(tmp_path)["steps"] == 4
    assert load_weights(tmp_path / WEIGHTS)


def test_save_weights_is_what_start_reads(tiny, tmp_path) -> None:
    model = load_weights(train(changed(tiny, steps=1), tmp_path))
    save_weights(tmp_path / "again.safetensors", model)
    train(changed(tiny, steps=1, start=str(tmp_path / "again.safetensors")), tmp_path / "b")
