"""Weights on disk: our own files, and the authors' published ones by path or by repository of the Hugging Face hub."""

import re
from collections.abc import Mapping
from functools import reduce
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from physolve.errors import ProblemFileError, UnsupportedError
from physolve.io import read_plain_tensors, read_tensors, write_tensors

from ._hypernetwork import Hypernetwork
from ._sizes import ORIGINAL, HypernetworkSizes
from ._sizes_file import sizes_from_data, sizes_to_data

KIND = "hypino hypernetwork"
SUFFIX = ".safetensors"


def save_weights(path: str | PathLike[str], model: Hypernetwork, *, half: bool = False) -> None:
    """Write a safetensors file with the sizes in its header; the file appears whole or not at all.

    `half` rounds to float16, for files that are handed out: 5e-4 of a weight. Raises ProblemFileError where the file
    cannot be written.
    """
    tensors = model.state_dict()
    if half:
        tensors = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    write_tensors(path, tensors, {"kind": KIND, "sizes": sizes_to_data(model.sizes)})


def load_weights(path: str | PathLike[str]) -> Hypernetwork:
    """The hypernetwork that `save_weights` wrote, bit for bit, on the CPU; in float32 where it was rounded to half.

    Raises ProblemFileError for a missing, damaged or foreign file and for tensors that do not fit the sizes.
    """
    tensors, header = read_tensors(path)
    if header.get("kind") != KIND:
        raise ProblemFileError(f"{path}: kind: got {header.get('kind')!r}, expected '{KIND}'; give a file of weights")
    return _filled(path, sizes_from_data(path, header.get("sizes")), tensors)


def load_pretrained(source: str | PathLike[str]) -> Hypernetwork:
    """The published network with the authors' weights: a safetensors file, or a hub repository 'owner/name'.

    A repository is downloaded with huggingface_hub (`pip install 'physolve[hub]'`); it must hold one safetensors file.
    Raises ProblemFileError for what is not a complete safetensors file with the published names and shapes, and
    UnsupportedError for a repository without huggingface_hub.
    """
    path = Path(source)
    if not path.exists() and isinstance(source, str) and _names_repository(source):
        path = _downloaded(source)
    return _filled(path, ORIGINAL, read_plain_tensors(path))


def _filled(path: str | PathLike[str], sizes: HypernetworkSizes, tensors: Mapping[str, Tensor]) -> Hypernetwork:
    """A hypernetwork of these sizes with these tensors, in float32 or, where any of them is wider, in its dtype."""
    model = Hypernetwork(sizes)
    _check_fit(path, tensors, model.state_dict())
    model.to(reduce(torch.promote_types, (tensor.dtype for tensor in tensors.values()), torch.float32))
    model.load_state_dict(dict(tensors))
    return model


def _check_fit(path: str | PathLike[str], got: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Refuse missing, unknown and misshapen tensors, naming the first three."""
    wrong = [text for name, tensor in expected.items() if (text := _difference(name, got.get(name), tensor))]
    wrong += [f"'{name}': unknown" for name in got if name not in expected]
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ProblemFileError(f"{path}: tensors: {'; '.join(wrong[:3])}{more}; these are weights of another network")


def _difference(name: str, got: Tensor | None, expected: Tensor) -> str:
    if got is None:
        return f"'{name}': missing"
    if got.shape != expected.shape:
        return f"'{name}': got shape {tuple(got.shape)}, expected {tuple(expected.shape)}"
    return "" if got.is_floating_point() else f"'{name}': got {got.dtype}, expected floating-point numbers"


def _names_repository(source: str) -> bool:
    return re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", source) is not None and not source.endswith(SUFFIX)


def _downloaded(repository: str) -> Path:
    """The one safetensors file of a repository, in the hub's own cache."""
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise UnsupportedError(
            f"{repository}: no such file, and a hub repository needs huggingface_hub: pip install 'physolve[hub]'"
        ) from error
    try:
        files = [name for name in hub.list_repo_files(repository) if name.endswith(SUFFIX)]
        path = Path(hub.hf_hub_download(repository, files[0])) if len(files) == 1 else None
    except Exception as error:  # the hub's errors, requests' and the operating system's
        text = " ".join(str(error).split())[:160]
        raise ProblemFileError(
            f"{repository}: no such file, and the hub says: {type(error).__name__}: {text}"
        ) from error
    if path is None:
        raise ProblemFileError(f"{repository}: got the files {files}, expected one {SUFFIX} file; download it yourself")
    return path
