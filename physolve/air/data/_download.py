"""The Beijing multi-site data from the archive that publishes them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import ERROR, Logger
from os import PathLike
from pathlib import Path

from physolve.errors import PhysolveError, ProblemFileError
from physolve.io import replacing

BEIJING_URL = "https://archive.ics.uci.edu/static/public/501/beijing+multi+site+air+quality+data.zip"
"""UCI 501, CC BY 4.0: Zhang, Guo, Dong, He, Xu, Chen (2017), Proc. R. Soc. A 473:20170457. About 8 MB.

Its SHA-256, as other projects recorded it in 2026, is
b04da438b2f331ac0ffd45aebdfec0d20d2367feb5f6948c4b1f7ce1191e33c4. It is not asked for by default: an archive that is
packed anew has another one.
"""

ARCHIVE = "beijing.zip"

TIMEOUT = 60.0
"""Seconds without an answer."""

BEIJING_STATIONS = {
    "Aotizhongxin": (116.397, 39.982),
    "Changping": (116.230, 40.217),
    "Dingling": (116.220, 40.292),
    "Dongsi": (116.417, 39.929),
    "Guanyuan": (116.339, 39.929),
    "Gucheng": (116.184, 39.914),
    "Huairou": (116.628, 40.328),
    "Nongzhanguan": (116.461, 39.937),
    "Shunyi": (116.655, 40.127),
    "Tiantan": (116.407, 39.886),
    "Wanliu": (116.287, 39.987),
    "Wanshouxigong": (116.352, 39.878),
}
"""Degrees east and north, as the monitoring centre of Beijing publishes them: the archive does not hold them."""


@dataclass(frozen=True)
class Downloaded:
    """files: the tables; stations: the table of stations; sha256: of the archive."""

    files: tuple[Path, ...]
    stations: Path
    sha256: str


def download(
    folder: str | PathLike[str],
    *,
    url: str = BEIJING_URL,
    checksum: str | None = None,
    progress: bool = False,
) -> Downloaded:
    """Fetch the archive into `folder`, unless it is there already, and lay out its tables and a stations.csv beside it.

    checksum     that the archive must have, such as "sha256:b04d...", or None to accept any
    progress     shows a bar on stderr

    Raises PhysolveError where nothing can be fetched, ProblemFileError for another checksum and for what is no archive
    of such tables; nothing is unpacked then.
    """
    import pooch

    target = Path(folder)
    archive = _fetched(target, url, checksum, progress)
    files = tuple(_unpacked(archive, target))
    if not files:
        raise ProblemFileError(f"{archive}: content: no tables PRSA_Data_*.csv in it; delete it and try again")
    return Downloaded(files, _station_table(target), str(pooch.file_hash(str(archive), alg="sha256")))


def _fetched(target: Path, url: str, checksum: str | None, progress: bool) -> Path:
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with _silent(pooch.get_logger()):
            return Path(pooch.retrieve(url, checksum, ARCHIVE, str(target), downloader=downloader))
    except requests.RequestException as error:
        raise PhysolveError(
            f"download: {url} cannot be fetched ({type(error).__name__}); check the network, or fetch the file by hand"
            f" and put it at {target / ARCHIVE}"
        ) from error
    except OSError as error:
        raise ProblemFileError(f"{target}: folder: cannot be written ({error})") from error
    except ValueError as error:
        raise ProblemFileError(f"download: {url}: {' '.join(str(error).split())}") from error


@contextmanager
def _silent(logger: Logger) -> Iterator[None]:
    """It announces every file; who calls this decides what is said."""
    level = logger.level
    logger.setLevel(ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _unpacked(archive: Path, target: Path) -> Iterator[Path]:
    """Tables written beside the archive, which may hold another archive."""
    try:
        contents = dict(_tables(archive.read_bytes()))
    except zipfile.BadZipFile as error:
        raise ProblemFileError(f"{archive}: content: not a zip archive ({error}); delete it and try again") from error
    for name, content in contents.items():
        with replacing(target / name) as temporary:
            temporary.write_bytes(content)
        yield target / name


def _tables(content: bytes) -> Iterator[tuple[str, bytes]]:
    """File names without folders: whatever an archive's paths say, nothing is written elsewhere."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.namelist():
            name = Path(entry).name
            if name.endswith(".zip"):
                yield from _tables(archive.read(entry))
            elif name.startswith("PRSA_Data_") and name.endswith(".csv"):
                yield name, archive.read(entry)


def _station_table(target: Path) -> Path:
    lines = [f"{name},{longitude},{latitude}" for name, (longitude, latitude) in BEIJING_STATIONS.items()]
    with replacing(target / "stations.csv") as temporary:
        temporary.write_text("\n".join(["station,longitude,latitude", *lines, ""]), encoding="utf-8")
    return target / "stations.csv"
