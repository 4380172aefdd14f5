"""Learned simulators: transformers against MeshGraphNet, what a node should see, a real series, the solver's speed.

    python benchmarks/mesh.py series                        # ezyrb_cylinder: frames up to 44 train, 45-58 are predicted
    python benchmarks/mesh.py against --data cylinder.h5    # S and M against MeshGraphNet
    python benchmarks/mesh.py ablation --data cylinder.h5   # dilated windows, global nodes, K-hop
    python benchmarks/mesh.py speed                         # 600 steps on about 2,000 nodes, and the solver's
    python benchmarks/mesh.py large                         # 300,000 nodes in 3-D: time and memory, whole and in parts

`--seconds` is the time every network trains, on the clock of the wall, unless `--updates` are given; `--batch`
windows a step, `--unroll` steps a window, `--stride` frames of the data a step. `cylinder.h5` is made by `physolve mesh
generate cylinder`. Costs of a step are CPU time on the CPU, medians of `--repeat`. Errors of rollouts are
root-mean-square over normal nodes and all steps of the test trajectories, of the velocity, in the data's units.
Everything is seeded, but a run for some seconds is as long as the machine lets it be.
"""

import argparse
import dataclasses
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from _dmd import dmd, dmd_chosen, relative
from _large_mesh import large
from numpy.typing import NDArray
from torch import Tensor

from physolve.mesh import (
    MEDIUM,
    SMALL,
    Channels,
    Design,
    Sight,
    Simulator,
    load_simulator,
    moved,
    simulation_graph,
)
from physolve.mesh.data import Conversion, Fields, MeshStore, convert, read_rules
from physolve.mesh.rollout import RolloutErrors, run_rollout, stored_case
from physolve.mesh.training import Configuration, DataSettings, ModelSettings, TrainingSettings, train
from physolve.mesh.training._design import design_for, scales_of
from physolve.mesh.training._module import Batch, MeshModule

Way = TypeVar("Way")
SHARED = Path(os.environ.get("PHYSOLVE_DATA") or Path(__file__).resolve().parents[2] / "shared")
LAST, FRAMES = 44, 59  # of the real series: the last frame that is trained on, and how many there are
SETTLED = 20  # frames before, from rest, are another flow: with them the network learned the inflow's ramp
SIGHT = Sight(hops=2, global_nodes=2)
CHANNEL = """
boundary = "obstacle"

[where]
inflow = "x < 1e-6"
outflow = "x > 5 - 1e-6"
wall = "y < 1e-6 or y > 1 - 1e-6"
"""


def transformer(sizes: object, sight: Sight = SIGHT) -> Configuration:
    return dataclasses.replace(Configuration(), transformer=dataclasses.replace(sizes, rotary=2), sight=sight)


def baseline() -> Configuration:
    return dataclasses.replace(Configuration(), model=ModelSettings(network="messages"))


def filled(configuration: Configuration, data: Path, options: argparse.Namespace, **training: object) -> Configuration:
    """With its data and its time."""
    settings = TrainingSettings(
        steps=options.updates,
        hours=max(options.seconds, 1.0) / 3600,
        batch=options.batch,
        unroll=options.unroll,
        noise=options.noise,
        warmup=100,
        average=0.99,
        epoch=50,
        validate_every=10**6,
        validation=1,
    )
    return dataclasses.replace(
        configuration,
        data=DataSettings(path=str(data), outputs=("pressure",), stride=options.stride, in_memory=True),
        training=dataclasses.replace(settings, **training),
    )


def lasting(options: argparse.Namespace) -> str:
    """How long `filled` lets every network train."""
    return f"{options.updates} updates" if options.updates else f"{options.seconds:.0f} s"


def trained(configuration: Configuration, folder: Path) -> tuple[Simulator, int]:
    """The simulator, and how many steps it was trained."""
    weights = train(configuration, folder)
    steps = int(torch.load(folder / "last.ckpt", map_location="cpu", weights_only=True)["global_step"])
    return load_simulator(weights), steps


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


# --- the real series


