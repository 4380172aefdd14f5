"""Weights on disk: nothing is lost, and whatever is not these weights gives one line that says what is wrong."""

import dataclasses
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from physolve.errors import PhysolveError, ProblemFileError, UnsupportedError
from physolve.hypino import (
    ORIGINAL,
    HeadSizes,
    Hypernetwork,
    HypernetworkSizes,
    SwinSizes,
    _weights,
    load_pretrained,
    load_weights,
    save_weights,
    target_network,
)
from physolve.io import write_tensors

TINY = HypernetworkSizes(
    target=target_network(width=8, bands=2, depth=2),
    grid=16,
    stem=4,
    swin=SwinSizes(embed=8, window=2, depths=(1, 1), heads=(2, 4)),
    weight_heads=HeadSizes((8,) * 5, (2,) * 5),
    bias_heads=HeadSizes((4,) * 5, (1,) * 5),
    networks=2,
    invariant=True,
)
PUBLISHED = dataclasses.replace(TINY, invariant=False, published=True, networks=1)
NAME = "decoder.bias_maps.0.0.weight"


@pytest.fixture
def small_original(monkeypatch: pytest.MonkeyPatch) -> Hypernetwork:
    """A small network of the published kind, which `load_pretrained` is told to expect: the real one has 300 MB."""
    monkeypatch.setattr(_weights, "ORIGINAL", PUBLISHED)
    return Hypernetwork(PUBLISHED)


def same(a: Hypernetwork, b: Hypernetwork) -> bool:
    x, y = a.state_dict(), b.state_dict()
    return x.keys() == y.keys() and all(torch.equal(x[k], y[k]) and x[k].dtype == y[k].dtype for k in x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_round_trip_is_exact(tmp_path: Path, dtype: torch.dtype) -> None:
    model = Hypernetwork(TINY).to(dtype)
    save_weights(tmp_path / "w.safetensors", model)
    back = load_weights(tmp_path / "w.safetensors")
    assert back.sizes == TINY
    assert same(model, back)
    raster, coefficients = torch.randn(2, 5, 16, 16, dtype=dtype), torch.randn(2, 5, dtype=dtype)
    assert torch.equal(model.eval()(raster, coefficients), back.eval()(raster, coefficients))
    assert all(parameter.requires_grad for parameter in back.parameters())
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


def test_failed_write_leaves_the_old_file_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, Hypernetwork(TINY))
    old = path.read_bytes()

    def full_disk(file: Path, content: bytes) -> int:
        with file.open("wb") as stream:
            stream.write(content[: len(content) // 2])
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(ProblemFileError, match="no space left"):
        save_weights(path, Hypernetwork(TINY))
    assert path.read_bytes() == old
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


def test_published_weights_load_by_name(tmp_path: Path, small_original: Hypernetwork) -> None:
    save_file(small_original.state_dict(), tmp_path / "model.safetensors")
    loaded = load_pretrained(tmp_path / "model.safetensors")
    assert loaded.sizes == PUBLISHED
    assert same(small_original, loaded)


def test_half_precision_weights_become_float32(tmp_path: Path, small_original: Hypernetwork) -> None:
    save_file(small_original.half().state_dict(), tmp_path / "model.safetensors")
    loaded = load_pretrained(tmp_path / "model.safetensors")
    assert same(small_original.float(), loaded)


@pytest.mark.slow
def test_the_whole_published_network_loads(tmp_path: Path) -> None:
    model = Hypernetwork(ORIGINAL)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    assert same(model, load_pretrained(str(tmp_path / "model.safetensors")))


def drop(tensors: dict[str, Tensor]) -> None:
    del tensors[NAME]


def add(tensors: dict[str, Tensor]) -> None:
    tensors["other"] = torch.zeros(1)


def reshape(tensors: dict[str, Tensor]) -> None:
    tensors[NAME] = torch.zeros(3, 5)


def count(tensors: dict[str, Tensor]) -> None:
    tensors[NAME] = torch.zeros(4, 24, dtype=torch.int64)


def rename_all(tensors: dict[str, Tensor]) -> None:
    for name in list(tensors):
        tensors["model." + name] = tensors.pop(name)


WRONG = pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, rf"'{NAME}': missing"),
        (add, r"'other': unknown"),
        (reshape, rf"'{NAME}': got shape \(3, 5\), expected \(4, 24\)"),
        (count, rf"'{NAME}': got torch.int64, expected floating-point"),
        (rename_all, r"missing; .* more"),
    ],
)


@WRONG
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, small_original: Hypernetwork, change: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    tensors = dict(small_original.state_dict())
    change(tensors)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ProblemFileError, match=message) as raised:
        load_pretrained(tmp_path / "model.safetensors")
    assert "\n" not in str(raised.value)
    assert str(tmp_path / "model.safetensors") in str(raised.value)


