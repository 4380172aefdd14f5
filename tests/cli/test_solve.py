"""`physolve solve`, in process; Ctrl-C in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from physolve.cli._outputs import SOLUTIONS


def test_solves_saves_and_draws(run, rod, tmp_path) -> None:
    ran = run("solve", rod, "--tol", "1e-4", "--out", "u.vtu", "--plot", "u.png")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("outcome")
    assert "converged" in ran.out
    assert "\nbound " in ran.out
    assert "u.vtu" in ran.out
    assert (tmp_path / "u.vtu").read_bytes().startswith(b"<?xml")
    assert (tmp_path / "u.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("suffix", SOLUTIONS)
def test_every_announced_format_is_written(run, rod, tmp_path, suffix: str) -> None:
    assert run("solve", rod, "--out", f"u{suffix}", "--quiet") == (0, "", "")
    assert (tmp_path / f"u{suffix}").stat().st_size > 0


def test_json(run, rod) -> None:
    ran = run("solve", rod, "--json", "--out", "u.safetensors")
    record = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert record["outcome"] == "converged"
    assert 0 < record["estimate"]["relative"] <= 1e-3
    assert record["written"] == {"saved": "u.safetensors"}
    assert record["cost"]["features"] > 0
    assert record["bound"]["value"] >= 0.125 * record["bound"]["residual"]  # C = d^2 / 8 on the unit interval


def test_no_bound_is_no_line(run, library) -> None:
    """Two unknowns: no maximum principle, null for programs and nothing for people."""
    file = library / "lotka_volterra.toml"
    assert json.loads(run("solve", file, "--json").out)["bound"] is None
    assert "bound" not in run("solve", file).out


def test_the_seed_decides(run, rod, tmp_path) -> None:
    from physolve.solve import Solution

    points = np.linspace(0.1, 0.9, 5)[:, None]
    values = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert run("solve", rod, "--seed", seed, "--out", f"{name}.safetensors", "--quiet").code == 0
        values.append(Solution.load(tmp_path / f"{name}.safetensors")(points))
    assert np.array_equal(values[0], values[1])
    assert not np.array_equal(values[0], values[2])


def test_a_missed_tolerance_exits_3_and_still_writes(run, rod, tmp_path) -> None:
    ran = run("solve", rod, "--tol", "1e-30", "--budget", "0.01", "--out", "u.npz")
    assert ran.code == 3
    assert ran.err.startswith("physolve: not solved to the tolerance 1e-30: ")
    assert ran.err.count("\n") == 1
    assert (tmp_path / "u.npz").exists()


def test_a_warning_is_printed_once(run, half_a_rod) -> None:
    ran = run("solve", half_a_rod, "--quiet", "--budget", "1")
    warnings = [line for line in ran.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "right" in warnings[0]


def test_data_from_a_file(run, tmp_path, library) -> None:
    s = np.linspace(-1, 1, 41)
    bump = np.cos(np.pi * s / 2)[:, None] * np.cos(np.pi * s / 2)
    np.savez(tmp_path / "source.npz", bump=bump * np.pi**2 / 2, other=bump)
    file = library / "poisson_gaussians.toml"
    missing = run("check", file)
    assert missing.code == 2
    assert "--data source=FILE" in missing.err
    ran = run("solve", file, "--data", "source=source.npz:bump", "--out", "u.safetensors", "--json")
    assert ran.code == 0
    from physolve.solve import Solution

    middle = Solution.load(tmp_path / "u.safetensors")(np.zeros((1, 2)))
    assert middle[0, 0] == pytest.approx(1, abs=3e-3)  # -laplacian(cos cos) = pi^2/2 cos cos; tol 1e-3 and a spline


@pytest.mark.parametrize("method", ["least-squares", "gauss-newton", "adam"])
def test_methods_by_name(run, rod, method: str) -> None:
    ran = run("solve", rod, "--method", method, "--budget", "2", "--json")
    assert ran.code in (0, 3)
    assert json.loads(ran.out)["cost"]["rows"] > 0


def test_the_moving_frame_by_name(run, rod) -> None:
    library = Path(__file__).resolve().parents[2] / "problems"
    ran = run("solve", library / "burgers_inviscid.toml", "--method", "lagrangian", "--tol", "1e-2", "--json")
    assert ran.code == 3
    record = json.loads(ran.out)
    assert record["outcome"] == "characteristics cross"
    assert record["valid_until"] == pytest.approx(1, abs=0.06)
    refused = run("solve", rod, "--method", "lagrangian")
    assert refused.code != 0
    assert refused.err.count("\n") == 1


def test_an_unforeseen_error_is_one_line(run, rod, monkeypatch) -> None:
    import physolve

    def broken(*_, **__):
        raise RuntimeError("a wheel\ncame off")

    monkeypatch.setattr(physolve, "solve", broken)
    ran = run("solve", rod)
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert "RuntimeError: a wheel came off" in ran.err
    assert "Traceback" in run("solve", rod, "--debug").err


def test_interrupted_before_a_solution_writes_nothing(run, rod, tmp_path, monkeypatch) -> None:
    import physolve

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(physolve, "solve", interrupted)
    ran = run("solve", rod, "--out", "u.vtu")
    assert ran.code == 130
    assert ran.err == "physolve: interrupted before there was a solution; nothing was written\n"
    assert not (tmp_path / "u.vtu").exists()


LISTEN = """
import sys, physolve
from physolve.cli import main
solve = physolve.solve
def telling(*given, progress=None, **named):
    return solve(*given, progress=lambda news: print(news.features, file=sys.stderr, flush=True), **named)
physolve.solve = telling
sys.exit(main())
"""


def test_ctrl_c_saves_the_best_so_far(tmp_path, library) -> None:
    command = [sys.executable, "-c", LISTEN, "solve", str(library / "burgers.toml")]
    running = subprocess.Popen(
        [*command, "--tol", "1e-12", "--out", "u.safetensors"],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job started in the background of a script ignores SIGINT, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr is not None
    assert running.stderr.readline().strip().isdigit()  # the first rung: there is a solution
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "interrupted" in out
    assert "Traceback" not in err
    from physolve.solve import Outcome, Solution

    assert Solution.load(tmp_path / "u.safetensors").outcome is Outcome.INTERRUPTED
