"""Reads a mesh file into a MeshDomain."""

from pathlib import Path
from typing import Any

import numpy as np

from physolve.errors import SpecificationError

from ._mesh import MeshDomain

_FACETS = {2: "line", 3: "triangle"}
_CELLS = {2: "triangle", 3: "tetra"}
_TAGS = ("gmsh:physical", "medit:ref", "cell_tags", "part")  # integer cell data that number the parts


def read(path: str | Path) -> MeshDomain:
    """See MeshDomain.read."""
    mesh, source = _load(Path(path)), str(path)
    points = np.asarray(mesh.points, dtype=np.float64)
    kinds = {block.type for block in mesh.cells}
    if "tetra" in kinds:
        return _solid(mesh, points, 3, source)
    if "triangle" in kinds:
        flat = points.shape[1] == 2 or np.ptp(points[:, 2]) <= 1e-9 * np.ptp(points[:, :2], axis=0).max()
        return (
            _solid(mesh, points[:, :2], 2, source)
            if flat
            else MeshDomain.surface(points, _stack(mesh, "triangle"), source=source)
        )
    found = ", ".join(sorted(kinds)) or "none"
    raise SpecificationError(f"{source}: a mesh of triangles or tetrahedra is needed, its cells are {found}")


def _load(path: Path) -> Any:
    import meshio

    if not path.is_file():
        raise SpecificationError(f"{path}: there is no such mesh file")
    try:
        return meshio.read(path)
    except (meshio.ReadError, SystemExit, KeyError, ValueError, IndexError, OSError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SpecificationError(f"{path}: this mesh file cannot be read ({reason})") from None


def _stack(mesh: Any, kind: str) -> np.ndarray:
    blocks = [np.asarray(block.data) for block in mesh.cells if block.type == kind]
    return np.concatenate(blocks).astype(np.int64) if blocks else np.empty((0, 0), dtype=np.int64)


def _solid(mesh: Any, points: np.ndarray, dim: int, source: str) -> MeshDomain:
    cells = _stack(mesh, _CELLS[dim])
    used, inverse = np.unique(cells, return_inverse=True)  # files hold points that no cell uses
    renumber = np.full(len(points), -1)
    renumber[used] = np.arange(len(used))
    parts = {name: renumber[facets] for name, facets in _parts(mesh, _FACETS[dim]).items() if len(facets)}
    return MeshDomain.of(points[used], inverse.reshape(cells.shape), parts, source)


def _parts(mesh: Any, kind: str) -> dict[str, np.ndarray]:
    """Named facets: by physical group or tag where facets carry one, and by cell set."""
    found: dict[str, list[np.ndarray]] = {}
    names = {int(tag): name for name, (tag, _) in _named_tags(mesh, _DIMENSION[kind]).items()}
    for key in _TAGS:
        for block, tags in zip(mesh.cells, mesh.cell_data.get(key, []), strict=False):
            if block.type == kind:
                for tag in np.unique(tags):
                    found.setdefault(names.get(int(tag), f"part{int(tag)}"), []).append(block.data[tags == tag])
        if found:
            break
    for name, members in mesh.cell_sets.items():
        for block, index in zip(mesh.cells, members, strict=False):
            if block.type == kind and index is not None and len(index) and not name.startswith("gmsh:"):
                found.setdefault(name, []).append(block.data[index])
    return {name: np.concatenate(blocks) for name, blocks in found.items()}


_DIMENSION = {"line": 1, "triangle": 2}


def _named_tags(mesh: Any, dim: int) -> dict[str, Any]:
    return {name: value for name, value in mesh.field_data.items() if len(value) == 2 and int(value[1]) == dim}
