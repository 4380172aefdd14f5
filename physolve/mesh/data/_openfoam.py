"""OpenFOAM cases, through PyVista's reader: nodal values, patches as parts."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from physolve.errors import ProblemFileError

from ._series import Frame, Mesh, Series, same_mesh
from ._vtk import unpacked


def read_openfoam(case: Path) -> list[Series]:
    """The one trajectory of a case folder; its patches become parts that node rules may name.

    Values of cells are averaged to nodes. A plane case stays three-dimensional, one cell thick. Raises ProblemFileError
    for a case without times, and for polyhedra, which have no edges of their own here.
    """
    reader = _reader(case)
    times = np.array(reader.time_values, dtype=float)
    if not len(times):
        raise ProblemFileError(f"{case}: steps: got no time folders; reconstruct a decomposed case first")
    points, cells, _, parts = _at(case, reader, times[0])
    frame = partial(_frame, case, times, (points, cells))
    return [Series(case.name, str(case), points, cells, times, frame, parts=parts)]


def _frame(case: Path, times: np.ndarray, first: Mesh, step: int) -> Frame:
    points, cells, data, _ = _at(case, _reader(case), times[step])
    same_mesh(str(case), step, first, (points, cells))
    return data


def _reader(case: Path) -> Any:
    import pyvista

    reader = pyvista.POpenFOAMReader(str(case / "system" / "controlDict"))
    reader.skip_zero_time = False
    reader.cell_to_point_creation = True
    reader.enable_all_patch_arrays()
    return reader


def _at(case: Path, reader: Any, time: float) -> Any:
    """Points, cells, nodal values and parts at a time."""
    reader.set_active_time_value(time)
    blocks = reader.read()
    mesh = blocks["internalMesh"]
    if mesh is None or not mesh.n_points:
        raise ProblemFileError(f"{case}: content: no mesh; expected constant/polyMesh")
    points, cells, data = unpacked(str(case), mesh)
    return points, cells, data, _parts(mesh, blocks)


def _parts(mesh: Any, blocks: Any) -> dict[str, np.ndarray]:
    """Nodes of every patch: those of the mesh at the same places."""
    from scipy.spatial import cKDTree

    if "boundary" not in blocks.keys():  # noqa: SIM118 (not a dict)
        return {}
    tree, patches = cKDTree(mesh.points), blocks["boundary"]
    return {name: np.unique(tree.query(patches[name].points)[1]) for name in patches.keys() if patches[name].n_points}  # noqa: SIM118
