"""Stations as a directed graph whose edges carry what a finite-volume scheme needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from physolve.errors import SpecificationError

from ._cells import Cells, voronoi_cells
from ._sphere import bearing, haversine, local_plane, middle_of

FEWEST = 3
NEAREST = 1.0
"""Metres between stations that count as two."""

_DTYPES = {"i": torch.int64, "f": torch.float32}


@dataclass(frozen=True, eq=False)
class StationGraph:
    """n stations; stations whose Voronoi cells touch are joined by two edges, one each way.

    sender, receiver   (edges,) stations; edge 2 k and edge 2 k + 1 are the two directions of pair k
    distance           (edges,) m, on the sphere
    bearing            (edges,) radians clockwise from north in which the edge leaves its sender
    normal             (edges, 2) unit vector east and north from sender to receiver on the local plane: normal to the
                       face. It differs from the bearing by the angle between meridians (0.4 degrees over 70 km), and
                       makes uniform wind free of divergence to rounding
    face               (edges,) m, length of the face between the two cells
    ends               (edges, 2, 2) m, where the face begins and ends: the normal points right on the way
    area               (n,) m^2, of the cells
    wall, wall_face, wall_normal, wall_ends   cells, lengths, outward normals and ends of the faces on the rim
    position           (n, 2) m east and north of the middle
    """

    sender: Int[Tensor, " edges"]
    receiver: Int[Tensor, " edges"]
    distance: Float[Tensor, " edges"]
    bearing: Float[Tensor, " edges"]
    normal: Float[Tensor, "edges 2"]
    face: Float[Tensor, " edges"]
    ends: Float[Tensor, "edges 2 2"]
    area: Float[Tensor, " n"]
    wall: Int[Tensor, " rim"]
    wall_face: Float[Tensor, " rim"]
    wall_normal: Float[Tensor, "rim 2"]
    wall_ends: Float[Tensor, "rim 2 2"]
    position: Float[Tensor, "n 2"]

    def __len__(self) -> int:
        return len(self.area)

    @property
    def pairs(self) -> int:
        return len(self.sender) // 2

    def map(self, change: Callable[[Tensor], Tensor]) -> "StationGraph":
        """With all tensors changed: moved to a device, say."""
        return type(self)(*(change(getattr(self, each.name)) for each in fields(self)))

    def double(self) -> "StationGraph":
        """With real numbers of 64 bits."""
        return self.map(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)


def station_graph(
    latitude: Float[np.ndarray, " n"], longitude: Float[np.ndarray, " n"], walls: Sequence[float] = ()
) -> StationGraph:
    """The graph of stations at places in degrees, float32.

    `walls` are west, south, east and north of the region, in degrees; without them its rim is guessed.

    Raises SpecificationError for fewer than three stations, for two at the same place (within a metre), and for walls
    that do not have all stations between them.
    """
    latitude, longitude = np.asarray(latitude, dtype=np.float64), np.asarray(longitude, dtype=np.float64)
    _check(latitude, longitude)
    position = local_plane(latitude, longitude)
    cells = voronoi_cells(position, _rectangle(latitude, longitude, walls) if walls else None)
    first, second = cells.pairs
    ends = latitude[first], longitude[first], latitude[second], longitude[second]
    forth, back = bearing(*ends), bearing(*ends[2:], *ends[:2])
    return _directed(cells, position, haversine(*ends), np.stack([forth, back], axis=1))


def _directed(
    cells: Cells,
    position: Float[np.ndarray, "n 2"],
    distance: Float[np.ndarray, " faces"],
    bearings: Float[np.ndarray, "faces 2"],
) -> StationGraph:
    """Both directions of every face, next to each other."""
    signs = np.array([1.0, -1.0])
    sender, receiver = cells.pairs.T.ravel(), cells.pairs[::-1].T.ravel()
    normal = (cells.normals[:, None] * signs[:, None]).reshape(-1, 2)
    ends = np.stack([cells.ends, cells.ends[:, ::-1]], axis=1).reshape(-1, 2, 2)
    reals = (np.repeat(distance, 2), bearings.ravel(), normal, np.repeat(cells.lengths, 2), ends, cells.areas)
    outer = cells.wall_lengths, cells.wall_normals, cells.wall_ends, position
    parts = (sender, receiver, *reals, cells.walls, *outer)
    return StationGraph(*(torch.tensor(part, dtype=_DTYPES[part.dtype.kind]) for part in parts))


def _rectangle(
    latitude: Float[np.ndarray, " n"], longitude: Float[np.ndarray, " n"], walls: Sequence[float]
) -> Float[np.ndarray, "2 2"]:
    """Its lower and upper corner on the stations' plane, from where meridians and parallels of its middle meet it."""
    west, south, east, north = walls
    if not (west < longitude.min() and longitude.max() < east and south < latitude.min() and latitude.max() < north):
        raise SpecificationError(
            f"station graph: walls: got west, south, east, north {list(walls)}, expected all stations between them:"
            f" longitudes {longitude.min():g} to {longitude.max():g},"
            f" latitudes {latitude.min():g} to {latitude.max():g}"
        )
    middle = middle_of(latitude, longitude)
    ends = local_plane(np.array([middle[0]] * 2 + [south, north]), np.array([west, east] + [middle[1]] * 2), middle)
    return np.stack([ends[:2, 0], ends[2:, 1]], axis=1)


def _check(latitude: Float[np.ndarray, " n"], longitude: Float[np.ndarray, " n"]) -> None:
    if len(latitude) < FEWEST:
        raise SpecificationError(f"station graph: got {len(latitude)} stations, expected at least {FEWEST}")
    apart = haversine(latitude[:, None], longitude[:, None], latitude[None], longitude[None])
    near = np.argwhere(np.triu(~(apart > NEAREST), k=1))
    if len(near):
        i, j = near[0].tolist()
        raise SpecificationError(
            f"station graph: stations {i} and {j} are less than {NEAREST:g} m apart (or not finite); join them"
        )
