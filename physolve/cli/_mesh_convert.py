"""`physolve mesh convert`: simulations in, one data set out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._console import messages
from ._failures import told_in_one_line
from ._mesh_split import Split, fractions
from ._mesh_summary import data_set_record, print_data_set
from ._options import AsJson, Debug, Quiet, Seed, positive
from ._outputs import output
from ._summary import print_json

if TYPE_CHECKING:
    from ..mesh.data import Fields
    from ..spec import Shape


def convert(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Files or folders with simulations.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The data set to write (.h5).", callback=output((".h5",))),
    ],
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
        float | None,
        typer.Option(
            "--dt",
            metavar="NUMBER",
            help="Time between steps where the source does not say it; 1 without.",
            parser=positive,
        ),
    ] = None,
    split: Split = "1,0,0",
    seed: Seed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Read simulations on meshes and write them as one data set, which training and rollouts read.

    Understands MeshGraphNets HDF5 (with meta.json), XDMF series, PVD, folders of VTU or VTK files, OpenFOAM cases, and
    NumPy archives. docs/bring_your_own_data.md says what each must hold.
    """
    shares = fractions(split)
    with told_in_one_line(debug):
        from ..mesh.data import Conversion, MeshStore, read_rules
        from ..mesh.data import convert as run

        how = Conversion(
            fields=_fields(field or []),
            rules=None if node_types is None else read_rules(node_types),
            type_field=type_field,
            domain=None if problem is None else _domain(problem),
            dt=dt,
            split=shares,
            seed=seed,
        )
        console = messages()
        run(sources, out, how, progress=lambda name: None if quiet or as_json else console.print(f"reading {name}"))
        store = MeshStore(out)
    if as_json:
        print_json(data_set_record(store))
    elif not quiet:
        print_data_set(store)


def _fields(given: list[str]) -> Fields:
    """`velocity=vx,vy` puts two arrays together; `pressure` keeps one as it is."""
    from ..mesh.data import Fields

    pairs = [text.partition("=") for text in given]
    names = [name for name, _, _ in pairs]
    double = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if double is not None:
        raise typer.BadParameter(f"'{double}' is given twice; for one of many: {double}=A,B", param_hint="--field")
    return Fields({name: tuple(arrays.split(",")) if equals else (name,) for name, equals, arrays in pairs})


def _domain(problem: Path) -> Shape:
    from ..spec import read_problem

    return read_problem(problem).domain
