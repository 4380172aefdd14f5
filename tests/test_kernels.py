"""Several kernel libraries, one loader: a library is built anew when something of its own changes, and only then."""

import pytest

from physolve import _kernels
from physolve.jets._build import JETS
from physolve.mesh._build import ATTENTION

LIBRARIES = {"jets": JETS, "attention": ATTENTION}


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A copy of cuda/ in the place of the real one."""
    for path in _kernels.source_folder().rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(_kernels.source_folder())
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
    monkeypatch.setattr(_kernels, "source_folder", lambda: tmp_path)
    return tmp_path


def fingerprints():
    return {name: _kernels._fingerprint(library, False) for name, library in LIBRARIES.items()}


@pytest.mark.parametrize(
    ("file", "whose"),
    [
        ("core/attention.h", {"attention"}),
        ("host/attention.inc", {"attention"}),
        ("core/sweep.h", {"jets"}),
        ("host/vector.h", {"jets", "attention"}),
        ("torch/tangents.h", {"jets", "attention"}),
        ("device/attention.cu", set()),  # no GPU: not part of the host's library
    ],
)
def test_a_change_rebuilds_what_includes_it(sources, file, whose):
    before = fingerprints()
    with (sources / file).open("a") as changed:
        changed.write("// changed\n")
    after = fingerprints()
    assert {name for name in LIBRARIES if before[name] != after[name]} == whose


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_every_source_and_what_it_includes_is_there(library):
    names = (*library.host, *library.device, *library.no_device)
    found = _kernels._with_included(_kernels.source_folder() / name for name in names)
    assert len(found) > len(names)
    assert all(path.is_file() for path in found)
