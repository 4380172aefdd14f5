"""docs/bring_your_own_data.md, word for word, on the real files."""

import re
import shlex
from pathlib import Path

import pytest

from physolve.cli import main

PAGE = (Path(__file__).parents[3] / "docs" / "bring_your_own_data.md").read_text()
FILES = ("cylinder_vtu", "cylinder_xdmf", "aneurysm_vtu", "ezyrb_cylinder.npz")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def saved_files():
    """Name and content of what the page tells to save."""
    return re.findall(r"Save\s+this\s+as\s+`([\w.]+)`:\n\n```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(shared_data, tmp_path_factory):
    """A reader's folder: the real files, and what the page says to save."""
    source, place = shared_data / "data" / "cfd", tmp_path_factory.mktemp("reader")
    if not source.is_dir():
        pytest.skip(f"no flow data at {source}")
    for name in FILES:
        (place / name).symlink_to(source / name)
    for name, content in saved_files():
        (place / name).write_text(content)
    return place


def test_the_page_has_what_is_tested_here():
    assert [name for name, _ in saved_files()] == ["cylinder.toml", "walls.toml", "channel.toml"]
    assert len(blocks("console")) == 5


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.split()[4])
def test_a_command_prints_what_the_page_shows(folder, monkeypatch, capsys, block):
    command, shown = block.split("\n", 1)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "400")
    main(shlex.split(command.removeprefix("$ physolve ")))
    out, err = capsys.readouterr()
    told = [line for line in err.splitlines() if not line.startswith("reading ")]
    assert "\n".join([*out.splitlines(), *told]) == shown.rstrip("\n")


def test_the_python_lines_run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    exec(blocks("python")[0], names)  # the page is ours
    assert names["velocity"].shape == (1923, 2)
    assert names["mesh"].points.shape == (1923, 2)
