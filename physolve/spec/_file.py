"""Problem files: TOML, read and written exactly.

    title = "Poisson on the L-shape"         # title and comment make up the problem's description
    comment = "One paragraph."
    coordinates = ["x", "y"]                 # time, if there is one, is last and called t
    equations = ["-laplacian(u) = 1"]        # lhs = rhs; vectors are written [a, b]
    domain = "square - notch"                # shapes named below, or written out

    [unknowns]                               # or unknowns = ["u"]
    u = {}
    v = { components = 2 }                   # v, and its components v_x, v_y
    [constants]                              # numbers, or expressions such as "2*pi"
    [parameters]                             # D = { guess = 1.0 }: to be found from observations
    [expressions]                            # f = "sin(pi*x)", to be used in what follows
    [data]                                   # used as s(x, y)
    s = { file = "s.npz", key = "source", extent = [[-1, 1], [-1, 1]], layout = "raster" }
                                             # or .npy, .csv; or a grey .png, .tif with range = [black, white]
    [shapes]                                 # the name of a shape is also that of its boundary
    square = "rectangle([-1, -1], [1, 1])"
    notch = "rectangle([0, 0], [1, 1])"
    [[conditions]]
    kind = "dirichlet"                       # the fields are those of the conditions in Python
    unknown = "u"
    value = "0"
    on = "square"                            # a part, a list of parts, "where: x < 0.5 and y > 0"
                                             # or "shape: disk([0, 0], 1)"
    [exact]                                  # u = "..."

Nothing in a file is executed; pickled objects are never loaded. Constants and named expressions are
substituted when reading. Messages count equations and conditions from one.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np

from ..errors import PhysolveError, ProblemFileError, SpecificationError
from ._data import GridData
from ._file_data import DataSource
from ._file_read import MAX_BYTES, read_text
from ._file_write import needs_saving, write_text
from ._problem import Problem


def read_problem(path: str | PathLike[str], data: Mapping[str, str | PathLike[str]] | None = None) -> Problem:
    """The problem in a TOML file; without a name of its own it is called after the file.

    `data` gives files for entries of [data] by name, "field.npz" or "field.npz:key"; they replace those of
    the file. Raises ProblemFileError, one line: "poisson.toml: equation 1: column 7: ...".
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ProblemFileError(f"{path.name}: the file is larger than {MAX_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows begin files with a mark
    except FileNotFoundError:
        raise ProblemFileError(f"{path.name}: no such file in '{path.parent}'") from None
    except UnicodeDecodeError:
        raise ProblemFileError(f"{path.name}: not a text file in UTF-8") from None
    except OSError as error:
        raise ProblemFileError(f"{path.name or path}: cannot be read: {error.strerror}") from None
    return read_text(text, path.name, path.stem, path.parent, data or {})


def loads_problem(
    text: str, base: str | PathLike[str] | None = None, data: Mapping[str, str | PathLike[str]] | None = None
) -> Problem:
    """The problem that a text states, its files looked for in the folder `base`; else as `read_problem`."""
    return read_text(text, "problem", "", None if base is None else Path(base), data or {})


def dumps_problem(problem: Problem) -> str:
    """The text of a problem's file: loads_problem(dumps_problem(p)) == p.

    Files are named by their full path. Raises SpecificationError for what no text can hold: Python functions as `on`,
    more than 5,000 values on a grid without a file (`write_problem` saves those), a mesh that came from no file.
    """
    text = write_text(problem, None, {})
    _check_same(problem, text, None)
    return text


def write_problem(problem: Problem, path: str | PathLike[str]) -> None:
    """Writes the problem to a TOML file, and large data without a file to npz files next to it.

    read_problem(path) == problem. The file appears whole or not at all. Raises as `dumps_problem`, and
    ProblemFileError where the file cannot be written.
    """
    path = Path(path)
    saved: dict[GridData, DataSource] = {}
    try:
        for grid in problem.data:
            if needs_saving(grid):
                saved[grid] = _save_data(grid, path)
        text = write_text(problem, path.parent, saved)
        _check_same(problem, text, path.parent)
        _replace(path, text.encode("utf-8"))
    except BaseException as error:
        for source in saved.values():
            source.path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ProblemFileError(f"{path.name}: cannot be written: {error.strerror}") from None
        raise


def _check_same(problem: Problem, text: str, base: Path | None) -> None:
    """Reads the text back: what is written is what was meant, or nothing is written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            again = read_text(text, "problem", "", base, {})
        except PhysolveError as error:
            raise SpecificationError(f"the problem cannot be written to a file: {error}") from None
    if again != problem:
        different = [f for f in type(problem).__dataclass_fields__ if vars(again)[f] != vars(problem)[f]]
        raise SpecificationError(
            f"the problem cannot be written to a file exactly: {', '.join(different)} would change; "
            "simplify expressions that sympy holds unevaluated"
        )


def _save_data(grid: GridData, path: Path) -> DataSource:
    """The values of a grid in an npz file next to the problem file, named after both."""
    target = path.with_name(f"{path.stem}_{grid.name}.npz")
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **{grid.name: grid.values})
    _replace(target, stream.getvalue())
    return DataSource(target.resolve(), grid.name)


def _replace(path: Path, content: bytes) -> None:
    """Puts a whole file in place at once."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
