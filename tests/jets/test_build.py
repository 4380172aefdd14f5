"""Building on first use: forced either way, without a compiler, and what the library's name depends on."""

import os
import shutil
import subprocess
import sys

import pytest
import torch

from physolve._kernels import _folder, source_folder
from physolve.errors import UnsupportedError
from physolve.jets import _agreement, _network, kernels
from physolve.jets._build import JETS

JETS_FOLDER = _folder(JETS, cuda=False).name

PROGRAM = """
import torch
from physolve.jets import Architecture, JetLayout, kernels, network_jet
a = Architecture((2, 4, 1))
weights = torch.linspace(-1, 1, a.count, dtype=torch.float64)
for _ in range(2):
    jet = network_jet(a, weights, torch.ones(3, 2, dtype=torch.float64), JetLayout.full(2))
print(kernels().path, kernels().reason)
print(float(jet.sum()))
"""


def run(**environment):
    clean = {k: v for k, v in os.environ.items() if k not in ("PHYSOLVE_KERNELS",)}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_forced_plain():
    done = run(PHYSOLVE_KERNELS="plain")
    assert done.stdout.startswith("plain PHYSOLVE_KERNELS=plain")
    assert done.returncode == 0


@pytest.mark.skipif(kernels().path == "plain", reason=f"plain torch: {kernels().reason}")
def test_forced_compiled_gives_the_same_numbers():
    compiled, plain = run(PHYSOLVE_KERNELS="compiled"), run(PHYSOLVE_KERNELS="plain")
    assert compiled.stdout.startswith("compiled ")
    assert float(compiled.stdout.split()[-1]) == pytest.approx(float(plain.stdout.split()[-1]), rel=1e-12)


def test_without_a_compiler_one_message_and_the_plain_path(tmp_path):
    done = run(CXX="no-such-compiler", PHYSOLVE_CACHE=str(tmp_path))
    assert done.returncode == 0
    assert done.stdout.startswith("plain no C++ compiler: 'no-such-compiler' is not on the PATH")
    assert done.stderr.count("jet kernels are not compiled here, plain torch is used") == 1
    assert not list(tmp_path.rglob("*.so"))


def test_forced_compiled_without_a_compiler_raises(tmp_path):
    done = run(CXX="no-such-compiler", PHYSOLVE_CACHE=str(tmp_path), PHYSOLVE_KERNELS="compiled")
    assert done.returncode == 1
    assert "PHYSOLVE_KERNELS=compiled, but the kernels cannot be used: no C++ compiler" in done.stderr


def test_a_compiler_that_fails_leaves_nothing_that_looks_finished(tmp_path):
    broken = tmp_path / "broken"
    broken.write_text(
        '#!/bin/sh\ncase "$*" in *version*|-v) exec c++ "$@";; esac\necho "x.cpp:1: error: no such thing"\nexit 1\n'
    )
    broken.chmod(0o755)
    done = run(CXX=str(broken), PHYSOLVE_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 0
    assert done.stdout.startswith("plain x.cpp:1: error: no such thing")
    assert not list((tmp_path / "cache").rglob("finished"))


def test_a_library_that_was_cut_off_later_is_not_loaded(tmp_path):
    """Loading one would end the process."""
    library = tmp_path / "cache" / "kernels" / JETS_FOLDER / "physolve_kernels.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"half of it")
    (library.parent / "finished").write_text("123456")
    done = run(CXX="no-such-compiler", PHYSOLVE_CACHE=str(tmp_path / "cache"))
    assert done.stdout.startswith("plain no C++ compiler")


def test_a_compiler_with_arguments_is_one():
    done = run(CXX="no-such-compiler -pipe", PHYSOLVE_CACHE="/nowhere")
    assert done.stdout.startswith("plain no C++ compiler: 'no-such-compiler' is not on the PATH")


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
@pytest.mark.skipif(bool(os.environ.get("PHYSOLVE_KERNELS")), reason="the path is forced")
def test_where_there_is_a_compiler_the_kernels_are_compiled():
    """Otherwise the tests of the kernels would compare plain torch with itself."""
    assert kernels().path == "compiled", kernels().reason


def test_limits_are_those_of_the_kernels():
    header = (source_folder() / "core" / "plan.h").read_text()
    for name in ("MAX_DIM", "MAX_WIDTH", "MAX_LAYERS", "MAX_BANDS"):
        assert f"constexpr int {name} = {getattr(_network, name)};" in header


def test_any_other_word_is_refused():
    done = run(PHYSOLVE_KERNELS="fast")
    assert done.returncode == 1
    assert "PHYSOLVE_KERNELS: got 'fast', expected 'plain', 'compiled' or nothing" in done.stderr


def test_sources_are_found():
    names = {path.name for path in source_folder().rglob("*") if path.is_file()}
    assert {"plan.h", "sweep.h", "machine.h", "kernels.cu", "bindings.cpp", "no_device.cpp"} <= names


@pytest.mark.skipif(kernels().path == "plain", reason=f"plain torch: {kernels().reason}")
def test_the_kernels_agree_with_themselves():
    assert _agreement.disagreement("cpu") == 0


@pytest.mark.skipif(kernels().path == "plain", reason=f"plain torch: {kernels().reason}")
def test_the_question_may_come_up_anywhere():
    def scaled(x):
        return x.square().sum() * (1 + _agreement.disagreement("cpu"))

    x = torch.ones(3, 2)
    assert torch.func.vmap(torch.func.grad(scaled))(x).equal(2 * x)
    torch.set_default_device("meta")
    try:
        assert _agreement.disagreement("cpu") == 0
    finally:
        torch.set_default_device(None)


def test_a_device_that_refuses_a_launch_is_not_used(monkeypatch, caplog):
    def refuse(device):
        raise RuntimeError("jet kernels: too many resources requested for launch")

    monkeypatch.setattr(_agreement, "disagreement", refuse)
    monkeypatch.setattr(_agreement.torch.cuda, "get_device_name", lambda: "some GPU")
    monkeypatch.delenv("PHYSOLVE_KERNELS", raising=False)
    assert not _agreement.device_agrees.__wrapped__()
    assert "jet kernels on some GPU do not run (jet kernels: too many resources" in caplog.text


@pytest.mark.parametrize("off", [0.5, float("inf")])
def test_a_device_that_disagrees_is_not_used(off, monkeypatch, caplog):
    monkeypatch.setattr(_agreement, "disagreement", lambda device: off)
    monkeypatch.setattr(_agreement.torch.cuda, "get_device_name", lambda: "some GPU")
    monkeypatch.delenv("PHYSOLVE_KERNELS", raising=False)
    ask = _agreement.device_agrees.__wrapped__
    assert not ask()
    assert "jet kernels on some GPU differ from the processor's by" in caplog.text
    monkeypatch.setenv("PHYSOLVE_KERNELS", "compiled")
    with pytest.raises(UnsupportedError, match="differ from the processor's"):
        ask()
    monkeypatch.setattr(_agreement, "disagreement", lambda device: 1e-6)
    assert ask()
