"""A run: it learns, is reproducible, goes on where it was, and refuses what does not fit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from air_problems import problem_of

from physolve.air import AirSizes, load_weights
from physolve.air.data import split, write_series
from physolve.air.training import (
    Configuration,
    DataSettings,
    TrainingSettings,
    prepared,
    read_configuration,
    train,
    train_recurrent,
)
from physolve.air.training._module import AirModule
from physolve.errors import ProblemFileError, SpecificationError
from physolve.spec import write_problem

TRAINING = TrainingSettings(
    steps=4, epoch=2, batch=4, warmup=1, learning_rate=1e-2, average=0.5, validate_on=1, patience=9
)


@pytest.fixture
def configuration(prepared_files):
    data = DataSettings(str(prepared_files / "series.h5"), str(prepared_files / "problem.toml"), (3.0, 1.0, 1.0))
    sizes = AirSizes(history=4, horizon=4, hidden=6, latent=2, samples=2)
    return Configuration(data, sizes, training=TRAINING)


def tensors(path):
    return load_weights(path).state_dict()


def test_a_run_writes_weights_and_a_record(configuration, tmp_path):
    news = []
    weights = train(configuration, tmp_path / "run", progress=news.append)
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert [entry["step"] for entry in record["curve"]] == [2, 4]
    assert record["configuration"]["model"]["hidden"] == 6
    assert news[-1].steps == 4
    assert load_weights(weights).setup.stations.names == tuple("abcdefg")
    calibration = load_weights(weights).calibration
    assert calibration is not None
    assert len(calibration.residuals) == 4


def test_the_same_seed_gives_the_same_weights(configuration, tmp_path):
    one, same = (tensors(train(configuration, tmp_path / name)) for name in "ab")
    other = tensors(train(replace(configuration, training=replace(TRAINING, seed=1)), tmp_path / "c"))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_run_goes_on_as_if_it_had_not_ended(configuration, tmp_path):
    """The schedule is that of the whole run, so the first half is one of `steps` that is cut off."""
    whole = tensors(train(configuration, tmp_path / "whole"))
    with pytest.MonkeyPatch.context() as patch:
        validated = AirModule.validated
        patch.setattr(AirModule, "validated", lambda module: _and_stop(module, validated(module)))
        train(configuration, tmp_path / "halves")
    resumed = tensors(train(configuration, tmp_path / "halves"))
    assert all(torch.allclose(whole[name], resumed[name]) for name in whole)


def _and_stop(module, figures):
    module.trainer.should_stop = True
    return figures


def test_the_best_validation_is_kept_and_patience_ends_it(configuration, tmp_path):
    """A learning rate that ruins the weights: what is shipped is what did best before."""
    wild = replace(TRAINING, steps=40, learning_rate=0.3, physics_rate=0.01, final_rate=1.0, patience=2)
    weights = train(replace(configuration, training=wild), tmp_path / "run")
    curve = json.loads((weights.parent / "record.json").read_text())["curve"]
    errors = [entry["rmse"] for entry in curve]
    assert curve[-1]["best"] == pytest.approx(min(errors))
    assert len(curve) < 20


def test_another_problem_is_not_resumed(configuration, tmp_path):
    train(configuration, tmp_path / "run")
    write_problem(problem_of("dt(c) = D*laplacian(c) + source(x, y, t)"), tmp_path / "other.toml")
    other = replace(configuration, data=replace(configuration.data, problem=str(tmp_path / "other.toml")))
    with pytest.raises(SpecificationError, match="the run is of another problem"):
        train(other, tmp_path / "run")


def test_parts_that_are_too_short_are_refused(configuration):
    short = replace(configuration, data=replace(configuration.data, parts=(8.0, 1.0, 8.0)))
    with pytest.raises(SpecificationError, match="validation: got 4 steps, expected at least 4 of history"):
        prepared(short)


@pytest.mark.parametrize(("which", "name"), [(0, "training"), (1, "validation")])
def test_parts_without_a_measurement_are_refused(configuration, series, which, name):
    values, first = series.values.copy(), sum(len(part) for part in split(series, (3, 1, 1))[:which])
    values[first : first + len(split(series, (3, 1, 1))[which]), :, 0] = np.nan
    write_series(configuration.data.series, replace(series, values=values))
    with pytest.raises(SpecificationError, match=f"{name}: got no measurement of PM2.5"):
        prepared(configuration)


def test_another_size_is_not_resumed(configuration, tmp_path):
    train(configuration, tmp_path / "run")
    with pytest.raises(SpecificationError, match="the run is of another model"):
        train(replace(configuration, model=replace(configuration.model, hidden=5)), tmp_path / "run")


def test_other_data_are_not_resumed(configuration, series, tmp_path):
    train(configuration, tmp_path / "run")
    write_series(configuration.data.series, replace(series, values=series.values + 1))
    with pytest.raises(SpecificationError, match="the run is of another problem"):
        train(configuration, tmp_path / "run")


def test_shipped_configurations_can_be_read():
    found = sorted((Path(__file__).resolve().parents[3] / "data" / "air").glob("*_train.toml"))
    assert [read_configuration(path).data.problem for path in found] == [
        "data/air/basin_stations.toml",
        "data/air/stations.toml",
    ]


def test_an_unknown_entry_is_named(tmp_path):
    (tmp_path / "c.toml").write_text("[training]\nspeed = 3\n")
    with pytest.raises(ProblemFileError, match=r"training: got the entry 'speed'"):
        read_configuration(tmp_path / "c.toml")


def test_training_lowers_the_error(configuration, tmp_path):
    """Within 30 steps, for the model and for the recurrent baseline."""
    settings = replace(TRAINING, steps=30, epoch=10, batch=16, average=0.8)
    longer = replace(configuration, training=settings)
    model, parts = prepared(longer)
    trained = load_weights(train(longer, tmp_path / "run"))
    batch = parts.train.at(list(parts.train.instants))
    recurrent = train_recurrent(longer.model, settings, parts.train, parts.validation, model.setup.scale)
    with torch.no_grad():
        said = [model.eval()(batch, 0).mean, trained(batch, 0).mean, recurrent(batch)]
    before, after, without_graph = (float((each - batch.target).abs().mean()) for each in said)
    assert after < 0.9 * before
    assert without_graph < before
