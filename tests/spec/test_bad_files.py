"""Malformed and ill-posed problem files: each says in its first lines which one-line message it must give.

"# expects: ..." is the whole message of the error, "# warns: ..." (one line for each) that of a warning.
"""

import warnings
from pathlib import Path

import pytest

from physolve.errors import PhysolveError, WellPosednessWarning
from physolve.spec._file import read_problem

FOLDER = Path(__file__).with_name("bad")
FILES = sorted(FOLDER.glob("*.toml"))


def _promised(path, word):
    head = f"# {word}: "
    return [line.removeprefix(head) for line in path.read_text().splitlines() if line.startswith(head)]


def test_there_are_enough_of_them():
    assert len(FILES) >= 60
    assert all(_promised(path, "expects") or _promised(path, "warns") for path in FILES)


@pytest.mark.parametrize("path", [p for p in FILES if _promised(p, "expects")], ids=lambda p: p.stem)
def test_bad_file(path, monkeypatch):
    monkeypatch.chdir(FOLDER)
    with pytest.raises(PhysolveError) as caught:
        read_problem(path.name)
    assert [str(caught.value)] == _promised(path, "expects")


@pytest.mark.parametrize("path", [p for p in FILES if _promised(p, "warns")], ids=lambda p: p.stem)
def test_ill_posed_file(path, monkeypatch):
    monkeypatch.chdir(FOLDER)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_problem(path.name)
    assert [str(w.message) for w in caught if w.category is WellPosednessWarning] == _promised(path, "warns")
