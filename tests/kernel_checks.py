"""What tests of compiled kernels share: builds of the CUDA code without a GPU, and the distance of two tensors."""

import subprocess

import pytest
from torch.utils import cpp_extension

from physolve._kernels import DEVICE_FLAGS, HOST_FLAGS, source_folder


def build(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done


def device_library(folder, *sources):
    """The kernels of files in cuda/device, compiled and linked for sm_80 and sm_90."""
    library = folder / "device.so"
    codes = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in (80, 90)]
    quick = ("-Xcicc", "-O1", "-Xptxas", "-O1")  # full optimisation takes over a minute
    shared = ("nvcc", "-std=c++17", "-shared", "-Xcompiler=-fPIC", "-t", "2")
    build(
        *shared, *DEVICE_FLAGS, *quick, *codes, "-o", library, *(source_folder() / "device" / name for name in sources)
    )
    return library


def check_binding(source):
    """A file in cuda/torch compiles against torch's stream."""
    places = [f"-I{place}" for place in cpp_extension.include_paths()]
    path = source_folder() / "torch" / source
    build("nvcc", "-std=c++20", "-c", "-w", "-Xcompiler=-fsyntax-only", *places, path, "-o", "/dev/null")


def run_as_threads(folder, driver, host_sources):
    """A driver of the device's code with files in cuda/host, run under the thread sanitizer; what it printed."""
    program, sources = folder / "program", [source_folder() / "host" / name for name in host_sources]
    flags = [flag for flag in HOST_FLAGS if flag not in ("-O3", "-fopenmp")]
    build(
        *("g++", "-O1", "-g", "-std=c++17", "-fsanitize=thread", "-pthread", f"-I{source_folder()}", *flags),
        *(driver, *sources, "-o", program),
    )
    done = subprocess.run([program], capture_output=True, text=True, timeout=300, check=False)
    if "unexpected memory mapping" in done.stderr:
        pytest.skip("the thread sanitizer does not run on this kernel")
    assert "data race" not in done.stderr
    assert done.returncode == 0
    return done.stdout


def distance(a, b):
    """Largest difference over the largest entry."""
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    if a.numel() == 0:
        return 0.0
    return float((a - b).detach().abs().max() / b.detach().abs().max().clamp_min(1e-30))
