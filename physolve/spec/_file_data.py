"""Arrays that a problem file refers to: npz, npy, csv, images. Pickled objects are never loaded."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ._data import GridData
from ._file_checks import Place, as_integer, as_list, as_number, as_text, check_keys
from ._grammar import near
from ._station_data import StationData

STATIONS = {"at": "stations"}
"""The entry of data that come with a series instead of a file."""

DATA_KEYS = ("file", "key", "extent", "layout", "order", "values", "range")
LAYOUTS = ("grid", "raster")
IMAGES = (".png", ".tif", ".tiff")
SUFFIXES = (".npz", ".npy", ".csv", *IMAGES)
MAX_INLINE = 5_000


@dataclass(frozen=True)
class DataSource:
    """Where the values of a `GridData` came from: what a file needs to name them again.

    `range` are the values of black and white in an image, None where they are 0 and 1.
    """

    path: Path
    key: str = ""
    layout: str = "grid"
    range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Files:
    """The folder of the problem file, and the files that the caller gives by name (path or "path:key")."""

    base: Path | None
    given: Mapping[str, str | PathLike[str]]

    def find(self, place: Place, name: str, file: str | None, key: str) -> tuple[Path, str]:
        """The path and the array's key of the data called `name`; an error that says how to give it."""
        advice = f"pass one with --data {name}=FILE, in Python data={{'{name}': 'FILE'}}"
        if name in self.given:
            path, key = split_key(self.given[name], key)
        elif file is None:
            raise place.error(f"no file is named; {advice}")
        else:
            path = Path(file) if self.base is None else self.base / file
        if not path.is_file():
            raise place.error(f"the file '{path.name}' does not exist in '{path.parent}'; {advice}")
        return path, key


def split_key(given: str | PathLike[str], key: str) -> tuple[Path, str]:
    """ "field.npz:source" as its path and its key."""
    path, colon, last = str(given).rpartition(":")
    if colon and last.isidentifier() and Path(path).suffix.lower() in SUFFIXES:
        return Path(path), last
    return Path(given), key


def read_data(place: Place, name: str, table: Mapping[str, Any], files: Files) -> GridData | StationData:
    """The data that an entry of [data] describes, on a grid or at stations."""
    return _station_data(place, name, table) if "at" in table else _grid_data(place, name, table, files)


def _grid_data(place: Place, name: str, table: Mapping[str, Any], files: Files) -> GridData:
    check_keys(place, table, DATA_KEYS, "a field of data")
    if "extent" not in table:
        raise place.error(
            "extent is missing; write extent = [[-1, 1], [-1, 1]] for the first and last sample of each axis"
        )
    extent = [_pair(place.at("extent"), pair) for pair in as_list(place.at("extent"), table["extent"])]
    layout = as_text(place.at("layout"), table.get("layout", "grid"))
    if layout not in LAYOUTS:
        raise place.error(
            f"layout: '{layout}' is not a layout; use 'grid' (axis k is coordinate k) or 'raster' (an image)"
        )
    order = as_integer(place.at("order"), table.get("order", 3))
    values, source = _values(place, name, table, files, layout)
    make = GridData.from_raster if layout == "raster" else GridData
    with Place(place.file).watch():
        return make(name, values, tuple(extent), order, source)


def _station_data(place: Place, name: str, table: Mapping[str, Any]) -> StationData:
    if dict(table) != STATIONS:
        raise place.error(f"got {dict(table)}, expected at = 'stations' alone; data on a grid have an extent instead")
    return StationData(name)


def read_grid_data(
    name: str,
    file: str | PathLike[str],
    extent: Sequence[Sequence[float]],
    *,
    layout: str | None = None,
    order: int = 3,
    range: tuple[float, float] | None = None,
) -> GridData:
    """Grid data from a file: "field.npz:key", .npz with one array, .npy, .csv, or a grey image (.png, .tif, .tiff).

    extent   ((lo, hi), ...), the coordinates of the first and the last sample along each axis
    layout   "grid" (axis k is coordinate k) or "raster" (row 0 is y = max); by default "raster" for images
    range    the values of black and white in an image of whole numbers, by default 0 and 1
    Raises ProblemFileError, one line, for what cannot be read, SpecificationError for values that do not fit.
    """
    suffix = split_key(file, "")[0].suffix.lower()
    table: dict[str, Any] = {"extent": [list(pair) for pair in extent], "order": order}
    table["layout"] = layout or ("raster" if suffix in IMAGES else "grid")
    if range is not None:
        table["range"] = list(range)
    return _grid_data(Place(f"data '{name}'"), name, table, Files(None, {name: file}))


