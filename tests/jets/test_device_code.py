"""The CUDA code without a GPU: compiled and linked for sm_80 and sm_90, and run on the host as threads of a block."""

import shutil
from pathlib import Path

import pytest
from kernel_checks import check_binding, device_library, run_as_threads

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
def test_compiles_and_links_for_two_architectures(tmp_path):
    assert device_library(tmp_path, "f32.cu", "f64.cu").stat().st_size > 0


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
def test_the_binding_to_torchs_stream_compiles():
    check_binding("device.cpp")


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
def test_a_block_of_threads_gives_the_host_kernels_results_without_a_race(tmp_path):
    """See device_machine.cpp; a barrier taken out of sweep.h makes the sanitizer report races here."""
    printed = run_as_threads(tmp_path, HERE / "device_machine.cpp", ("f32.cpp", "f64.cpp"))
    assert printed.endswith("all agree\n"), printed