def test_our_own_file_with_a_tensor_missing_is_refused(tmp_path: Path) -> None:
    model = Hypernetwork(TINY)
    save_weights(tmp_path / "w", model)
    bigger = dataclasses.replace(TINY, stem=8)
    save_weights(tmp_path / "bigger", Hypernetwork(bigger))
    header = _weights.sizes_to_data(bigger)
    write_tensors(tmp_path / "mixed", model.state_dict(), {"kind": _weights.KIND, "sizes": header})
    with pytest.raises(ProblemFileError, match=r"got shape .*, expected .*; and \d+ more"):
        load_weights(tmp_path / "mixed")


@pytest.mark.parametrize("load", [load_weights, load_pretrained])
@pytest.mark.parametrize("content", ["truncated", "pickle", "text", "empty"])
def test_other_files_are_refused(
    tmp_path: Path, load: Callable[[Path], Hypernetwork], content: str, small_original: Hypernetwork
) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, small_original)
    whole = path.read_bytes()
    made = {"truncated": whole[:-100], "pickle": pickle.dumps({"w": [1.0]}), "text": b"# weights\n" * 9, "empty": b""}
    path.write_bytes(made[content])
    with pytest.raises(ProblemFileError, match="not a complete safetensors file") as raised:
        load(path)
    assert "\n" not in str(raised.value)


def test_nothing_in_a_pickle_is_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    path = tmp_path / "w.safetensors"
    path.write_bytes(pickle.dumps(_Trap(trap)))
    for load in (load_weights, load_pretrained):
        with pytest.raises(ProblemFileError):
            load(path)
    assert not trap.exists()
    pickle.loads(path.read_bytes())
    assert trap.exists()  # the trap does work


class _Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(ProblemFileError, match="does not exist"):
        load_weights(tmp_path / "none.safetensors")
    with pytest.raises(ProblemFileError, match="does not exist"):
        load_pretrained("weights/none.safetensors")


def test_other_files_of_physolve_are_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / "s", {"w": torch.zeros(1)}, {"kind": "solution"})
    with pytest.raises(ProblemFileError, match=r"kind: got 'solution', expected 'hypino hypernetwork'"):
        load_weights(tmp_path / "s")


@pytest.mark.parametrize(
    "sizes",
    [
        None,
        {},
        _weights.sizes_to_data(TINY) | {"depth": 3},
        _weights.sizes_to_data(TINY) | {"grid": 30},
        _weights.sizes_to_data(TINY) | {"grid": "30"},
        _weights.sizes_to_data(TINY) | {"swin": [1]},
        _weights.sizes_to_data(TINY) | {"target": {"activation": "eval"}},
    ],
)
def test_sizes_that_are_none_are_refused(tmp_path: Path, sizes: object) -> None:
    write_tensors(tmp_path / "w", {"w": torch.zeros(1)}, {"kind": _weights.KIND, "sizes": sizes})
    with pytest.raises(ProblemFileError, match="sizes: not those of a hypernetwork"):
        load_weights(tmp_path / "w")


class FakeHub(SimpleNamespace):
    """What `load_pretrained` uses of huggingface_hub, on a folder of this machine."""

    folder: Path

    def list_repo_files(self, repository: str) -> list[str]:
        if repository != "someone/hypino":
            raise OSError("404 Client Error:\n repository not found")
        return sorted(file.name for file in self.folder.iterdir())

    def hf_hub_download(self, repository: str, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub(folder=tmp_path / "hub")
    fake.folder.mkdir()
    (fake.folder / "README.md").write_text("weights\n")
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)  # type: ignore[arg-type]
    return fake


def test_repository_is_downloaded(hub: FakeHub, small_original: Hypernetwork) -> None:
    save_file(small_original.state_dict(), hub.folder / "model.safetensors")
    assert same(small_original, load_pretrained("someone/hypino"))


@pytest.mark.parametrize("names", [[], ["a.safetensors", "b.safetensors"]])
def test_repository_must_hold_one_file(hub: FakeHub, names: list[str], small_original: Hypernetwork) -> None:
    for name in names:
        save_file(small_original.state_dict(), hub.folder / name)
    with pytest.raises(ProblemFileError, match=r"someone/hypino: got the files \[.*\], expected one .safetensors"):
        load_pretrained("someone/hypino")


def test_unknown_repository_is_told_in_one_line(hub: FakeHub) -> None:
    with pytest.raises(ProblemFileError, match="someone/else: no such file, and the hub says: OSError: 404") as raised:
        load_pretrained("someone/else")
    assert "\n" not in str(raised.value)


def test_repository_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'physolve\[hub\]'"):
        load_pretrained("someone/hypino")
    assert issubclass(UnsupportedError, PhysolveError)
