"""Scenes as pages: all inside one file, with the very mesh and values, and a viewer that runs."""

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from made_solutions import PLATE, X, Y, made

from physolve.view import Style, plot


class Page(HTMLParser):
    """Tags, attributes and scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.title = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        if self.open and self.open[-1] == "title":
            self.title += data


def page(solution: Any, folder: Path, **options: Any) -> tuple[str, Page, dict]:
    path = folder / "a.html"
    plot(solution, path, **{"resolution": 10, **options})
    text = path.read_text(encoding="utf-8")
    parsed = Page(text)
    return text, parsed, json.loads(parsed.scripts[0])


def unpack(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind)


@pytest.mark.parametrize(
    ("name", "dim", "frames"),
    [
        ("plane", 2, 1),
        ("flow", 2, 1),
        ("line over time", 2, 1),
        ("plane over time", 2, 25),
        ("solid", 3, 1),
        ("solid over time", 3, 25),
    ],
)
def test_a_page_is_whole_and_holds_the_values(tmp_path, make, name, dim, frames):
    solution = make(name)
    text, parsed, data = page(solution, tmp_path)
    assert text.startswith("<!DOCTYPE html>")
    assert parsed.open == []
    assert parsed.title == solution.problem.name
    assert data["solid"] == (dim == 3)
    points = unpack(data["points"], "<f4").reshape(-1, 3)
    triangles, edges = unpack(data["triangles"], "<u4"), unpack(data["edges"], "<u4")
    assert triangles.size % 3 == edges.size % 2 == 0
    assert triangles.max() < len(points)
    assert edges.max() < len(points)
    times = data["times"]["values"] if data["times"] else [None]
    assert len(times) == frames
    for layer in data["quantities"]:
        assert len(layer["frames"]) == frames
        assert len(unpack(layer["colormap"], "u1")) == 768
        values = np.concatenate([unpack(frame, "<f4") for frame in layer["frames"]])
        assert len(values) == frames * len(points)
        assert np.isfinite(values).all()
        assert layer["low"] - 1e-6 <= values.min() < values.max() <= layer["high"] * (1 + 1e-6) + 1e-6


def test_values_belong_to_their_points_and_moments(tmp_path):
    solution = made(PLATE, (X, Y), {"u": 1}, X + 10 * Y)
    _, _, data = page(solution, tmp_path)
    points = unpack(data["points"], "<f4").reshape(-1, 3)
    values = unpack(data["quantities"][0]["frames"][0], "<f4")
    np.testing.assert_allclose(values, points[:, 0] + 10 * points[:, 1], atol=1.0)  # boundary nodes move in
    assert np.median(np.abs(values - points[:, 0] - 10 * points[:, 1])) < 1e-5


def test_nothing_is_fetched(tmp_path, make):
    text, parsed, _ = page(make("plane over time"), tmp_path)
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|fetch\(|XMLHttpRequest|import\(", text)
    assert {name for name, _ in parsed.attributes}.isdisjoint({"src", "href"})


def test_text_of_the_user_cannot_break_out(tmp_path, make):
    evil = '</script><script>alert("&1")</script>'
    _, parsed, data = page(make("plane"), tmp_path, title=evil, units={"u": "</script>"})
    assert len(parsed.scripts) == 2
    assert parsed.title == evil
    assert data["title"] == evil
    assert data["quantities"][0]["label"] == "u [</script>]"


def test_nan_and_logarithms(tmp_path, make):
    _, _, data = page(make("plane"), tmp_path, quantity="residual")
    assert data["quantities"][0]["log"]
    assert 0 < data["quantities"][0]["low"] < data["quantities"][0]["high"]
    hollow = sympy.Piecewise((X, X > 1), (sympy.log(-1 - Y**2, evaluate=False), True))
    _, _, data = page(made(PLATE, (X, Y), {"u": 1}, hollow), tmp_path)
    values = unpack(data["quantities"][0]["frames"][0], "<f4")
    assert np.isnan(values).any()
    assert np.isfinite([data["quantities"][0]["low"], data["quantities"][0]["high"]]).all()


def test_the_plane_of_space_and_time_is_stretched_to_a_picture(tmp_path, make):
    _, _, data = page(make("line over time"), tmp_path, units={"t": "s"})
    sides = (np.array(data["upper"]) - data["lower"]) * data["stretch"]
    assert sides[0] / sides[1] == pytest.approx(1.35)
    assert data["names"] == ["x", "t [s]"]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to run the viewer")
@pytest.mark.parametrize("name", ["plate", "plane over time", "solid"])
def test_the_viewer_runs_and_reads_values(tmp_path, make, name):
    """The page's own script in a stub of a browser: it draws, and the pointer in the middle reads the field."""
    page(make(name), tmp_path, style=Style())
    stub = Path(__file__).with_name("browser_stub.js")
    done = subprocess.run(
        ["node", str(stub), str(tmp_path / "a.html")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["drawn"] >= 2
    assert told["outside"] == ""
    numbers = [float(v) for v in re.findall(r"= (-?[\d.e+-]+)", told["middle"])]
    *place, value = numbers
    if name == "plate":
        assert place == pytest.approx([1.0, 0.5], abs=0.01)
        assert value == pytest.approx(300.5, abs=0.1)
    elif name == "plane over time":
        assert told["clock"] == "t = 0.5"
        assert place == pytest.approx([1.0, 0.5], abs=0.01)
        assert value == pytest.approx(0.0, abs=0.02)
    else:
        x, y, z = place
        assert value == pytest.approx(np.sin(3 * x) + y * z, abs=0.05)
    assert told["marks"] >= 2


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


def photograph(page: Path, width: int, height: int) -> np.ndarray:
    """The page as a browser draws it, (height, width, 3)."""
    import matplotlib.image

    shot = page.with_suffix(".png")
    software = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    quiet = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=1"]
    what = [f"--window-size={width},{height}", "--virtual-time-budget=4000", f"--screenshot={shot}", page.as_uri()]
    home = f"--user-data-dir={page.parent / 'browser'}"
    subprocess.run([BROWSER, *quiet, *software, home, *what], capture_output=True, timeout=120, check=True)
    return np.round(255 * matplotlib.image.imread(shot)[..., :3])


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome to show the page")
def test_a_browser_shows_the_field(tmp_path):
    """u = x on a plate with a hole: from left to right the colours of the map, white in the hole and around."""
    import matplotlib

    plot(made(PLATE, (X, Y), {"u": 1}, X), tmp_path / "a.html")
    picture = photograph(tmp_path / "a.html", 900, 620)
    stage = picture[60:, :760]  # without the header and the colour bar
    colorful = np.ptp(stage, axis=2) > 40
    rows, columns = np.flatnonzero(colorful.any(1)), np.flatnonzero(colorful.any(0))
    top, left, height, width = rows[0], columns[0], np.ptp(rows), np.ptp(columns)
    assert width / height == pytest.approx(2, rel=0.02)  # true proportions
    for x, y in ((0.1, 0.5), (1.0, 0.9), (1.3, 0.2), (1.9, 0.5)):
        seen = stage[round(top + (1 - y) * height), round(left + x / 2 * width)]
        np.testing.assert_allclose(seen, 255 * np.array(matplotlib.colormaps["viridis"](x / 2)[:3]), atol=4)
    assert (stage[round(top + 0.5 * height), round(left + 0.3 * width)] == 255).all()  # the hole at (0.6, 0.5)
