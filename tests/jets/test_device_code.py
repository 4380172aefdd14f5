"""The CUDA code without a GPU: compiled and linked for sm_80 and sm_90, and run on the host as threads of a block."""

import shutil
import subprocess
from pathlib import Path

import pytest
from torch.utils import cpp_extension

from physolve._kernels import DEVICE_FLAGS, HOST_FLAGS, source_folder

HERE = Path(__file__).parent


def build(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
def test_compiles_and_links_for_two_architectures(tmp_path):
    library = tmp_path / "device.so"
    codes = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in (80, 90)]
    source = source_folder() / "device" / "kernels.cu"
    quick = ("-Xcicc", "-O1", "-Xptxas", "-O1")  # full optimisation takes over a minute
    build(
        "nvcc",
        "-std=c++17",
        "-shared",
        "-Xcompiler=-fPIC",
        "-t",
        "2",
        *DEVICE_FLAGS,
        *quick,
        *codes,
        "-o",
        library,
        source,
    )
    assert library.stat().st_size > 0


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc")
def test_the_binding_to_torchs_stream_compiles():
    places = [f"-I{place}" for place in cpp_extension.include_paths()]
    source = source_folder() / "torch" / "device.cpp"
    build("nvcc", "-std=c++20", "-c", "-w", "-Xcompiler=-fsyntax-only", *places, source, "-o", "/dev/null")


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
def test_a_block_of_threads_gives_the_host_kernels_results_without_a_race(tmp_path):
    """See device_machine.cpp; a barrier taken out of sweep.h makes the sanitizer report races here."""
    program, sources = tmp_path / "machine", [source_folder() / "host" / name for name in ("f32.cpp", "f64.cpp")]
    flags = [flag for flag in HOST_FLAGS if flag not in ("-O3", "-fopenmp")]
    build(
        *("g++", "-O1", "-g", "-std=c++17", "-fsanitize=thread", "-pthread", f"-I{source_folder()}", *flags),
        *(HERE / "device_machine.cpp", *sources, "-o", program),
    )
    done = subprocess.run([program], capture_output=True, text=True, timeout=300, check=False)
    if "unexpected memory mapping" in done.stderr:
        pytest.skip("the thread sanitizer does not run on this kernel")
    assert "data race" not in done.stderr
    assert done.stdout.endswith("all agree\n")
    assert done.returncode == 0
