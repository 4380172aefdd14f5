"""`physolve mesh generate` in process."""

import json

import pytest

from physolve.mesh.data.channel import _generate

SMALL = ("--trajectories", "2", "--nodes", "120", "--steps", "2", "--split", "0.5,0.5,0", "--seed", "1")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Flows that are kept from near the start on."""
    from dataclasses import replace

    simulated = _generate.simulated
    monkeypatch.setattr(_generate, "simulated", lambda case, how: simulated(case, replace(how, start=0.02)))


@pytest.mark.parametrize("kind", ["cylinder", "obstacles"])
def test_json_says_what_was_made(run, kind):
    ran = run("mesh", "generate", kind, "-o", "flows.h5", *SMALL, "--json")
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert (record["trajectories"], record["train"], record["validation"]) == (2, 1, 1)
    assert record["node_types"].keys() == {"normal", "obstacle", "inflow", "outflow", "wall"}
    assert record["left_out"] == {}


def test_an_interruption_says_how_to_go_on(run, monkeypatch):
    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(_generate, "simulated", interrupted)
    ran = run("mesh", "generate", "cylinder", "-o", "flows.h5", *SMALL)
    assert ran.code == 130
    assert "the same command goes on with the flows in flows.h5.pieces" in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sphere", "-o", "flows.h5"), "'sphere' is not one of 'cylinder', 'obstacles'"),
        (("cylinder", "-o", "flows.h5", "--trajectories", "0"), "Invalid value for '--trajectories'"),
        (("cylinder", "-o", "flows.h5", "--trajectories", "2"), "got 2 trajectories for 3 splits"),
        (("cylinder", "-o", "flows.h5", "--split", "a"), "expected three numbers such as 0.8,0.1,0.1, got 'a'"),
        (("cylinder", "-o", "no/flows.h5"), "cannot be made"),
    ],
)
def test_one_line_for_what_is_wrong(run, arguments, message):
    ran = run("mesh", "generate", *arguments)
    assert ran.code == 2
    assert message in " ".join(ran.err.split())
