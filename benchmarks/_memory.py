"""How much memory a piece of work needs, by the process's own high-water mark."""

import ctypes
import re
from collections.abc import Callable
from pathlib import Path


def grown(run: Callable[[], object]) -> float:
    """Bytes by which the resident set was larger at its highest than before, results included."""
    # Freed memory goes back to the system at once, else earlier calls would hide later ones.
    ctypes.CDLL(None).mallopt(-3, 65536)
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = resident()
    run()
    return _status("VmHWM") - before


def resident() -> float:
    """Bytes of the resident set now."""
    return _status("VmRSS")


def _status(field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return 1e3 * int(found[1]) if found else float("nan")
