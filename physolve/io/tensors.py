"""Named tensors with a JSON header: a safetensors file whose metadata hold the header and the format version.

safetensors stores raw numbers only: nothing in a file is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import ProblemFileError, SpecificationError
from ._files import reading, replacing

FORMAT_VERSION = 1
_VERSION_KEY = "physolve_format"
_HEADER_KEY = "physolve_header"


def write_tensors(path: str | PathLike[str], tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors (any shape, contiguous or not, shared or not) and a JSON-able header.

    NaN and infinity in the header are kept (as Python's JSON does).

    Raises:
        SpecificationError: the header or a tensor's name cannot be stored.
        ProblemFileError: the file cannot be written.
    """
    from safetensors.torch import save

    metadata = {_VERSION_KEY: str(FORMAT_VERSION), _HEADER_KEY: _dumps(header)}
    # clones: safetensors refuses tensors that share memory
    copies = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(copies, metadata=metadata))  # its own files could be read by their owner alone


def _dumps(header: Mapping[str, Any]) -> str:
    for key, value in header.items():
        try:
            if not isinstance(key, str):
                raise TypeError("keys must be text")
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise SpecificationError(
                f"header: item {key!r} is not JSON: {error}; use text, numbers, lists, dicts"
            ) from error
    return json.dumps(dict(header))


def read_tensors(path: str | PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and the header that `write_tensors` wrote.

    Raises:
        ProblemFileError: missing, truncated, damaged, of another kind, or of another format version.
    """
    return reading(path, "safetensors", _read)


def read_plain_tensors(path: str | PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a safetensors file of any origin, on the CPU; raises ProblemFileError as `read_tensors`."""
    return reading(path, "safetensors", _tensors)


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    header = _read_header(file)
    return _tensors(file), header


def _tensors(file: Path) -> dict[str, Tensor]:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as stored:
        return {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (not a dict)


def _read_header(file: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as stored:
        metadata = stored.metadata() or {}
    version = metadata.get(_VERSION_KEY)
    if version is None:
        raise ProblemFileError(f"{file}: metadata: no '{_VERSION_KEY}'; not written by physolve")
    if version != str(FORMAT_VERSION):
        raise ProblemFileError(
            f"{file}: {_VERSION_KEY}: got version {version}, expected {FORMAT_VERSION}; "
            "read it with the physolve that wrote it"
        )
    return _header(file, metadata.get(_HEADER_KEY, ""))


def _header(file: Path, text: str) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except ValueError as error:
        raise ProblemFileError(f"{file}: {_HEADER_KEY}: not JSON ({error})") from error
    if not isinstance(header, dict):
        raise ProblemFileError(f"{file}: {_HEADER_KEY}: got {type(header).__name__}, expected a dict")
    return header
