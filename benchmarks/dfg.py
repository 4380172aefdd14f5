"""The flow solver that makes mesh data, against the reference values of the DFG benchmark.

    python benchmarks/dfg.py              # all sections, about five minutes of one core
    python benchmarks/dfg.py 2d1          # one of: 2d1, 2d2, 2d3, cost

2d1   flow around a cylinder at Reynolds number 20, stationary: drag, lift, pressure difference
2d2   at 100, periodic: Strouhal number, largest and smallest drag and lift
2d3   at 0 to 100 to 0 in eight seconds: the largest drag and lift, and when
cost  seconds that a trajectory of about 2,000 nodes and 200 steps takes

Channel 2.2 x 0.41, cylinder at (0.2, 0.2) of radius 0.05, viscosity 1e-3 (Schaefer, Turek 1996). References: those of
2D-1 by Nabh (1998) and of FEATFLOW; for 2D-2 and 2D-3 FEATFLOW's series in $PHYSOLVE_DATA/data/cfd, else
../shared/data/cfd.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np

from physolve.mesh.data.channel import ChannelSettings, draw_case, simulated
from physolve.reference.flow import (
    Channel,
    Flow,
    Inflow,
    Level,
    MeshSizes,
    Stepper,
    channel_flow,
    force_on,
    steady_flow,
)
from physolve.spec.geometry import Disk

CFD = Path(os.environ.get("PHYSOLVE_DATA") or Path(__file__).resolve().parents[2] / "shared") / "data" / "cfd"
DIAMETER, HEIGHT, VISCOSITY = 0.1, 0.41, 1e-3
CHANNEL = Channel(2.2, HEIGHT, (Disk((0.2, 0.2), DIAMETER / 2),))
SIZES = MeshSizes(anywhere=0.03, obstacle=0.005, wake=0.012)
DT = 2.5e-3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sections = {"2d1": stationary, "2d2": periodic, "2d3": swelling, "cost": cost}
    parser.add_argument("section", nargs="*", default=list(sections), metavar="|".join(sections))
    options = parser.parse_args()
    print(f"{'case':6s} {'quantity':20s} {'reference':>10s} {'here':>10s} {'off by':>8s} {'asked':>6s}")
    for name in options.section:
        began, busy = time.perf_counter(), time.process_time()
        told = sections[name]()
        seconds = f"{time.perf_counter() - began:.0f} s, {time.process_time() - busy:.0f} s of the processor"
        print(f"{name:6s} {told}; {seconds}", flush=True)


def row(case: str, quantity: str, reference: float, found: float, asked: str = "") -> None:
    print(
        f"{case:6s} {quantity:20s} {reference:10.5g} {found:10.5g} {found / reference - 1:+8.2%} {asked:>6s}",
        flush=True,
    )


def stationary() -> str:
    counts = []
    for sizes in (MeshSizes(anywhere=0.06, obstacle=0.01, wake=0.028), MeshSizes(0.03, 0.004, 0.012)):
        flow = channel_flow(CHANNEL, sizes, VISCOSITY, Inflow(HEIGHT, peak=0.3))
        level = steady_flow(flow)
        drag, lift = coefficients(flow, level, mean=0.2)
        counts.append(len(flow.space.vertices))
        case = f"2d1/{counts[-1]}"
        row(case, "drag", 5.57953524, drag, "0.5 %")
        row(case, "lift", 0.010618948, lift)
        row(case, "pressure difference", 0.117520167, pressure_at(flow, level, 0.15) - pressure_at(flow, level, 0.25))
    return f"{' and '.join(map(str, counts))} vertices"


def periodic() -> str:
    flow = channel_flow(CHANNEL, SIZES, VISCOSITY, Inflow(HEIGHT, peak=1.5))
    found = series(flow, until=6.0)
    found = found[found[:, 0] > 4.5]
    known = reference("dfg2d2_bdforces_q2_lv6_dt4.txt.gz")
    row("2d2", "Strouhal number", DIAMETER / period(known), DIAMETER / period(found), "2 %")
    for name, column, extreme in (
        ("largest drag", 1, np.max),
        ("smallest drag", 1, np.min),
        ("largest lift", 2, np.max),
    ):
        row("2d2", name, extreme(known[:, column]), extreme(found[:, column]))
    row("2d2", "smallest lift", known[:, 2].min(), found[:, 2].min())
    return f"{len(flow.space.vertices)} vertices, steps of {DT:g} s"


def swelling() -> str:
    flow = channel_flow(CHANNEL, SIZES, VISCOSITY, Inflow(HEIGHT, peak=1.5, period=8.0))
    found, known = series(flow, until=8.0), reference("dfg2d3_bdforces_lv6.txt.gz")
    for name, column in (("drag", 1), ("lift", 2)):
        (when, most), (when_known, most_known) = (peak(part[:, 0], part[:, column]) for part in (found, known))
        asked = "1 %" if name == "drag" else ""
        row("2d3", f"largest {name}", most_known, most, asked)
        row("2d3", "at the time", when_known, when, asked)
    return f"{len(flow.space.vertices)} vertices, steps of {DT:g} s"


def cost() -> str:
    settings = ChannelSettings(nodes=2000)
    frames = simulated(draw_case(settings, seed=0, number=4), settings)
    size = f"{len(frames.points)} nodes, {settings.steps - 1} steps kept of {settings.interval:g} s"
    return f"{size}, each {settings.substeps} steps of the solver, after {settings.start:g} s not kept"


def coefficients(flow: Flow, level: Level, mean: float) -> np.ndarray:
    """Of drag and lift."""
    return 2 * force_on(flow, level) / (mean**2 * DIAMETER)


def pressure_at(flow: Flow, level: Level, x: float) -> float:
    """At the vertex of the cylinder nearest to (x, 0.2)."""
    return float(level.pressure[np.argmin(np.linalg.norm(flow.space.vertices - [x, 0.2], axis=1))])


def series(flow: Flow, until: float) -> np.ndarray:
    """(steps, 3): times, drag and lift."""
    stepper = Stepper(flow, DT, rtol=1e-6)
    level, found = stepper.start(), []
    for _ in range(round(until / DT)):
        level = stepper.step(level)
        found.append((level.time, *coefficients(flow, level, mean=1.0)))
    return np.array(found)


def reference(name: str) -> np.ndarray:
    """(steps, 3): the same by FEATFLOW."""
    return np.loadtxt(CFD / name)[:, [1, 3, 4]]


def peak(times: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """When and how much, by a parabola through the largest value and its neighbours."""
    k = int(np.clip(np.argmax(values), 1, len(values) - 2))
    a, b, c = np.polyfit(times[k - 1 : k + 2] - times[k], values[k - 1 : k + 2], 2)
    return float(times[k] - b / (2 * a)), float(c - b * b / (4 * a))


def period(found: np.ndarray) -> float:
    """Mean time between the lift's rises through its mean."""
    times, lift = found[:, 0], found[:, 2] - found[:, 2].mean()
    k = np.flatnonzero((lift[:-1] < 0) & (lift[1:] >= 0))
    rises = times[k] - lift[k] * (times[k + 1] - times[k]) / (lift[k + 1] - lift[k])
    return float(np.diff(rises).mean())


if __name__ == "__main__":
    main()
