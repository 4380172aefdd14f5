"""The compiled kernels' way into this process: built on first use by torch's extension loader, kept in a cache.

One library for every room that has kernels; each room describes its own (`KernelLibrary`). Beside the errors, below all
rooms: it knows of sources, compilers and files only.
"""

import hashlib
import inspect
import logging
import os
import platform
import re
import shlex
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from filelock import FileLock

from physolve.errors import SpecificationError, UnsupportedError

VARIABLE = "PHYSOLVE_KERNELS"
"""`plain` never compiles, `compiled` raises where the kernels cannot be built; not set: compiled where it can be."""

CACHE_VARIABLE = "PHYSOLVE_CACHE"

HOST_FLAGS = ("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fopenmp", "-w")
DEVICE_FLAGS = ("-O3", "--expt-relaxed-constexpr")

_log = logging.getLogger("physolve")
_one_at_a_time = threading.Lock()
_INCLUDE = re.compile(r'^#include "(.+)"', re.MULTILINE)


@dataclass(frozen=True)
class Kernels:
    """Which path is active: `compiled` or `plain`, on the device too or not, and why."""

    path: Literal["compiled", "plain"]
    cuda: bool
    reason: str


@dataclass(frozen=True)
class KernelLibrary:
    """What one library is made of: sources as paths below `cuda/`, and what torch is told once it is loaded.

    title             what messages call its kernels
    name              of the file, and of torch's extension
    host              sources for the processor and torch
    device            sources for the GPU
    no_device         what stands in for these without CUDA
    register          adds fake, autograd and other rules to the operations
    vector_bytes      asks the loaded library for the length of its vectors
    """

    title: str
    name: str
    host: tuple[str, ...]
    device: tuple[str, ...]
    no_device: tuple[str, ...]
    register: Callable[[], None]
    vector_bytes: Callable[[], int]

    def active(self) -> Kernels:
        """The active path, building the library if that has not been done.

        Raises UnsupportedError where the environment variable PHYSOLVE_KERNELS asks for the compiled kernels and they
        cannot be built, SpecificationError where it holds anything but `plain` or `compiled`.
        """
        wanted = os.environ.get(VARIABLE, "")
        if wanted not in ("", "plain", "compiled"):
            raise SpecificationError(f"{VARIABLE}: got {wanted!r}, expected 'plain', 'compiled' or nothing")
        if wanted == "plain":
            return Kernels("plain", False, f"{VARIABLE}=plain")
        with _one_at_a_time:
            found = _loaded(self)
        if found.path == "plain":
            refuse_if_forced(found.reason)
        return found

    def runs_on(self, device: str) -> bool:
        """Whether its kernels are there for this type of device: constant within a process. Raises as `active`."""
        if device not in ("cpu", "cuda"):
            return False
        active = self.active()
        return active.path == "compiled" and (device == "cpu" or active.cuda)


def with_signature(forward: Callable[..., Any]) -> Callable[..., Any]:
    """For the `forward` of an autograd function: torch asks for its signature at every call, which takes longer than a
    small kernel unless it is at hand."""
    setattr(forward, "__signature__", inspect.signature(forward))  # noqa: B010
    return forward


def is_traced_gradient() -> bool:
    """Whether torch.compile traces inside of torch.func's grad, vjp, jvp or what is made of them: torch (2.14) can then
    use neither an operation's registered rules nor its autograd function."""
    return torch.compiler.is_compiling() and _inside_gradient()


def _inside_gradient() -> bool:
    functorch = torch._C._functorch  # type: ignore[attr-defined]
    kinds = functorch.TransformType.Grad, functorch.TransformType.Jvp
    return any(level.key() in kinds for level in functorch.get_interpreter_stack() or ())


def constant_in_traces(function: Callable[..., Any]) -> None:
    """Have torch.compile call the function while it traces, as torch.compiler.assume_constant_result does; that one
    imports torch._dynamo, which takes a second."""
    setattr(function, "_dynamo_marked_constant", True)  # noqa: B010


constant_in_traces(_inside_gradient)


def refuse_if_forced(reason: str) -> None:
    """Raise UnsupportedError where PHYSOLVE_KERNELS asks for the compiled kernels; why they cannot be used."""
    if os.environ.get(VARIABLE) == "compiled":
        raise UnsupportedError(f"{VARIABLE}=compiled, but the kernels cannot be used: {reason}")


