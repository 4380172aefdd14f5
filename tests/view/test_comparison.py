"""Animations of rollouts."""

import numpy as np
import pytest
from PIL import Image

from physolve.errors import SpecificationError, UnsupportedError
from physolve.io import mesh_field
from physolve.view import Style, comparison_film

POINTS = np.stack(np.meshgrid(np.linspace(0, 4, 9), np.linspace(0, 1, 3), indexing="ij"), -1).reshape(-1, 2)
CORNER = np.array([3 * i + j for i in range(8) for j in range(2)])
QUADS = {"quad": np.stack([CORNER, CORNER + 3, CORNER + 4, CORNER + 1], 1)}
TIMES = [0.0, 0.1, 0.2]
FOUND = np.stack([np.sin(POINTS[:, 0] - t) for t in TIMES])


def film(tmp_path, truth, name="f.gif"):
    comparison_film(tmp_path / name, mesh_field(POINTS, QUADS), TIMES, FOUND, truth, style=Style(dpi=50))
    return tmp_path / name


def test_truth_and_error_lie_beside_the_prediction(tmp_path):
    alone, beside = (frame_size(film(tmp_path, truth)) for truth in (None, FOUND + 0.1))
    assert beside[1] > 2 * alone[1]  # three channels below each other


def frame_size(path):
    with Image.open(path) as image:
        assert image.n_frames == 3
        return image.size


def test_where_the_truth_has_ended_it_is_grey(tmp_path):
    truth = FOUND.copy()
    truth[2] = np.nan
    path = film(tmp_path, truth)
    with Image.open(path) as image:
        image.seek(2)
        pixels = np.array(image.convert("RGB")).reshape(-1, 3)
    grey = (np.abs(pixels.astype(int) - 0xB0).max(1) < 12).mean()
    assert grey > 0.2  # two of three panels


@pytest.mark.parametrize(
    ("points", "cells", "found", "error"),
    [
        (POINTS, QUADS, FOUND[:2], SpecificationError),
        (np.pad(POINTS, ((0, 0), (0, 1))), QUADS, FOUND, UnsupportedError),
        (POINTS, {"line": np.array([[0, 1]]), "triangle6": np.arange(6)[None]}, FOUND, UnsupportedError),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, points, cells, found, error):
    with pytest.raises(error, match="film: got"):
        comparison_film(tmp_path / "f.gif", mesh_field(points, cells), TIMES, found)
