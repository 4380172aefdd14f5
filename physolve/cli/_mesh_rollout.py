"""`physolve mesh rollout`: a simulation predicted step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._console import complain
from ._exit import ExitCode
from ._failures import told_in_one_line
from ._options import AsJson, Debug, Quiet, positive, whole
from ._outputs import output
from ._summary import print_json, print_table

if TYPE_CHECKING:
    from ..io import SeriesWriter
    from ..mesh import Design, Simulator
    from ..mesh.rollout import Case, Judge, Rollout, Snapshots

STEPS = 600
"""Where nothing says how far to go."""
SERIES = (".xdmf", ".pvd")
FILMS = (".gif", ".mp4")
FRAMES = 60
"""Of an animation, about."""


def rollout(
    weights: Annotated[Path, typer.Option("--weights", metavar="FILE", help="Weights of a simulator.")],
    case: Annotated[
        Path, typer.Option("--case", metavar="FILE", help="Data set that holds the case, or a problem file.")
    ],
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps", metavar="NUMBER", help=f"How many; else as far as the truth goes, {STEPS} without.", parser=whole
        ),
    ] = None,
    trajectory: Annotated[
        str | None, typer.Option("--trajectory", metavar="NAME", help="Which; else the first one of the test split.")
    ] = None,
    first: Annotated[int, typer.Option("--first", metavar="NUMBER", help="Frame to begin with.", parser=whole)] = 0,
    resolution: Annotated[
        int | None,
        typer.Option("--resolution", metavar="NUMBER", help="Cells along a problem's longest side.", min=1),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=f"Series to write: {', '.join(SERIES)}.", callback=output(SERIES)),
    ] = None,
    film: Annotated[
        Path | None,
        typer.Option("--film", help=f"Animation to draw: {', '.join(FILMS)}.", callback=output(FILMS)),
    ] = None,
    viscosity: Annotated[
        float | None,
        typer.Option("--viscosity", metavar="NUMBER", help="Kinematic; for the force on obstacles.", parser=positive),
    ] = None,
    parts: Annotated[
        int,
        typer.Option("--parts", metavar="NUMBER", help="Of a mesh that does not fit: one after another.", min=1),
    ] = 1,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Predict a simulation from its first frame; write it step by step, compare it with what the data set holds.

    A problem file states the flow instead: its mesh is made here, boundary values, initial state and viscosity are its
    own, and its exact solution is compared with where it has one. The series can be opened in ParaView. A rollout that
    blows up stops with what was written and exit code 3.
    """
    stopped = "interrupted; " + ("nothing was written" if out is None else f"the steps until then are in {out}")
    with told_in_one_line(debug, stopped):
        from ..mesh import load_simulator
        from ..mesh.rollout import Judge

        simulator = load_simulator(weights)
        split = None
        if case.suffix == ".toml":
            chosen, viscosity = _stated(case, resolution, simulator.design, viscosity)
        else:
            chosen, split = _stored(case, trajectory, first, simulator.design)
        wanted = (chosen.steps or STEPS) if steps is None else steps
        judge = Judge(chosen, viscosity=viscosity)
        done = _run(simulator, chosen, wanted, out, film, judge, case.stem, parts)
        written = {label: str(path) for label, path in (("series", out), ("film", film)) if path is not None}
        if as_json:
            print_json(_record(done, split, written))
        elif not quiet:
            _print(done, split, written)
    if done.message:
        complain(f"stopped after {done.steps} of {wanted} steps: {done.outcome.value}; {done.message}")
        raise typer.Exit(ExitCode.NOT_SOLVED)


def _stored(path: Path, trajectory: str | None, first: int, design: Design) -> tuple[Case, str]:
    """And the split that it is of."""
    from ..mesh.data import SPLITS, MeshStore
    from ..mesh.rollout import stored_case

    store = MeshStore(path)
    name = trajectory or (store.names("test") or store.names())[0]
    case = stored_case(store, name, design, first)
    return case, next(split for split in SPLITS if name in store.names(split))


def _stated(path: Path, resolution: int | None, design: Design, viscosity: float | None) -> tuple[Case, float]:
    from ..io import domain_mesh
    from ..mesh.problem import flow_case, flow_of
    from ..spec import read_problem

    flow = flow_of(read_problem(path))
    mesh = domain_mesh(flow.space, resolution)
    return flow_case(flow, mesh.points, mesh.cells, design.dt), flow.viscosity if viscosity is None else viscosity


def _run(
    simulator: Simulator,
    case: Case,
    steps: int,
    out: Path | None,
    film: Path | None,
    judge: Judge,
    title: str,
    parts: int,
) -> Rollout:
    from contextlib import ExitStack

    import torch

    from ..io import writing_series
    from ..mesh.rollout import Snapshots, run_rollout

    if film is not None:
        _check_film(case)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    snapshots = Snapshots(simulator.design.state.names[0], every=max(1, steps // FRAMES), case=case)
    with ExitStack() as stack:
        writers: list[SeriesWriter] = [snapshots] if film is not None else []
        if out is not None:
            writers.append(stack.enter_context(writing_series(out, case.points, case.cells)))
        done = run_rollout(simulator, case, steps, writers=writers, judge=judge, device=device, parts=parts)
    if film is not None:
        _draw(film, case, snapshots, title)
    return done


def _check_film(case: Case) -> None:
    """Refuse what cannot be drawn before it has been computed."""
    from ..io import mesh_field
    from ..view import triangulated

    triangulated(mesh_field(case.points, case.cells))


def _draw(film: Path, case: Case, snapshots: Snapshots, title: str) -> None:
    from ..io import mesh_field
    from ..view import comparison_film

    mesh, label = mesh_field(case.points, case.cells), f"|{snapshots.field}|"
    comparison_film(film, mesh, snapshots.times, snapshots.found, snapshots.truth, label=label, title=title)


def _record(done: Rollout, split: str | None, written: dict[str, str]) -> dict[str, Any]:
    histories = {name: values.tolist() for name, values in done.histories.items()}
    return {
        "outcome": done.outcome.name.lower(),
        "message": done.message,
        "steps": done.steps,
        "steps_per_second": done.rate,
        "split": split,
        "errors": done.errors,
        "compared": done.compared,
        "histories": histories,
        "written": written,
    }


def _print(done: Rollout, split: str | None, written: dict[str, str]) -> None:
    rows = [("rollout", f"{done.steps} steps, {done.rate:.3g} a second")]
    rows += [("error", f"{name}: {value:.3g}") for name, value in done.errors.items()]
    if 0 < done.compared < done.steps:
        rows.append(
            ("", f"over {done.compared} of {done.steps} steps, where the truth ends; none is written beside them")
        )
    if done.errors and split == "train":
        rows.append(("", "of a flow that may have been trained on: the data set says so"))
    for name in ("divergence", "truth divergence"):
        if name in done.histories:
            rows.append((name, f"{done.histories[name].mean():.3g} of the gradient"))
    for name in ("force", "truth force"):
        if name in done.histories:
            force = done.histories[name][1:]
            rows.append(
                (name, "; ".join(f"{axis} {_range(force[:, k])}" for k, axis in enumerate("xyz"[: force.shape[1]])))
            )
    print_table([*rows, *written.items()])


def _range(values: Any) -> str:
    return f"{values.min():.4g} to {values.max():.4g}"
