"""Every example runs as a user would run it, and says how wrong its answer is."""

import re
import runpy
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))

ERRORS = {
    "compare_with_fem": (r"relative difference: (\S+)", 1e-4),
    "convergence": (r"smooth: errors .* (\S+), average order", 1e-5),
    "elastic_plate": (r"moves by \S+, error (\S+)", 1e-5),
    "gauss_newton_network": (r"relative error after \d+ steps: (\S+)", 1e-2),
    "heat_animation": (r"largest error: (\S+),", 3e-2),
    "helmholtz": (r"1e-05 +\S+ +(\S+)", 1e-5),
    "holes_and_fluxes": (r"lost (\S+)", 1e-3),
    "hypernetwork_sweep": (r"relative error of number \d+: (\S+)", 0.3),
    "inclusion": (r"relative error: (\S+),", 1e-2),
    "inverse_diffusivity": (r"true 0\.3: (\S+) % off, readings", 2.0),
    "kolmogorov_width": (r"Cole-Hopf and Fourier, differ by (\S+)", 1e-6),
    "kovasznay_flow": (r"relative error of the velocity: (\S+),", 1e-3),
    "lorenz_parameters": (r"deviations away: (\S+)", 3.0),
    "loss_landscape": (r"error in the moving frame: (\S+), in", 1e-4),
    "moving_frame": (r"relative error: (\S+), by Cole", 1e-2),
    "poisson_lshape": (r"relative error at \(-0\.5, 0\.5\): (\S+),", 1e-4),
    "predator_prey": (r"from Runge-Kutta: (\S+)", 1e-4),
    "problem_file": (r"off from 2 by (\S+)", 1e-9),
}
"""What each prints last, and the largest error that its tolerance allows."""


def test_every_example_is_listed() -> None:
    assert {script.stem for script in SCRIPTS} == set(ERRORS)
    assert len(SCRIPTS) >= 8


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_runs_and_is_right(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        runpy.run_path(str(script), run_name="__main__")
    pattern, largest = ERRORS[script.stem]
    found = re.search(pattern, capsys.readouterr().out)
    assert found is not None
    assert float(found[1]) <= largest
    assert all(path.stat().st_size > 0 for path in tmp_path.iterdir())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_explains_itself(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert f"python {script.name}" in text
    assert len(text.splitlines()) <= 80