def _pair(place: Place, value: object) -> tuple[float, float]:
    pair = as_list(place, value)
    if len(pair) != 2:
        raise place.error(f"expected pairs [low, high], got a list of {len(pair)}")
    return float(as_number(place, pair[0])), float(as_number(place, pair[1]))


def _values(place: Place, name: str, table: Mapping[str, Any], files: Files, layout: str) -> tuple[np.ndarray, Any]:
    if "values" in table and name not in files.given:
        if "file" in table:
            raise place.error("both file and values are given; leave one out")
        return inline_array(place.at("values"), table["values"]), None
    file = as_text(place.at("file"), table["file"]) if "file" in table else None
    path, key = files.find(place, name, file, as_text(place.at("key"), table.get("key", "")))
    values, key = read_array(place, path, key)
    if "range" not in table:
        return values, DataSource(path.resolve(), key, layout)
    low, high = _pair(place.at("range"), table["range"])
    if path.suffix.lower() not in IMAGES:
        raise place.error(f"range gives the values of black and white in an image, which '{path.name}' is not")
    return low + (high - low) * values, DataSource(path.resolve(), key, layout, (low, high))


def inline_array(place: Place, value: object) -> np.ndarray:
    """An array of numbers written in the file."""
    try:
        array = np.array(as_list(place, value), dtype=np.float64)
    except (TypeError, ValueError):
        raise place.error("expected numbers in lists of equal length") from None
    return array


def read_array(place: Place, path: Path, key: str = "") -> tuple[np.ndarray, str]:
    """The array in a file, and its key in an npz file ("" in others)."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise place.error(f"the file '{path.name}' is of no known kind; known: {', '.join(SUFFIXES)}")
    if key and suffix != ".npz":
        raise place.error(f"the file '{path.name}' has no keys; leave out '{key}'")
    try:
        return _READERS[suffix](place, path, key)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, type(place.error(""))):
            raise
        raise place.error(
            f"the file '{path.name}' cannot be read as {suffix[1:]}: {str(error).splitlines()[0]}"
        ) from None


def _read_npz(place: Place, path: Path, key: str) -> tuple[np.ndarray, str]:
    with np.load(path, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it holds a single array; call it .npy")
        if not key and len(archive.files) == 1:
            key = archive.files[0]
        if not key:
            raise place.error(f"the file '{path.name}' holds several arrays; give a key; {near('', archive.files)}")
        if key not in archive.files:
            raise place.error(f"the file '{path.name}' holds no '{key}'; {near(key, archive.files)}")
        return archive[key], key


def _read_npy(place: Place, path: Path, key: str) -> tuple[np.ndarray, str]:
    array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("it holds several arrays; call it .npz")
    return array, ""


def _read_csv(place: Place, path: Path, key: str) -> tuple[np.ndarray, str]:
    """Numbers between commas; a first line of names is skipped."""
    text = path.read_text(encoding="utf-8")
    return np.loadtxt(text.splitlines(), delimiter=",", ndmin=2, skiprows=int(_is_header(text))), ""


def _is_header(text: str) -> bool:
    try:
        [float(cell) for cell in text.partition("\n")[0].split("#")[0].split(",") if cell.strip()]
    except ValueError:
        return True
    return False


def _read_image(place: Place, path: Path, key: str) -> tuple[np.ndarray, str]:
    """A grey image of whole numbers, black 0 and white 1; of floating-point numbers as they are.

    Of a coloured image the mean of red, green and blue; transparency is left out.
    """
    from PIL import Image

    with Image.open(path) as image:
        if getattr(image, "n_frames", 1) != 1:
            raise ValueError(f"it holds {image.n_frames} images, expected one")  # type: ignore[attr-defined]
        mode, kind = image.mode, image.format
        grey = mode.startswith(("1", "I", "F")) or mode in ("L", "LA")
        pixels = np.asarray(image if grey else image.convert("RGB"))
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if mode == "LA" else pixels.mean(axis=-1)
    return pixels / _white(mode, kind), ""


def _white(mode: str, kind: str | None) -> float:
    """The number that stands for white in an image of this mode of Pillow."""
    if mode in ("1", "F"):
        return 1.0
    if mode.startswith("I;16") or (mode == "I" and kind == "PNG"):
        return 65535.0
    if mode == "I":
        raise ValueError("its whole numbers of 32 bits have no agreed white; save floating-point numbers")
    return 255.0


_READERS = {".npz": _read_npz, ".npy": _read_npy, ".csv": _read_csv, **dict.fromkeys(IMAGES, _read_image)}