def series(options: argparse.Namespace) -> None:
    """Relative L2 errors of the velocity over frames 45 to 58."""
    with np.load(SHARED / "data" / "cfd" / "ezyrb_cylinder.npz") as archive:
        arrays = dict(archive)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        past, whole = (stored_series(folder, name, arrays, end) for name, end in (("past", LAST + 1), ("all", FRAMES)))
        how = filled(transformer(SMALL), past, options, noise=0.005, learning_rate=2e-3)
        how = dataclasses.replace(how, data=dataclasses.replace(how.data, first=SETTLED, stride=1))
        simulator, steps = trained(how, folder / "run")
        predicted = forecast(simulator, whole)
    velocity = np.stack([arrays["vx"], arrays["vy"]], -1)
    known, true = velocity[: LAST + 1], velocity[LAST + 1 :]
    chosen, best = dmd_chosen(known, true)
    rows = [
        (f"transformer S, {steps} steps, {lasting(options)}", predicted),
        ("persistence: frame 44", np.broadcast_to(known[-1], true.shape)),
        (f"DMD, {chosen} chosen on frames 31-44", dmd(known, *chosen, len(true))),
        (f"DMD, {best} chosen on the frames to be predicted", dmd(known, *best, len(true))),
    ]
    print(
        "| frames 45-58 from frame 44 | relative L2 of the velocity | after 1 | after 6 | after 14 |"
        "\n|---|---|---|---|---|"
    )
    for name, found in rows:
        each = [relative(found[k : k + 1], true[k : k + 1]) for k in (0, 5, 13)]
        print(f"| {name} | {relative(found, true):.3f} | " + " | ".join(f"{e:.3f}" for e in each) + " |")


def stored_series(folder: Path, name: str, arrays: dict[str, NDArray], end: int) -> Path:
    """The first frames as a data set."""
    kept = {key: values[:end] if len(values) == FRAMES else values for key, values in arrays.items()}
    np.savez(folder / f"{name}.npz", **kept)
    (folder / "channel.toml").write_text(CHANNEL)
    fields = Fields({"velocity": ("vx", "vy"), "pressure": ("pressure",)})
    how = Conversion(fields=fields, rules=read_rules(folder / "channel.toml"))
    convert([folder / f"{name}.npz"], folder / f"{name}.h5", how)
    return folder / f"{name}.h5"


def forecast(simulator: Simulator, data: Path) -> NDArray:
    """Velocities of frames 45 to 58, from frame 44."""
    case = stored_case(MeshStore(data), "all", simulator.design, first=LAST)
    kept: list[NDArray] = []

    class Keep:
        def write(self, time: float, point_data: dict[str, NDArray]) -> None:
            kept.append(point_data["velocity"])

    run_rollout(simulator, case, FRAMES - 1 - LAST, writers=[Keep()], device=device())
    return np.stack(kept[1:])


# --- networks against one another


