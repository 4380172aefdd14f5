"""Problems that are known only as rasters: the five channels of a published npz file and the coefficients."""

import zipfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve.errors import ProblemFileError

from ._batch import Boundary, ProblemBatch
from ._raster import draw, grid_nodes

CHANNELS = ("dirichlet_mask", "neumann_mask", "dirichlet_values", "neumann_values", "source")
SMOOTHING = 2.0
"""Nodes over which the domain's mask is smoothed before its gradient is taken for the normals."""

Raster = Float[np.ndarray, "n n"]


def read_raster_problem(
    path: str | PathLike[str],
    coefficients: Sequence[float] | Float[Tensor, "5"],
    grid: int | None = None,
    points: int = 2048,
    edge: int = 1024,
    seed: int = 0,
) -> ProblemBatch:
    """A batch of one from an npz file with the arrays of CHANNELS and `domain_mask`, all n x n, row 0 at y = 1.

    coefficients   of u, u_x, u_y, u_xx, u_yy, in the square
    grid           nodes of the raster that is returned; by default those of the file. Other grids get the source by
                   linear interpolation and the boundaries drawn anew.

    Interior points are `points` nodes of the domain mask off the lines, boundary points `edge` nodes on the middle of
    the lines, which lies on the boundary to half a spacing: accurate to that and no better. Where a file has no
    `neumann_normals` (2, n, n), or zeros there, normals are those of the domain mask.
    Raises ProblemFileError for a file that cannot be read or lacks an array.
    """
    arrays = _read(Path(path))
    n = len(arrays["source"])
    random = np.random.default_rng(seed)
    nodes = grid_nodes(n, torch.float64)
    interior = torch.from_numpy(_some(_inside(arrays), points, random))
    boundary = _boundary(arrays, nodes, edge, random)
    source = torch.from_numpy(arrays["source"])
    return ProblemBatch(
        coefficients=torch.as_tensor(coefficients, dtype=torch.float64).reshape(1, 5),
        raster=_raster(arrays, boundary, grid or n).float(),
        inside=_domain(arrays, grid or n),
        interior=nodes.reshape(1, -1, 2)[:, interior],
        source=source.reshape(1, -1)[:, interior],
        boundary=boundary,
    )


def _read(path: Path) -> dict[str, np.ndarray]:
    names = (*CHANNELS, "domain_mask")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name], dtype=np.float64) for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise ProblemFileError(f"{path.name}: cannot be read as npz: {str(error).splitlines()[0]}") from None
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ProblemFileError(f"{path.name}: holds no {', '.join(missing)}; a raster problem has {', '.join(names)}")
    shape = arrays["source"].shape
    if len(shape) != 2 or shape[0] != shape[1] or any(arrays[name].shape != shape for name in names):
        shapes = ", ".join(f"{name} {arrays[name].shape}" for name in names)
        raise ProblemFileError(f"{path.name}: expected rasters of one shape n x n, got {shapes}")
    return arrays


def _inside(arrays: dict[str, np.ndarray]) -> Bool[np.ndarray, "n n"]:
    lines = (arrays["dirichlet_mask"] > 0) | (arrays["neumann_mask"] > 0)
    return (arrays["domain_mask"] > 0) & ~lines


def _some(mask: Bool[np.ndarray, "n n"], count: int, random: np.random.Generator) -> np.ndarray:
    """Flat indices of `count` of the set nodes; all different where there are as many."""
    nodes = np.flatnonzero(mask)
    if not len(nodes):
        raise ProblemFileError("raster problem: no node of the domain mask lies off the boundary lines")
    return random.choice(nodes, count, replace=len(nodes) < count)


def centers(mask: Raster) -> Bool[np.ndarray, "n n"]:
    """The middle of the lines of a mask: the nodes that lie deepest in it.

    A line along the border of the square goes on outside, where it cannot be seen: its middle is the border.
    """
    from scipy.ndimage import distance_transform_edt, maximum_filter

    wide = np.pad(mask > 0, len(mask) // 8, mode="symmetric")
    depth = np.asarray(distance_transform_edt(wide))
    middle = wide & (depth >= maximum_filter(depth, 3))
    k = len(mask) // 8
    return middle[k:-k, k:-k]


def _boundary(arrays: dict[str, np.ndarray], nodes: Tensor, edge: int, random: np.random.Generator) -> Boundary:
    dirichlet, neumann = (centers(arrays[f"{kind}_mask"]) for kind in ("dirichlet", "neumann"))
    chosen = np.flatnonzero(dirichlet | neumann)
    if not len(chosen):
        raise ProblemFileError("raster problem: the masks of the boundary are empty; expected one line at least")
    rows = chosen[np.floor((np.arange(edge) + random.uniform()) / edge * len(chosen)).astype(int)]

    def column(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values.reshape(-1)[rows])[None]

    return Boundary(
        points=nodes.reshape(1, -1, 2)[:, rows],
        normals=torch.from_numpy(_normals(arrays).reshape(2, -1)[:, rows].T.copy())[None],
        dirichlet=column(np.where(dirichlet, arrays["dirichlet_values"], 0.0)),
        on_dirichlet=column(dirichlet),
        neumann=column(np.where(neumann, arrays["neumann_values"], 0.0)),
        on_neumann=column(neumann),
    )


def _normals(arrays: dict[str, np.ndarray]) -> Float[np.ndarray, "2 n n"]:
    """Outward normals: those of the file where it has some, else down the smoothed mask of the domain."""
    from scipy.ndimage import gaussian_filter

    k = int(4 * SMOOTHING)
    smooth = gaussian_filter(np.pad((arrays["domain_mask"] > 0).astype(float), k), SMOOTHING)
    down, right = np.gradient(smooth)
    normals = np.stack([-right, down])[:, k:-k, k:-k]  # rows run against y
    given = arrays.get("neumann_normals", np.zeros_like(normals))
    normals = np.where(np.any(given != 0, axis=0), given, normals)
    return normals / np.maximum(np.linalg.norm(normals, axis=0), 1e-300)


def _domain(arrays: dict[str, np.ndarray], grid: int) -> Bool[Tensor, "1 n n"]:
    """The domain's mask on another grid: the nearest node decides."""
    mask = torch.from_numpy(arrays["domain_mask"])[None, None]
    scaled = torch.nn.functional.interpolate(mask, size=(grid, grid), mode="bilinear", align_corners=True)
    return scaled[:, 0] > 0.5


def _raster(arrays: dict[str, np.ndarray], boundary: Boundary, grid: int) -> Float[Tensor, "1 5 n n"]:
    given = torch.from_numpy(np.stack([arrays[name] for name in CHANNELS]))[None]
    if grid == given.shape[-1]:
        return given
    dirichlet = draw(boundary.points, boundary.dirichlet, boundary.on_dirichlet, grid)
    neumann = draw(boundary.points, boundary.neumann, boundary.on_neumann, grid)
    source = torch.nn.functional.interpolate(given[:, 4:], size=(grid, grid), mode="bilinear", align_corners=True)
    return torch.stack([dirichlet.mask, neumann.mask, dirichlet.values, neumann.values, source[:, 0]], 1)
