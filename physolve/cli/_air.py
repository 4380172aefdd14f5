"""`physolve air`: the subcommands of air-quality forecasts."""

from __future__ import annotations

import typer

from ._air_download import download
from ._air_forecast import forecast
from ._air_generate import generate
from ._air_prepare import prepare
from ._air_train import train
from ._console import results

air = typer.Typer(
    name="air",
    rich_markup_mode=None,
)


@air.callback(invoke_without_command=True)
def _top(context: typer.Context) -> None:
    """Air quality at stations: fetch data, prepare them, make synthetic ones, train, forecast."""
    if context.invoked_subcommand is None:
        results().print(context.get_help())


for _command in (download, prepare, generate, train, forecast):
    air.command()(_command)