def against(options: argparse.Namespace) -> None:
    """Size, cost and error of S and M beside MeshGraphNet's."""
    ways = {"MeshGraphNet": baseline(), "transformer S": transformer(SMALL), "transformer M": transformer(MEDIUM)}
    ways = {name: filled(way, options.data, options) for name, way in chosen_of(ways, options).items()}
    print(f"{options.batch} windows of {options.unroll} a step, {lasting(options)} of training, {device()}\n")
    print(
        "| network | parameters | of MGN | training step s | x | rollout step s | x | steps trained | rollout RMSE"
        " | of MGN |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    first: list[float] = []
    for name, way in ways.items():
        count, step, roll = costs(way, options)
        steps, error = judged(way, options, name)
        found = [count, step, roll, error]
        first = first or found
        print(
            f"| {name} | {count / 1e6:.2f} M | {count / first[0]:.3f} | {step:.3f} | {first[1] / step:.1f} | {roll:.4f}"
            f" | {first[2] / roll:.1f} | {steps} | {error:.4f} | {error / first[3]:.2f} |",
            flush=True,
        )
    first_frame, mean = standing_still(options)
    print(f"\nthe first frame, kept: {first_frame:.4f}; every flow's own mean: {mean:.4f}")


def standing_still(options: argparse.Namespace) -> tuple[float, float]:
    """Errors of what does not move: the first frame, and the mean over a test trajectory's frames."""
    store, squares = MeshStore(options.data), []
    for name in tested(store, options):
        chosen = range(0, len(store.times(name)), options.stride)
        frames = torch.from_numpy(np.stack([store.frame(name, k)["velocity"] for k in chosen])).double()
        types = torch.from_numpy(store.mesh(name).node_type)
        squares.append([error_of(still, frames[1:], types) ** 2 for still in (frames[0], frames.mean(0))])
    first_frame, mean = np.sqrt(np.mean(squares, 0))
    return float(first_frame), float(mean)


def error_of(still: Tensor, true: Tensor, types: Tensor) -> float:
    """Of one velocity for all steps, as a rollout's is told."""
    errors = RolloutErrors(Channels(("velocity",), (2,)), types)
    for frame in true:
        errors.add(still, frame)
    return errors.figures()["velocity rmse"]


def tested(store: MeshStore, options: argparse.Namespace) -> list[str]:
    """The trajectories that are rolled out."""
    return (store.names("test") or store.names())[: options.cases]


def ablation(options: argparse.Namespace) -> None:
    """What a node of S looks at beyond its neighbours."""
    sights = {
        "neighbours": Sight(),
        "dilated window": Sight(reach=4, dilation=8),
        "2 global nodes": Sight(global_nodes=2),
        "2 hops": Sight(hops=2),
        "window and 2 global nodes": Sight(reach=4, dilation=8, global_nodes=2),
        "2 hops and 2 global nodes": SIGHT,
    }
    print("| sees | edges a node | training step s | steps trained | rollout RMSE |\n|---|---|---|---|---|")
    for name, sight in chosen_of(sights, options).items():
        way = filled(transformer(SMALL, sight), options.data, options)
        _, step, _ = costs(way, options)
        steps, error = judged(way, options, name)
        print(f"| {name} | {edges_per_node(way):.1f} | {step:.3f} | {steps} | {error:.4f} |", flush=True)


def chosen_of(ways: dict[str, Way], options: argparse.Namespace) -> dict[str, Way]:
    """Those of `--only`, all without it."""
    unknown = set(options.only or ()) - set(ways)
    if unknown:
        raise SystemExit(f"--only: got {', '.join(sorted(unknown))}, expected some of {', '.join(ways)}")
    return {name: way for name, way in ways.items() if not options.only or name in options.only}


def judged(way: Configuration, options: argparse.Namespace, name: str) -> tuple[int, float]:
    """Steps made in the time, and the error of the test trajectories' rollouts."""
    if not options.seconds:
        return 0, float("nan")
    with tempfile.TemporaryDirectory() as place:
        simulator, steps = trained(way, (options.keep or Path(place)) / name.replace(" ", "_"))
    store = MeshStore(options.data)
    squares = []
    for name in tested(store, options):
        case = stored_case(store, name, simulator.design)
        errors = run_rollout(simulator, case, case.steps, device=device(), bound=1e6).errors
        squares.append(errors["velocity rmse"] ** 2)
    return steps, float(np.sqrt(np.mean(squares)))


def costs(way: Configuration, options: argparse.Namespace) -> tuple[int, float, float]:
    """Parameters, seconds of a training step and of a rollout's."""
    module = prepared(way)
    optimizer = module.configure_optimizers()
    windows = [module._windows[k] for k in range(way.training.batch)]
    batch = Batch(tuple(w.mesh for w in windows), torch.cat([w.frames for w in windows], 1))

    def step() -> None:
        optimizer.zero_grad()
        module.window_loss(batch).backward()
        optimizer.step()

    graph = module._graph(batch.meshes[:1])
    state = batch.frames[0, : graph.num_nodes, :2].to(module.device)

    def roll() -> None:
        with torch.no_grad():
            module.network.advance(state, graph)

    count = sum(p.numel() for p in module.network.parameters())
    return count, seconds(step, options.repeat), seconds(roll, options.repeat)


def prepared(way: Configuration) -> MeshModule:
    """A module on the device, as a fit begins with it."""
    store = MeshStore(way.data.path)
    simulator = Simulator(design_for(way, store))
    simulator.set_scales(scales_of(store, simulator.design, way.data, way.training.noise))
    configuration = dataclasses.replace(way, data=dataclasses.replace(way.data, in_memory=False))
    module = MeshModule(configuration, store, simulator).to(device())
    module.on_fit_start()
    return module


def edges_per_node(way: Configuration) -> float:
    module = prepared(way)
    graph = module._graph((module._windows.meshes[0],))
    return graph.mask.edges / graph.num_nodes


def seconds(run: Callable[[], None], repeat: int) -> float:
    """The median after one call that warms up."""
    clock = time.process_time if device() == "cpu" else time.perf_counter
    found = []
    for _ in range(repeat + 1):
        begun = clock()
        run()
        if device() == "cuda":
            torch.cuda.synchronize()
        found.append(clock() - begun)
    return statistics.median(found[1:])


# --- the solver's speed


def speed(options: argparse.Namespace) -> None:
    """A rollout of S beside the finite-element solver that made the data, on the same mesh, for frames as far apart."""
    from physolve.mesh.data.channel import ChannelSettings, draw_case
    from physolve.mesh.data.channel._simulate import node_types, sized_flow
    from physolve.reference.flow import Stepper

    settings = ChannelSettings(nodes=options.nodes)
    flow = sized_flow(draw_case(settings, 0, 0), settings)
    stepper = Stepper(flow, settings.interval / settings.substeps, 1e-6)
    level, types = stepper.start(), node_types(flow)
    graph, simulator = untrained(flow.space.vertices, {"triangle": flow.space.triangles}, types)
    state = torch.zeros(len(types), 2, device=device())

    def solve() -> None:
        nonlocal level
        for _ in range(settings.substeps):
            level = stepper.step(level)

    def roll() -> None:
        nonlocal state
        with torch.no_grad():
            state = simulator.advance(state, graph).state

    solve(), solve()  # the first steps are dearer
    solver = seconds(solve, 10 * options.repeat)
    begun = time.perf_counter()
    learned = seconds(roll, options.steps)
    wall = time.perf_counter() - begun
    print(
        f"{len(types)} nodes, frames {settings.interval:g} s apart, {settings.substeps} steps of the solver in each\n"
    )
    print("| way | seconds a frame | frames a second | x |\n|---|---|---|---|")
    print(f"| finite elements (P2-P1) | {solver:.4f} | {1 / solver:.1f} | 1.0 |")
    print(f"| transformer S, {device()} | {learned:.4f} | {1 / learned:.1f} | {solver / learned:.1f} |")
    print(f"\n{options.steps} steps took {wall:.1f} s of wall time")


def untrained(points: NDArray, cells: dict[str, NDArray], types: NDArray) -> tuple[object, Simulator]:
    """A graph and S on it; what weights it has does not matter for its speed."""
    extent, length = float(np.ptp(points, axis=0).max()), float(np.ptp(points, axis=0).max() / len(points) ** 0.5)
    sizes = dataclasses.replace(SMALL, rotary=2)
    design = Design(Channels(("velocity",), (2,)), Channels(("pressure",), (0,)), 2, 0.01, length, extent, sizes, SIGHT)
    simulator = Simulator(design).to(device())
    simulator.set_scales(simulator.scales._replace(increment=torch.full((2,), 1e-3, device=device())))
    return moved(simulation_graph(points, cells, types, design), device()), simulator


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("series", "against", "ablation", "speed", "large"))
    parser.add_argument("--data", type=Path, default=Path("cylinder.h5"))
    parser.add_argument("--seconds", type=float, default=600.0, help="of training; 0 leaves it out")
    parser.add_argument("--updates", type=int, help="of the weights, in place of seconds of training")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--cases", type=int, default=10, help="test trajectories that are rolled out")
    parser.add_argument("--keep", type=Path, help="folder for the runs of `against` and `ablation`")
    parser.add_argument("--only", nargs="+", help="names of rows of `against` or `ablation`: runs beside each other")
    parser.add_argument("--unroll", type=int, default=1, help="steps of a window, each from the one before")
    parser.add_argument("--stride", type=int, default=1, help="frames of the data between two states")
    parser.add_argument("--noise", type=float, default=0.02, help="on the states seen, as a share of their deviation")
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=600, help="of the rollout that is timed")
    parser.add_argument("--side", type=int, default=67, help="of the large mesh: nodes along an axis")
    parser.add_argument("--parts", type=int, default=8, help="of the large mesh")
    parser.add_argument("--global-nodes", type=int, default=0, help="of the large mesh")
    parser.add_argument(
        "--no-memory", dest="memory", action="store_false", help="large: seconds alone, which are fewer"
    )
    parser.add_argument("--repeat", type=int, default=5)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    options = parsed(arguments)
    ways = {"series": series, "against": against, "ablation": ablation, "speed": speed, "large": large}
    ways[options.what](options)


if __name__ == "__main__":
    main(sys.argv[1:])
