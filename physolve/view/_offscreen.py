"""Which OpenGL window VTK can open without a screen, if any.

VTK asks an X server first and dies where a window's library is missing, so the library is asked here beforehand.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

_CHOICE = "VTK_DEFAULT_OPENGL_WINDOW"  # read by VTK whenever it makes a window
_DEVICE_PLATFORM = 0x313F  # EGL_PLATFORM_DEVICE_EXT


@lru_cache(maxsize=1)
def can_render() -> bool:
    """Whether VTK can draw in this process."""
    return not sys.platform.startswith("linux") or _CHOICE in os.environ or _window_class() is not None


@contextmanager
def offscreen_window() -> Iterator[None]:
    """While this lasts, VTK makes windows that need no screen; a choice by the environment goes first."""
    _keep_compilers_apart()
    chosen = _window_class() if sys.platform.startswith("linux") else None
    if chosen is None or _CHOICE in os.environ:
        yield
        return
    os.environ[_CHOICE] = chosen
    try:
        yield
    finally:
        del os.environ[_CHOICE]


@lru_cache(maxsize=1)
def _window_class() -> str | None:
    _keep_compilers_apart()
    if _egl_works():
        return "vtkEGLRenderWindow"
    for name in ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"):
        if _load(name) is not None:
            return "vtkOSOpenGLRenderWindow"
    return None


@lru_cache(maxsize=1)
def _keep_compilers_apart() -> None:
    """Load triton's library before Mesa's driver.

    Mesa opens its driver for all libraries to see, LLVM with it; triton's own LLVM, loaded later (any `torch.optim`
    does), would be bound to Mesa's of another version and crash the process. Bound first, it keeps its own.
    """
    if sys.platform.startswith("linux") and "triton" not in sys.modules and (found := find_spec("triton")):
        for folder in found.submodule_search_locations or ():
            _load(str(Path(folder) / "_C" / "libtriton.so"))


def _load(name: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def _egl_works() -> bool:
    """Whether EGL has a device (a GPU, or Mesa's software one) that can be initialised."""
    egl = _load("libEGL.so.1")
    if egl is None:
        return False
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    egl.eglGetProcAddress.argtypes = [ctypes.c_char_p]
    query, display = (egl.eglGetProcAddress(name) for name in (b"eglQueryDevicesEXT", b"eglGetPlatformDisplayEXT"))
    if not query or not display:
        return False
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    find = ctypes.CFUNCTYPE(integer, integer, ctypes.POINTER(pointer), ctypes.POINTER(integer))(query)
    open_display = ctypes.CFUNCTYPE(pointer, ctypes.c_uint, pointer, pointer)(display)
    egl.eglInitialize.argtypes = [pointer, pointer, pointer]
    devices, count = (pointer * 16)(), integer(0)
    if not find(16, devices, ctypes.byref(count)):
        return False
    opened = (open_display(_DEVICE_PLATFORM, devices[k], None) for k in range(count.value))
    return any(one and egl.eglInitialize(one, None, None) for one in opened)
