"""`physolve mesh convert`: simulations in, one data set out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._console import messages
from ._failures import told_in_one_line
from ._options import AsJson, Debug, Quiet, Seed, positive
from ._summary import print_json, print_table

if TYPE_CHECKING:
    from ..mesh.data import Fields, MeshStore
    from ..spec import Shape


def convert(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Files or folders with simulations.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The data set to write (.h5).")],
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="NAME[=A,B,...]", help="A field to keep; from the arrays A, B. Repeatable."),
    ] = None,
    node_types: Annotated[
        Path | None, typer.Option("--node-types", metavar="FILE", help="Rules for node types (TOML).")
    ] = None,
    type_field: Annotated[
        str | None, typer.Option("--type-field", metavar="NAME", help="The array that holds node types.")
    ] = None,
    problem: Annotated[
        Path | None,
        typer.Option("--problem", metavar="FILE", help="Problem whose boundary parts the rules may name."),
    ] = None,
    dt: Annotated[
        float, typer.Option("--dt", metavar="NUMBER", help="Time between the files of a folder.", parser=positive)
    ] = 1.0,
    split: Annotated[
        str, typer.Option("--split", metavar="A,B,C", help="Fractions for training, validation, test.")
    ] = "1,0,0",
    seed: Seed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Read simulations on meshes and write them as one data set, which training and rollouts read.

    Understands MeshGraphNets HDF5 (with meta.json), XDMF series, PVD, folders of VTU or VTK files, OpenFOAM cases, and
    NumPy archives. docs/bring_your_own_data.md says what each must hold.
    """
    fractions = _fractions(split)
    with told_in_one_line(debug):
        from ..mesh.data import Conversion, MeshStore, read_rules
        from ..mesh.data import convert as run

        how = Conversion(
            fields=_fields(field or []),
            rules=None if node_types is None else read_rules(node_types),
            type_field=type_field,
            domain=None if problem is None else _domain(problem),
            dt=dt,
            split=fractions,
            seed=seed,
        )
        console = messages()
        run(sources, out, how, progress=lambda name: None if quiet or as_json else console.print(f"reading {name}"))
        store = MeshStore(out)
    if as_json:
        print_json(_record(store))
    elif not quiet:
        _print(store)


def _fractions(text: str) -> tuple[float, float, float]:
    try:
        a, b, c = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"expected three numbers such as 0.8,0.1,0.1, got '{text}'", param_hint="--split"
        ) from None
    return a, b, c


def _fields(given: list[str]) -> Fields:
    """`velocity=vx,vy` puts two arrays together; `pressure` keeps one as it is."""
    from ..mesh.data import Fields

    pairs = [text.partition("=") for text in given]
    return Fields({name: tuple(arrays.split(",")) if equals else (name,) for name, equals, arrays in pairs})


def _domain(problem: Path) -> Shape:
    from ..spec import read_problem

    return read_problem(problem).domain


def _record(store: MeshStore) -> dict[str, Any]:
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


def _print(store: MeshStore) -> None:
    record = _record(store)
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
