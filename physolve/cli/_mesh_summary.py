"""What a data set on meshes holds, told after it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._summary import print_table

if TYPE_CHECKING:
    from ..mesh.data import MeshStore


def data_set_record(store: MeshStore) -> dict[str, Any]:
    """What a data set holds."""
    names = store.names()
    meshes = {mesh.key: mesh for mesh in map(store.mesh, names)}
    counts = {split: len(store.names(split)) for split in ("train", "validation", "test")}
    return {
        "file": str(store.path),
        "trajectories": len(names),
        **counts,
        "steps": sum(len(store.times(name)) for name in names),
        "meshes": len(meshes),
        "nodes": sorted({len(mesh.points) for mesh in meshes.values()}),
        "fields": store.fields(),
        "node_types": _types(meshes.values()),
    }


def _types(meshes: Any) -> dict[str, int]:
    """How many nodes of all meshes have each type."""
    from ..mesh import NodeType

    counts = {kind.name.lower(): sum(int((mesh.node_type == kind).sum()) for mesh in meshes) for kind in NodeType}
    return {name: count for name, count in counts.items() if count}


def print_data_set(store: MeshStore) -> None:
    """The same as a table."""
    record = data_set_record(store)
    nodes = record["nodes"]
    fields = ", ".join(f"{name} ({size or 'scalar'})" for name, size in record["fields"].items())
    parts = ", ".join(f"{count} {split}" for split in ("train", "validation", "test") if (count := record[split]))
    rows = [
        ("file", record["file"]),
        ("trajectories", f"{record['trajectories']} ({parts}), {record['steps']} steps"),
        ("meshes", f"{record['meshes']}, of {nodes[0]}{f' to {nodes[-1]}' if len(nodes) > 1 else ''} nodes"),
        ("fields", fields),
        ("node types", ", ".join(f"{count} {name}" for name, count in record["node_types"].items())),
    ]
    print_table(rows)
