"""`physolve hypino evaluate`: the errors of a hypernetwork on random problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from ._console import messages, results
from ._failures import told_in_one_line
from ._options import AsJson, Debug, Quiet, Weights, seed_number, whole
from ._summary import print_json

if TYPE_CHECKING:
    from torch import Tensor

    from ..hypino import Evaluation

ROWS = {
    "head": "least-squares head",
    "own": "written head",
    "untrained": "untrained, least-squares head",
}
QUANTILES = {"10 %": 0.1, "median": 0.5, "90 %": 0.9}


def evaluate(
    weights: Weights = None,
    samples: Annotated[int, typer.Option("--samples", metavar="NUMBER", help="Random problems.", parser=whole)] = 256,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="NUMBER", help="Other problems than usual.", parser=seed_number)
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Solve random problems with known solutions that no training saw, zero-shot.

    Prints quantiles of the relative L2 error with the least-squares head, with the head that was written, and of an
    untrained hypernetwork with the least-squares head: what the least squares do alone.
    """
    if samples < 1:
        raise typer.BadParameter("expected at least one sample", param_hint="--samples")
    with told_in_one_line(debug):
        from ..hypino import EVALUATION_SEED, HyPINO
        from ..hypino import evaluate as run

        model = HyPINO.load(weights)
        with _bar(samples, quiet or as_json) as progress:
            found = run(model, samples, seed=EVALUATION_SEED if seed is None else seed, progress=progress)
    record = _record(found)
    if as_json:
        print_json({"samples": samples, **record})
    elif not quiet:
        _print(record)


@contextmanager
def _bar(samples: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    console = messages()
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("", total=samples)
        yield lambda done: bar.update(task, completed=done)


def _record(found: Evaluation) -> dict[str, dict[str, float]]:
    return {name: _figures(getattr(found, name)) for name in ROWS}


def _figures(errors: Tensor) -> dict[str, float]:
    """Quantiles, and the mean of errors that count at most 1."""
    quantiles = {name: float(errors.quantile(q)) for name, q in QUANTILES.items()}
    return {**quantiles, "mean": float(errors.clamp(max=1).mean())}


def _print(record: dict[str, Any]) -> None:
    table = Table("relative L2 error", *QUANTILES, "mean (each at most 1)", box=None, pad_edge=False)
    for name, words in ROWS.items():
        table.add_row(words, *(f"{value:.3g}" for value in record[name].values()))
    results().print(table)
