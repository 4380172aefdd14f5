"""docs/air_data.md, word for word."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from physolve.air.data import Columns, read_columns
from physolve.cli import main

PAGE = (Path(__file__).parents[3] / "docs" / "air_data.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A reader's folder, with what the page says to save."""
    saved = re.findall(r"ave\s+this\s+as\s+`([\w.]+)`[^\n]*\n\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in saved] == ["measured.csv", "stations.csv", "columns.toml"]
    for name, content in saved:
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path


def prepare(capsys):
    command, shown = blocks("console")[0].split("\n", 1)
    assert main(shlex.split(command.removeprefix("$ physolve "))) == 0
    return capsys.readouterr().out, shown


def test_the_command_prints_what_the_page_shows(folder, capsys):
    printed, shown = prepare(capsys)
    assert printed.rstrip() == shown.rstrip()


def test_the_python_lines_run(folder, capsys):
    prepare(capsys)
    names: dict[str, object] = {}
    exec(blocks("python")[0], names)  # the page is ours
    assert "(4, 2, 1)" in capsys.readouterr().out
    assert np.isfinite(names["filled"].values).all()
    np.testing.assert_allclose(names["series"].wind[0, 0], 2 * np.array([np.sin(np.pi / 8), -np.cos(np.pi / 8)]), 1e-5)


def test_the_names_without_a_file_are_those_of_the_page(folder):
    for word in (*Columns().pollutants, *Columns().scalars.values(), Columns().wind_direction, Columns().station):
        assert f"`{word}`" in PAGE
    assert read_columns(folder / "columns.toml").humidity == "rh"
