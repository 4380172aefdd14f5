"""The compiled kernels' way into this process: built on first use by torch's extension loader, kept in a cache."""

import hashlib
import logging
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import torch

from physolve.errors import SpecificationError, UnsupportedError

from ._rules import register

VARIABLE = "PHYSOLVE_KERNELS"
"""`plain` never compiles, `compiled` raises where the kernels cannot be built; not set: compiled where it can be."""

CACHE_VARIABLE = "PHYSOLVE_CACHE"

HOST_SOURCES = ("torch/bindings.cpp", "host/kernels.cpp", "host/f32.cpp", "host/f64.cpp")
DEVICE_SOURCES = ("torch/device.cpp", "device/kernels.cu")
NO_DEVICE_SOURCES = ("torch/no_device.cpp",)
HOST_FLAGS = ("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fopenmp", "-w")
DEVICE_FLAGS = ("-O3", "--use_fast_math=false", "--expt-relaxed-constexpr", "--extended-lambda")

_log = logging.getLogger("physolve")


@dataclass(frozen=True)
class Kernels:
    """Which path is active: `compiled` or `plain`, on the device too or not, and why."""

    path: Literal["compiled", "plain"]
    cuda: bool
    reason: str


def kernels() -> Kernels:
    """The active path, building the kernels if that has not been done.

    Raises UnsupportedError where the environment variable PHYSOLVE_KERNELS asks for the compiled kernels and they
    cannot be built, SpecificationError where it holds anything but `plain` or `compiled`.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in ("", "plain", "compiled"):
        raise SpecificationError(f"{VARIABLE}: got {wanted!r}, expected 'plain', 'compiled' or nothing")
    if wanted == "plain":
        return Kernels("plain", False, f"{VARIABLE}=plain")
    found = _loaded()
    if wanted == "compiled" and found.path == "plain":
        raise UnsupportedError(f"{VARIABLE}=compiled, but the kernels cannot be used: {found.reason}")
    return found


def is_cached() -> bool:
    """Whether a library for this machine has been built before."""
    return _library(_folder()).is_file()


@cache
def _loaded() -> Kernels:
    """Load the library, building it where the cache has none. Whatever goes wrong is told once; plain torch goes on."""
    try:
        library = _built()
        torch.ops.load_library(library)
        register()
    except Exception as error:  # a missing compiler, a full disk, a foreign processor: never the user's problem
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        _log.warning("jet kernels are not compiled, plain torch is used (slower, same results): %s", reason)
        return Kernels("plain", False, reason)
    vector = torch.ops.physolve.vector_bytes()
    return Kernels("compiled", _with_cuda(), f"{library}, vectors of {vector} bytes")


def _built() -> Path:
    """Path of the library; one process builds, others wait for it."""
    from filelock import FileLock

    folder = _folder()
    library = _library(folder)
    if library.is_file():
        return library
    _check_tools()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not library.is_file():
            _compile(folder)
    return library


def _compile(folder: Path) -> None:
    """Build in a folder of this process, then move: an interrupted build leaves nothing that looks finished."""
    from torch.utils import cpp_extension

    _log.warning("compiling the jet kernels once for this machine (about half a minute) into %s", folder)
    work = folder / f"build-{os.getpid()}"
    work.mkdir(exist_ok=True)
    os.environ.setdefault("MAX_JOBS", str(os.cpu_count() or 1))
    try:
        cpp_extension.load(
            _NAME,
            [str(source_folder() / name) for name in _sources()],
            extra_cflags=list(HOST_FLAGS),
            extra_cuda_cflags=list(DEVICE_FLAGS),
            build_directory=str(work),
            with_cuda=_with_cuda(),
            is_python_module=False,
        )
        os.replace(_library(work), _library(folder))
    finally:
        shutil.rmtree(work, ignore_errors=True)


_NAME = "physolve_kernels"


def _library(folder: Path) -> Path:
    return folder / f"{_NAME}.so"


def _sources() -> tuple[str, ...]:
    return HOST_SOURCES + (DEVICE_SOURCES if _with_cuda() else NO_DEVICE_SOURCES)


def _with_cuda() -> bool:
    return torch.cuda.is_available() and shutil.which("nvcc") is not None


def _check_tools() -> None:
    compiler = os.environ.get("CXX", "c++")
    if shutil.which(compiler) is None:
        raise UnsupportedError(f"no C++ compiler: {compiler!r} is not on the PATH (Debian: apt install g++)")
    _ninja_on_path()


def _ninja_on_path() -> None:
    """The ninja of this Python environment, also where the environment is not activated."""
    if shutil.which("ninja") is None:
        beside = str(Path(sys.executable).parent)
        os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", "")])
    if shutil.which("ninja") is None:
        raise UnsupportedError("ninja is not installed: pip install ninja")


def source_folder() -> Path:
    """`cuda/`: beside this file in an installed package, at the top of a source tree."""
    inside = Path(__file__).parent / "cuda"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "cuda"


def _folder() -> Path:
    root = os.environ.get(CACHE_VARIABLE) or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "physolve"
    )
    return Path(root) / "kernels" / _fingerprint()


@cache
def _fingerprint() -> str:
    """Of everything that decides what the library is: sources, torch, Python, compiler flags, processor."""
    digest = hashlib.sha256()
    for part in (torch.__version__, sys.version, *HOST_FLAGS, *DEVICE_FLAGS, str(_with_cuda()), _processor()):
        digest.update(part.encode())
    for path in sorted(source_folder().rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(source_folder()).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _processor() -> str:
    """Instruction sets: a library built with -march=native must not run on a processor that has fewer."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    return platform.machine() + next((line for line in lines if line.startswith(("flags", "Features"))), "")
