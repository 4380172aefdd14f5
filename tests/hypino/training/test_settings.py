"""Configuration files: what they say is taken, what they misspell is named."""

import dataclasses
from pathlib import Path

import pytest

from physolve.errors import ProblemFileError
from physolve.hypino import SMALL
from physolve.hypino.training import Configuration, TrainingSettings, read_configuration
from physolve.jets import SINE


@pytest.fixture
def read(tmp_path):
    """The configuration of a text."""

    def read(text: str) -> Configuration:
        path = tmp_path / "c.toml"
        path.write_text(text, encoding="utf-8")
        return read_configuration(path)

    return read


def test_an_empty_file_is_the_default(read) -> None:
    assert read("") == Configuration()
    assert read("").hypernetwork == SMALL


def test_entries_replace_defaults(read) -> None:
    found = read("[training]\nhours = 3\nstart = 'w.safetensors'\nbf16 = true\n[loss]\ngradient = 1\n")
    expected = dataclasses.replace(TrainingSettings(), hours=3.0, start="w.safetensors", bf16=True)
    assert found.training == expected
    assert type(found.training.hours) is float
    assert found.loss == dataclasses.replace(Configuration().loss, gradient=1.0)


def test_nested_tables_keep_the_rest(read) -> None:
    found = read("[hypernetwork.swin]\ndepths = [1, 1, 1]\n[sampler.curriculum]\nwaves = [1, 2]\n")
    assert found.hypernetwork.swin == dataclasses.replace(SMALL.swin, depths=(1, 1, 1))
    assert found.sampler.curriculum.waves == (1.0, 2.0)
    assert found.sampler.curriculum.width == Configuration().sampler.curriculum.width


def test_activations_have_names(read) -> None:
    assert read("[hypernetwork.target]\nactivation = 'sine'").hypernetwork.target.activation is SINE


def test_the_shipped_configuration_is_read() -> None:
    found = read_configuration(Path(__file__).resolve().parents[3] / "data" / "hypino" / "train.toml")
    assert found.hypernetwork == SMALL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[trainig]", "the file: got the entry 'trainig', expected one of ['hypernetwork', 'loss', 'sampler'"),
        ("[training]\nepochs = 3", "training: got the entry 'epochs', expected one of ["),
        ("training = 3", "training: got 3, expected a table"),
        ("[training]\nbatch = 1.5", "training.batch: got 1.5, expected a whole number"),
        ("[training]\nbatch = true", "training.batch: got True, expected a whole number"),
        ("[training]\nhours = 'long'", "training.hours: got 'long', expected a number"),
        ("[training]\nstart = 1", "training.start: got 1, expected a text"),
        ("[training]\nbf16 = 1", "training.bf16: got 1, expected true or false"),
        ("[training]\nsteps = 0", "training: got steps=0, expected a positive number"),
        ("[training]\nhours = nan", "training: got hours=nan, expected a positive number"),
        ("[training]\naverage = 1.0", "training: got average=1.0, expected a decay in [0, 1)"),
        ("[training]\noutlier = 1.0", "training: got outlier=1.0, expected a number above 1"),
        ("[training]\nwarmup = -1", "training: got warmup=-1, expected a number from 0"),
        ("[hypernetwork.swin]\ndepths = 3", "hypernetwork.swin.depths: got 3, expected a list, each a whole number"),
        ("[hypernetwork.swin]\ndepths = [1, 'a', 2]", "hypernetwork.swin.depths[1]: got 'a', expected a whole number"),
        ("[hypernetwork.swin]\ndepths = [1, 2]", "got 2 depths and 3 heads, expected one of each"),
        ("[hypernetwork.target]\nsizes = [2]", "architecture: got sizes=(2,), expected at least two"),
        ("[hypernetwork.target]\nactivation = 'relu'", "activation: got 'relu', expected one of ['identity', 'tanh'"),
        ("[sampler]\ngrid = 32", "got sampler.grid=32 and hypernetwork.grid=64, expected one grid"),
        ("[training", "not a TOML file: "),
    ],
)
def test_what_is_wrong_is_named(read, text: str, message: str) -> None:
    with pytest.raises(ProblemFileError) as caught:
        read(text)
    assert message in str(caught.value)
    assert "c.toml: " in str(caught.value)


def test_no_such_file(tmp_path) -> None:
    with pytest.raises(ProblemFileError, match=r"none\.toml: cannot be read: No such file"):
        read_configuration(tmp_path / "none.toml")
