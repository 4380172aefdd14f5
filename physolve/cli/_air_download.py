"""`physolve air download`: the Beijing multi-site data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._console import messages
from ._failures import told_in_one_line
from ._options import AsJson, Debug, Quiet
from ._summary import print_json, print_table


def download(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where to put it; made if need be.")],
    checksum: Annotated[
        str | None,
        typer.Option("--checksum", metavar="KIND:SUM", help="That the archive must have, such as sha256:b04d..."),
    ] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Another place than the UCI archive.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Fetch the Beijing multi-site air-quality data (UCI 501, CC BY 4.0, 8 MB): hourly, 12 stations, four years.

    Prints the archive's checksum, to be given next time. `physolve air prepare` reads the folder.
    """
    with told_in_one_line(debug):
        from ..air.data import BEIJING_URL
        from ..air.data import download as run

        bar = messages().is_terminal and not quiet and not as_json
        found = run(out, url=url or BEIJING_URL, checksum=checksum, progress=bar)
    record = {"folder": str(out), "tables": len(found.files), "stations": str(found.stations), "sha256": found.sha256}
    if as_json:
        print_json(record)
    elif not quiet:
        print_table([(name, str(value)) for name, value in record.items()])
