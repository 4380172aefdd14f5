"""The CUDA code without a GPU: compiled and linked for sm_80 and sm_90, and run on the host as threads of a block."""

import shutil
from pathlib import Path

import pytest
from kernel_checks import check_binding, device_library, run_as_threads

from physolve.jets._build import JETS

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
def test_compiles_and_links_for_two_architectures(tmp_path):
    sources = [Path(name).name for name in JETS.device if name.endswith(".cu")]
    assert device_library(tmp_path, *sources).stat().st_size > 0


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
def test_the_binding_to_torchs_stream_compiles():
    check_binding("device.cpp")


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
@pytest.mark.parametrize("driver", ["device_machine.cpp", "narrow_machine.cpp"])
def test_threads_give_the_host_kernels_results_without_a_race(driver, tmp_path):
    """See the drivers; a barrier taken out of sweep.h or narrow_sweep.h makes the sanitizer report races here."""
    printed = run_as_threads(tmp_path, HERE / driver, ("f32.cpp", "f64.cpp"))
    assert printed.endswith("all agree\n"), printed
