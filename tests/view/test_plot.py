"""The one entry: every kind of picture is made, in the right format, with what it should show."""

import itertools
import re

import numpy as np
import pytest
import sympy
from made_solutions import WAVE, X, Y, made
from PIL import Image

from physolve.errors import (
    NumericalError,
    PhysolveError,
    ProblemFileError,
    SpecificationError,
    UnsupportedError,
)
from physolve.spec.geometry import Rectangle
from physolve.view import Style, plot

QUICK = Style(dpi=60, frames=4)


def picture(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def colored(image: np.ndarray) -> np.ndarray:
    """Where a picture is neither white, grey nor black."""
    return np.ptp(image, axis=2) > 25


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Rows and columns of the widest block of coloured columns: the panel without the colour bar."""
    filled = mask.sum(axis=0) > 0.2 * mask.sum(axis=0).max()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], filled.astype(int), [0]])))
    start, stop = max(edges.reshape(-1, 2), key=lambda run: run[1] - run[0])
    rows = np.flatnonzero(mask[:, start:stop].any(axis=1))
    return rows[0], rows[-1] + 1, start, stop


STILLS = [
    ("ode", {}),
    ("line", {"reference": sympy.exp(X) * sympy.sin(5 * X)}),
    ("line", {"quantity": "residual"}),
    ("line over time", {}),
    ("line over time", {"time": [0, 1, 2.5]}),
    ("plane", {}),
    ("plane", {"quantity": "error", "reference": WAVE + X / 100}),
    ("plane", {"quantity": "residual"}),
    ("flow", {}),
    ("flow", {"unknown": "v", "style": Style(vectors="streamlines", dpi=60)}),
    ("flow", {"unknown": "v_x"}),
    ("plane over time", {}),
    ("plane over time", {"time": 0.5}),
    ("solid", {}),
    ("solid", {"style": Style(solid="slices", dpi=60)}),
    ("solid", {"style": Style(solid="surface", dpi=60)}),
    ("solid flow", {}),
    ("solid flow", {"style": Style(vectors="streamlines", dpi=60)}),
    ("solid over time", {"time": 1.0}),
]


@pytest.mark.parametrize(("name", "options"), STILLS)
def test_every_kind_of_still(tmp_path, make, name, options):
    path = tmp_path / "a.png"
    plot(make(name), path, resolution=12, **{"style": QUICK, **options})
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert min(image.size) > 150
    shown = picture(path)
    assert (shown[[0, -1]] > 250).all()  # white margins: nothing is cut off
    assert (shown[:, [0, -1]] > 250).all()
    assert colored(shown).mean() > 0.002
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_vector_formats(tmp_path, make, suffix, start):
    plot(make("line"), tmp_path / f"a{suffix}", style=QUICK)
    assert (tmp_path / f"a{suffix}").read_bytes().startswith(start)


def test_true_proportions_and_empty_holes(tmp_path, make):
    """The plate is 2 x 1 with a hole of radius 0.2 about (0.6, 0.5)."""
    plot(make("plate"), tmp_path / "a.png", resolution=60, title="", style=Style(dpi=100))
    image = picture(tmp_path / "a.png")
    top, bottom, left, right = box(colored(image))
    height, width = bottom - top, right - left
    assert width / height == pytest.approx(2.0, rel=0.02)
    row, column = top + 0.5 * height, left + 0.3 * width
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]]
    distance = np.hypot(xs - column, ys - row) / height
    assert (image[distance < 0.18] == 255).all()
    ring = colored(image)[(distance > 0.23) & (distance < 0.27)]
    assert ring.all()


def test_a_step_in_the_field_shows_where_it_is(tmp_path):
    """1 in the upper right quarter, else 0: x to the right, y upward, colours unshaded."""
    step = sympy.Piecewise((1, (X > 0) & (Y > 0)), (0, True))
    square = made(Rectangle((-1, -1), (1, 1)), (X, Y), {"u": 1}, step)
    plot(square, tmp_path / "a.png", resolution=40, style=Style(dpi=80))
    image = picture(tmp_path / "a.png")
    top, bottom, left, right = box(colored(image))

    def at(down: float, across: float) -> np.ndarray:
        return image[int(top + down * (bottom - top)), int(left + across * (right - left))]

    assert np.abs(at(0.25, 0.75) - [253, 231, 37]).max() < 5  # viridis' end
    for a, b in [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75)]:
        assert np.abs(at(a, b) - [68, 1, 84]).max() < 5  # and its start


def test_without_opengl_the_picture_is_nearly_the_same(tmp_path, make, monkeypatch):
    shown = []
    for name in ("plate", "solid"):
        for able in (True, False):
            monkeypatch.setattr("physolve.view._render.can_render", lambda able=able: able)
            plot(make(name), tmp_path / "a.png", resolution=30, style=QUICK)
            shown.append(picture(tmp_path / "a.png"))
    for vtk, plain in (shown[:2], shown[2:]):
        assert vtk.shape == plain.shape
        assert np.mean(np.abs(vtk - plain).max(axis=2) > 40) < 0.03


@pytest.mark.parametrize("name", ["line over time", "plane over time", "solid over time", "solid"])
def test_gif_frames(tmp_path, make, name):
    plot(make(name), tmp_path / "a.gif", resolution=10, style=QUICK)
    with Image.open(tmp_path / "a.gif") as film:
        assert film.format == "GIF"
        assert film.n_frames == 4
        assert film.info["duration"] == 100
        assert film.info["loop"] == 0
        frames = []
        for k in range(4):
            film.seek(k)
            frames.append(np.asarray(film.convert("RGB")).astype(int))
    assert all(frame.shape == frames[0].shape for frame in frames)
    assert (frames[0][0, 0] == 255).all()
    assert all(np.any(a != b) for a, b in itertools.pairwise(frames))


def test_mp4_frames(tmp_path, make):
    import imageio.v2 as imageio

    plot(make("plane over time"), tmp_path / "a.mp4", resolution=10, style=Style(dpi=60, frames=5, fps=5))
    with imageio.get_reader(tmp_path / "a.mp4") as film:
        assert film.count_frames() == 5
        assert film.get_meta_data()["fps"] == 5
        assert film.get_data(0)[0, 0].min() > 245


def test_colours_of_a_film_are_those_of_all_its_frames(tmp_path, make):
    """The heat decays: the first frame has both ends of the colour map, the last one neither."""
    plot(make("plane over time"), tmp_path / "a.gif", resolution=30, style=Style(dpi=60, frames=3))
    yellow = []
    with Image.open(tmp_path / "a.gif") as film:
        for k in range(3):
            film.seek(k)
            image = np.asarray(film.convert("RGB")).astype(int)
            top, bottom, left, right = box(colored(image))
            inner = image[top:bottom, left:right]
            yellow.append(np.sum((inner[..., 0] > 180) & (inner[..., 2] < 90)))
    assert yellow[0] > 50
    assert yellow[2] == 0


# --- what cannot be drawn -----------------------------------------------------------------------------------

BAD = [
    ("plane", "a.bmp", {}, UnsupportedError, "suffix '.bmp' is not a picture's; use one of .png, .svg"),
    ("plane", "a", {}, UnsupportedError, "has no suffix"),
    ("plane", "a.gif", {}, UnsupportedError, "no .gif animation here: the problem has no time"),
    ("ode", "a.mp4", {}, UnsupportedError, "an ordinary equation is a curve over time"),
    ("line", "a.html", {}, UnsupportedError, "a curve has no .html scene; use .png"),
    ("plane", "a.png", {"quantity": "flux"}, SpecificationError, "'flux' is unknown; use one of field"),
    ("flow", "a.png", {"unknown": "q"}, SpecificationError, "'q' is not an unknown of this problem"),
    ("plane", "a.png", {"quantity": "error"}, SpecificationError, "has no exact solution; give reference="),
    ("plane", "a.png", {"quantity": "error", "reference": "u"}, SpecificationError, "must be an expression"),
    ("flow", "a.png", {"quantity": "error", "reference": X}, SpecificationError, "no expression for v_x"),
    ("plane", "a.png", {"quantity": "error", "reference": lambda p: p}, SpecificationError, "gave shape"),
    ("plane", "a.png", {"reference": X}, SpecificationError, "of no use for this picture of the field"),
    ("plane", "a.png", {"time": 0.5}, SpecificationError, "for a problem without time"),
    ("plane over time", "a.png", {"time": 7}, SpecificationError, "time 7 is outside 0 to 1, the time of the problem"),
    ("plane", "a.png", {"resolution": 1}, SpecificationError, "resolution must be an integer of at least 2"),
    ("plane", "a.png", {"units": {"w": "m"}}, SpecificationError, "units: 'w' is not a name here"),
    ("plane", "no/a.png", {}, ProblemFileError, "does not exist; create it first"),
    ("plane", "no/a.html", {}, ProblemFileError, "does not exist; create it first"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "options", "error", "message"), BAD)
def test_misuse_is_told_in_one_line_and_leaves_nothing(tmp_path, make, name, file, options, error, message):
    with pytest.raises(error, match=re.escape(message)) as caught:
        plot(make(name), tmp_path / file, **{"resolution": 6, "style": QUICK, **options})
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_nothing_finite_to_draw(tmp_path, make):
    square = made(Rectangle((-1, -1), (1, 1)), (X, Y), {"u": 1}, sympy.log(-1 - X**2, evaluate=False))
    with pytest.raises(NumericalError, match="u has no finite value here"):
        plot(square, tmp_path / "a.png", resolution=6)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["a.png", "a.gif", "a.mp4", "a.html"])
def test_a_failure_midway_leaves_nothing(tmp_path, make, file):
    solution = make("solid over time")
    solution.residual = lambda points: (_ for _ in ()).throw(PhysolveError("stopped"))
    with pytest.raises(PhysolveError, match="stopped"):
        plot(solution, tmp_path / file, quantity="residual", resolution=6, style=QUICK)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vectors": "lines"}, "'lines' is unknown"),
        ({"frames": 0}, "positive integer"),
        ({"dpi": 1.5}, "got 1.5"),
    ],
)
def test_bad_styles(options, message):
    with pytest.raises(SpecificationError, match=message):
        Style(**options)


def test_drawing_has_no_side_effects(tmp_path, make):
    import os
    import sys

    def figures():
        pyplot = sys.modules.get("matplotlib.pyplot")
        return pyplot.get_fignums() if pyplot else []  # other tests may have left some open

    before = dict(os.environ), figures()
    plot(make("solid"), tmp_path / "a.png", resolution=8, style=QUICK)
    assert (dict(os.environ), figures()) == before
