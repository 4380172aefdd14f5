"""The record of a run: from it the run can be done again."""

import json

import pytest

from physolve.hypino.training import Configuration
from physolve.training import as_data, changed, hardware, record_of, write_record


def test_the_configuration_can_be_read_back(tiny, tmp_path) -> None:
    path = tmp_path / "record.json"
    write_record(path, record_of(tiny, 4, [{"step": 4, "val_median": 0.5}], 1800.0, 8, 2))
    found = json.loads(path.read_text(encoding="utf-8"))
    assert changed(Configuration(), found["configuration"], "") == tiny
    assert [found[key] for key in ("hours", "steps", "processes", "samples")] == [0.5, 8, 2, 8 * 2 * 4]
    assert found["curve"] == [{"step": 4, "val_median": 0.5}]
    assert list(tmp_path.glob("record*")) == [path]


def test_the_default_configuration_as_well() -> None:
    assert changed(Configuration(), json.loads(json.dumps(as_data(Configuration()))), "") == Configuration()


def test_hardware_is_named() -> None:
    found = hardware()
    assert found["processor"]
    assert found["threads"] >= 1
    assert found["torch"].startswith("2.")


@pytest.mark.parametrize(
    ("value", "data"), [((1, 2.5), [1, 2.5]), ({1: None}, {"1": None}), (True, True), (frozenset(), "frozenset()")]
)
def test_as_data(value, data) -> None:
    assert as_data(value) == data
