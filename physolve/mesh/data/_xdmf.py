"""XDMF time series (FEniCS, meshio): one trajectory a file."""

from functools import partial
from pathlib import Path

import numpy as np

from physolve.errors import ProblemFileError
from physolve.io import joined_blocks

from ._planar import flattened
from ._series import Frame, Series


def read_xdmf(file: Path) -> list[Series]:
    """The one trajectory of a file: a temporal collection of grids over one mesh.

    Raises ProblemFileError for a file with steps but no mesh, or without steps.
    """
    import meshio

    with meshio.xdmf.TimeSeriesReader(file) as reader:
        points, blocks = reader.read_points_cells()
        times = np.array([reader.read_data(step)[0] for step in range(reader.num_steps)], dtype=float)
    cells = {kind: block.astype(np.int64) for kind, block in joined_blocks(blocks).items()}
    return [Series(file.stem, str(file), flattened(points, cells), cells, times, partial(_frame, file))]


def _frame(file: Path, step: int) -> Frame:
    import meshio

    with meshio.xdmf.TimeSeriesReader(file) as reader:
        reader.read_points_cells()
        _, data, _ = reader.read_data(step)
    if not data:
        raise ProblemFileError(f"{file}: step {step} has no values at nodes; write nodal fields, not those of cells")
    return data
