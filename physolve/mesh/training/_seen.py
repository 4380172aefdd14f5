"""What a run learns from, as its checkpoint tells it: it goes on with the same data alone."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

from .._simulator import Scales
from ..data import MeshStore, StoredMesh

TOLERANCE = 1e-3  # of a standard deviation: another machine may sum in another order
KINDS = (("mean", "scale"), ("output_mean", "output_scale"))


def seen_data(store: MeshStore, scales: Scales) -> dict[str, Any]:
    """The training trajectories with fingerprints of their meshes, and the scales of their fields: not of their
    increments, which the noise of a run is a part of."""
    prints: dict[str, str] = {}
    trajectories = {}
    for name in store.names("train"):
        mesh = store.mesh(name)
        trajectories[name] = prints.setdefault(mesh.key, _print(mesh))
    return {
        "trajectories": trajectories,
        "scales": {name: getattr(scales, name).tolist() for pair in KINDS for name in pair},
    }


def difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """In words, the first one between what two runs have seen; None where there is none."""
    before, now = there["trajectories"], here["trajectories"]
    old, new = there["scales"], here["scales"]
    other = sorted(before.keys() ^ now.keys())
    if other:
        return f"trajectory '{other[0]}' is of {'the run' if other[0] in before else 'these data'} only"
    moved = next((name for name in now if before[name] != now[name]), None)
    if moved is not None:
        return f"trajectory '{moved}' has another mesh"
    for mean, scale in KINDS:
        for name in (mean, scale):
            if (np.abs(np.subtract(old[name], new[name])) > TOLERANCE * np.asarray(new[scale])).any():
                return f"the fields' {name.replace('_', ' ')} was {old[name]} and is {new[name]}"
    return None


def _print(mesh: StoredMesh) -> str:
    digest = blake2b(digest_size=16)
    for array in (mesh.points, mesh.node_type, *(mesh.cells[kind] for kind in sorted(mesh.cells))):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
