"""`physolve doctor`: what this machine and this installation have."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

from ._failures import told_in_one_line
from ._options import AsJson, Debug
from ._summary import print_json, print_table

if TYPE_CHECKING:
    from physolve.jets import Kernels

COMPILERS = ("c++", "g++", "clang++", "nvcc")


def doctor(as_json: AsJson = False, debug: Debug = False) -> None:
    """Print versions, threads, BLAS, compilers, GPU and kernels."""
    with told_in_one_line(debug):
        found = {**_system(), **_torch(), **_compilers(), **_packages()}
        if as_json:
            print_json(found)
        else:
            print_table(list(found.items()))


def _system() -> dict[str, str]:
    return {
        "physolve": _version("physolve"),
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()}",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
    }


def _torch() -> dict[str, str]:
    import torch

    from physolve.jets import kernels
    from physolve.mesh import attention_kernels

    return {
        "torch": torch.__version__,
        "threads": f"{torch.get_num_threads()} within, {torch.get_num_interop_threads()} between operations",
        "BLAS": _blas(),
        "GPU": _gpu(),
        "kernels": _path(kernels()),
        "attention": _path(attention_kernels()),
    }


def _path(found: Kernels) -> str:
    """Which path of some kernels is active, and why; asking for them built them where that had not been done."""
    device = ", with CUDA" if found.cuda else ", not on a GPU"
    return f"{found.path}{device if found.path == 'compiled' else ' torch'}: {found.reason}"


def _blas() -> str:
    """The linear algebra library that torch was built with."""
    import torch

    found = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    return found[1] if found else "unknown"


def _gpu() -> str:
    import torch

    if not torch.cuda.is_available():
        return "none that torch can use"
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return f"{', '.join(names)} (CUDA {torch.version.cuda})"


def _compilers() -> dict[str, str]:
    found = {name: path for name in COMPILERS if (path := shutil.which(name))}
    return {name: f"{_version_line(path)} ({path})" for name, path in found.items()} or {"compilers": "none"}


def _version_line(program: str) -> str:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "does not run"
    lines = (done.stdout or done.stderr).splitlines()
    return next((line.strip() for line in lines if re.search(r"\d\.\d", line)), "tells no version")


def _packages() -> dict[str, str]:
    """Versions of what physolve needs to run."""
    lines = [line for line in requires("physolve") or [] if "extra ==" not in line]
    names = sorted({line.split(";")[0].strip().rstrip("0123456789.,<>=!~ ") for line in lines} - {"torch"})
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
