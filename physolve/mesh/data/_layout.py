"""The layout of a data set on disk; docs/mesh_data.md describes it for other programs.

attributes                  kind = "physolve mesh data", format_version
meshes/0000/points          (n, dim) float64
meshes/0000/node_type       (n,) int8
meshes/0000/cells/triangle  (m, 3) int32, one data set for every kind of cell
trajectories/NAME           attributes: mesh = "0000", split = "train" | "validation" | "test", origin
trajectories/NAME/times     (steps,) float64
trajectories/NAME/prints    (steps,) uint64, a fingerprint of every frame
trajectories/NAME/fields/F  (steps, n) or (steps, n, components) float32, a few whole frames a chunk
"""

from typing import Literal, get_args

KIND = "physolve mesh data"
FORMAT_VERSION = 1
CHUNK_BYTES = 1 << 18
"""Frames are read one at a time and in any order: chunks hold as many whole ones as fit, at least one."""

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def frames_per_chunk(frame_bytes: int, steps: int) -> int:
    return max(1, min(steps, CHUNK_BYTES // max(frame_bytes, 1)))