@cache
def _loaded(library: KernelLibrary) -> Kernels:
    """Load the library, building it where the cache has none. Whatever goes wrong is told once, and the next poorer way
    is taken: the host's kernels without the device's, plain torch."""
    reasons: list[str] = []
    for cuda in (True, False) if _has_cuda() else (False,):
        try:
            path = _load(library, cuda)
            library.register()
        except Exception as error:  # a missing compiler, a full disk, a foreign processor: never the user's problem
            reasons.append(_reason_of(error))
            way = "on the GPU" if cuda else "here, plain torch is used (slower, same results)"
            _log.warning("%s kernels are not compiled %s: %s", library.title, way, reasons[-1])
        else:
            active = f"{path}, vectors of {library.vector_bytes()} bytes"
            return Kernels("compiled", cuda, "; ".join([active, *reasons]))
    return Kernels("plain", False, "; ".join(reasons))


def _reason_of(error: Exception) -> str:
    """The compiler's first complaint, else the first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if re.search(r"\berror\s*:|\bfatal\b", line)), lines[0])


def _load(library: KernelLibrary, cuda: bool) -> Path:
    """Path of the library, loaded. One process builds, others wait for it; its size is written last, so that an
    interrupted build is gone on with, and what was cut off later is built anew: to load that would end the process."""
    folder = _folder(library, cuda)
    path, finished = folder / f"{library.name}.so", folder / "finished"
    if not _is_whole(path, finished):
        with _tools_on_path(), _lock_of(folder):
            if not _is_whole(path, finished):
                path.unlink(missing_ok=True)
                _compile(library, folder, cuda)
                finished.write_text(str(path.stat().st_size))
                return path
    torch.ops.load_library(path)
    return path


def _is_whole(path: Path, finished: Path) -> bool:
    try:
        return finished.read_text() == str(path.stat().st_size)
    except OSError:
        return False


def _compile(library: KernelLibrary, folder: Path, cuda: bool) -> None:
    """Build, and load what was built."""
    from torch.utils import cpp_extension

    duration = "a few minutes, most of them for the GPU" if cuda else "less than a minute"
    _log.warning("compiling the %s kernels once for this machine (%s) into %s", library.title, duration, folder)
    (folder / "lock").unlink(missing_ok=True)  # torch's own, left by a killed process; some versions wait for ever
    cpp_extension.load(
        library.name,
        [str(source_folder() / name) for name in _sources(library, cuda)],
        extra_cflags=list(HOST_FLAGS),
        extra_cuda_cflags=list(DEVICE_FLAGS),
        build_directory=str(folder),
        with_cuda=cuda,
        is_python_module=False,
    )


def _sources(library: KernelLibrary, cuda: bool) -> tuple[str, ...]:
    return library.host + (library.device if cuda else library.no_device)


def _has_cuda() -> bool:
    return torch.cuda.is_available() and shutil.which("nvcc") is not None


def _lock_of(folder: Path) -> FileLock:
    """Held by one process at a time, and by none that was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_suffix(".lock"))


@contextmanager
def _tools_on_path() -> Iterator[None]:
    """A compiler, and the ninja of this Python environment also where the environment is not activated."""
    compiler = (shlex.split(os.environ.get("CXX", "")) or ["c++"])[0]  # it may have arguments
    if shutil.which(compiler) is None:
        raise UnsupportedError(f"no C++ compiler: {compiler!r} is not on the PATH (Debian: apt install g++)")
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([before, str(Path(sys.executable).parent)])
    try:
        if shutil.which("ninja") is None:
            raise UnsupportedError("ninja is not installed: pip install ninja")
        yield
    finally:
        os.environ["PATH"] = before


def source_folder() -> Path:
    """`cuda/`: beside this file in an installed package, at the top of a source tree."""
    inside = Path(__file__).parent / "cuda"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[1] / "cuda"


def _folder(library: KernelLibrary, cuda: bool) -> Path:
    root = os.environ.get(CACHE_VARIABLE) or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "physolve"
    )
    return Path(root) / "kernels" / _fingerprint(library, cuda)


def _fingerprint(library: KernelLibrary, cuda: bool) -> str:
    """Of everything that decides what the library is: sources, torch, Python, compiler flags, processor, GPU."""
    device = f"{torch.cuda.get_device_capability()} {os.environ.get('TORCH_CUDA_ARCH_LIST')}" if cuda else "host"
    digest = hashlib.sha256()
    for part in (library.name, torch.__version__, sys.version, *HOST_FLAGS, *DEVICE_FLAGS, device, _processor()):
        digest.update(part.encode())
    folder = source_folder().resolve()
    for path in sorted(_with_included(folder / name for name in _sources(library, cuda))):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _with_included(files: Iterable[Path]) -> set[Path]:
    """The files and what they include of ours, so that a library is built anew when something of its own changes."""
    found: set[Path] = set()
    waiting = [path.resolve() for path in files]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [(path.parent / name).resolve() for name in _INCLUDE.findall(path.read_text())]
    return found


def _processor() -> str:
    """Instruction sets: a library built with -march=native must not run on a processor that has fewer."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    return platform.machine() + next((line for line in lines if line.startswith(("flags", "Features"))), "")
