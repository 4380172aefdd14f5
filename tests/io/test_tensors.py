"""Tensors with a header: exact round trip; every bad file gives one line."""

import json
import math
import struct

import pytest
import torch
from safetensors.torch import save_file

from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import read_tensors, write_tensors

HEADER = {"kind": "solution", "tol": 1e-3, "layers": [2, 50, 1], "estimate": math.inf, "nested": {"é": None}}


def tensors():
    base = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    return {
        "w": base,
        "transposed": base.T,
        "part": base[:, 1],
        "i": torch.tensor(3),
        "empty": torch.zeros(0, 2),
    }


def test_round_trip_keeps_values_types_and_header(tmp_path):
    write_tensors(tmp_path / "a.safetensors", tensors(), HEADER)
    got, header = read_tensors(tmp_path / "a.safetensors")
    assert header == HEADER
    assert set(got) == set(tensors())
    for name, tensor in tensors().items():
        assert got[name].dtype == tensor.dtype
        assert torch.equal(got[name], tensor)
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_parameters_are_stored_without_their_graph(tmp_path):
    write_tensors(tmp_path / "a", {"w": torch.nn.Parameter(torch.ones(2))}, {})
    assert not read_tensors(tmp_path / "a")[0]["w"].requires_grad


@pytest.mark.parametrize("header", [{"a": object()}, {"a": {1, 2}}, {"a": torch.ones(1)}, {3: 1}])
def test_a_header_that_is_not_json_is_named(tmp_path, header):
    with pytest.raises(SpecificationError, match=r"header: item ('a'|3) is not JSON"):
        write_tensors(tmp_path / "a", {}, header)
    assert list(tmp_path.iterdir()) == []


def raw(header: dict, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


BAD = {
    "empty": (lambda whole: b"", "not a complete safetensors file"),
    "truncated header": (lambda whole: whole[:40], "not a complete safetensors file"),
    "truncated body": (lambda whole: whole[:-8], "not a complete safetensors file"),
    "trailing bytes": (lambda whole: whole + b"more", "not a complete safetensors file"),
    "huge header length": (lambda whole: b"\xff" * 8 + whole[8:], "not a complete safetensors file"),
    "pickle": (lambda whole: b"\x80\x04\x95" + whole[3:], "not a complete safetensors file"),
    "text": (lambda whole: b"hello, I am a text file\n" * 9, "not a complete safetensors file"),
    "no metadata": (lambda whole: raw({}), "not written by physolve"),
    "other version": (
        lambda whole: raw({"__metadata__": {"physolve_format": "99"}}),
        "physolve_format: got version 99, expected 1",
    ),
    "no header": (lambda whole: raw({"__metadata__": {"physolve_format": "1"}}), "physolve_header: not JSON"),
    "list header": (
        lambda whole: raw({"__metadata__": {"physolve_format": "1", "physolve_header": "[]"}}),
        "physolve_header: got list, expected a dict",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gives_one_line(tmp_path, name):
    damage, expected = BAD[name]
    path = tmp_path / "a.safetensors"
    write_tensors(path, tensors(), HEADER)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ProblemFileError, match=expected) as caught:
        read_tensors(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_torch_save_file_is_refused_unread(tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "a.pt")
    with pytest.raises(ProblemFileError, match="not a complete safetensors file"):
        read_tensors(tmp_path / "a.pt")


def test_missing_file(tmp_path):
    with pytest.raises(ProblemFileError, match="file: does not exist"):
        read_tensors(tmp_path / "a")


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    write_tensors(path, tensors(), HEADER)
    before = path.read_bytes()
    monkeypatch.setattr("safetensors.torch.save", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(ProblemFileError, match="disk full"):
        write_tensors(path, {}, {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ProblemFileError, match="is a folder"):
        write_tensors(tmp_path, {}, {})


def test_others_may_read_what_is_written(tmp_path):
    write_tensors(tmp_path / "a.safetensors", tensors(), HEADER)
    (tmp_path / "b").touch()
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_save_file_of_others_is_told_apart(tmp_path):
    save_file({"w": torch.ones(2)}, tmp_path / "a", metadata={"format": "pt"})
    with pytest.raises(ProblemFileError, match="metadata: no 'physolve_format'; not written by physolve"):
        read_tensors(tmp_path / "a")
