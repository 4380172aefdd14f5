"""Air quality at stations: forecasts against baselines on real data, what the physics costs, what is recovered.

    python benchmarks/air.py                              # all sections, three seeds
    python benchmarks/air.py real --seeds 3 --minutes 40  # one section; no training is longer than so many minutes
    python benchmarks/air.py real --json air.json         # figures are kept after every training, and not made again

real       PM2.5 at 12 stations of Beijing (PHYSOLVE_DATA or ../shared), 3-hour means, 24 steps in, 24 out, split
           7:1:2 in time: errors on the test part at 24, 48 and 72 h, over every measured value of every window. Nothing
           from after the present is read, weather neither. Of learned models the best validation is tested; mean and
           spread of seeds.
spread     a model of the real data: how often what is measured on the test part lies in the interval that is to hold
           80 %, as the samples are and calibrated on the validation part
speed      a training step of the whole equation over one with diffusion only, 12 and 35 stations, batch 32
synthetic  the shipped weights on data/air/basin.h5: coefficients over the truth, error over the equation's solution
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from physolve.air import AirModel, AirSetup, AirSizes, Windows, load_weights
from physolve.air.data import AirSeries, Preparation, Stations, prepare, read_series, split, write_series
from physolve.air.training import (
    Configuration,
    Forecaster,
    LossWeights,
    Parts,
    climatology,
    evaluate,
    loss,
    persistence,
    prepared,
    read_configuration,
    ridge,
    sparse_history,
    spread_of,
    sudden_changes,
    train,
    train_recurrent,
    unlearned,
)
from physolve.spec import read_problem

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data" / "air"
SHARED = Path(os.environ.get("PHYSOLVE_DATA", Path(__file__).resolve().parents[2] / "shared"))
STEPS = (8, 16, 24)
"""24, 48 and 72 h."""

FULL, DIFFUSION, ADVECTION, NONE = "diffusion and advection", "diffusion only", "advection only", "neither"
TERMS = {FULL: ("a", "D"), DIFFUSION: ("D",), ADVECTION: ("a",), NONE: ()}
"""What of the problem file each ablation keeps: its wind, its diffusion."""

Figures = dict[str, list[float]]


def main() -> None:
    arguments = _parser().parse_args()
    sections = {"real": real, "spread": spread, "speed": speed, "synthetic": synthetic}
    for name in arguments.sections or sections:
        print(f"\n## {name}\n", flush=True)
        sections[name](arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=("real", "spread", "speed", "synthetic"), metavar="SECTION")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed of `real`")
    parser.add_argument("--minutes", type=float, default=40, help="longest training of one model")
    parser.add_argument("--config", type=Path, default=DATA / "beijing_train.toml")
    parser.add_argument("--json", type=Path)
    return parser


# --- real data --------------------------------------------------------------------------------------------------------


def real(arguments: argparse.Namespace) -> None:
    with _workplace(arguments) as (base, series, work):
        results = _read_results(arguments.json)
        seeds = range(arguments.first, arguments.first + arguments.seeds)
        model, parts = prepared(_configured(base, series, work, FULL, 0))
        for name, seed, made in (
            *_baselines(model, parts),
            *_learned(base, series, work, parts, model.setup.scale, seeds),
        ):
            found = results.setdefault(name, {})
            if seed not in found:
                found[seed] = _judged(made(), parts)
                print(f"{name:28s} " + " / ".join(f"{x:6.2f}" for x in found[seed]["all"]["mae"]), flush=True)
                if arguments.json:
                    arguments.json.write_text(json.dumps(results, indent=1) + "\n")
        for protocol in results["persistence"][""]:
            print(f"\n{protocol}\n")
            _print_table({name: [each[protocol] for each in found.values()] for name, found in results.items()})


@contextmanager
def _workplace(arguments: argparse.Namespace) -> Iterator[tuple[Configuration, Path, Path]]:
    """The configuration, the real data as a file, and a folder."""
    with tempfile.TemporaryDirectory() as folder:
        series = Path(folder) / "beijing.h5"
        write_series(series, beijing())
        base = read_configuration(arguments.config)
        yield replace(base, training=replace(base.training, hours=arguments.minutes / 60)), series, Path(folder)


def _read_results(path: Path | None) -> dict[str, dict[str, dict[str, Figures]]]:
    """By name, seed (empty where none is needed) and protocol."""
    return json.loads(path.read_text()) if path and path.exists() else {}


def beijing() -> AirSeries:
    """The real data as 3-hour means."""
    folder = SHARED / "data" / "air"
    files = sorted(folder.glob("PRSA_Data_*.csv.gz"))
    if not files:
        raise SystemExit(f"no data in {folder}; set PHYSOLVE_DATA, or 'physolve air download'")
    return prepare(files, Stations.read(folder / "stations.csv"), Preparation(hours=3))[0]


Way = tuple[str, str, Callable[[], Forecaster]]
"""Its name, its seed, and how it is made, which may take minutes."""


def _baselines(model: AirModel, parts: Parts) -> Iterator[Way]:
    """Those that need no seed."""
    scale = model.setup.scale
    yield "persistence", "", lambda: persistence(scale)
    yield "climatology, mean", "", lambda: climatology(parts.train, median=False)
    yield "climatology, median", "", lambda: climatology(parts.train, median=True)
    yield "ridge on lags", "", lambda: ridge(parts.train, parts.validation, scale)
    yield "ridge on lags, roots", "", lambda: ridge(parts.train, parts.validation, scale, roots=True)
    yield "physics without learning", "", lambda: unlearned(model)


def _learned(base: Configuration, series: Path, work: Path, parts: Parts, scale: float, seeds: range) -> Iterator[Way]:
    """Seed by seed, the whole equation and its ablations, and a network without one."""

    def trained(configuration: Configuration, folder: Path) -> Forecaster:
        begun = time.perf_counter()
        model = load_weights(train(configuration, folder))
        print(f"  ({(time.perf_counter() - begun) / 60:.1f} min, {_physics_in_words(model)})", flush=True)
        return lambda batch: model(batch, 0).mean

    def recurrent(seed: int) -> Forecaster:
        settings = replace(base.training, seed=seed)
        return train_recurrent(base.model, settings, parts.train, parts.validation, scale)

    for seed in seeds:
        for name in TERMS:
            configuration = _configured(base, series, work, name, seed)
            yield name, str(seed), partial(trained, configuration, work / f"{name} {seed}")
        yield "GRU without physics", str(seed), partial(recurrent, seed)


def _configured(base: Configuration, series: Path, work: Path, name: str, seed: int) -> Configuration:
    """The configuration with an equation that lacks some terms."""
    problem = work / f"{name.replace(' ', '_')}.toml"
    problem.write_text(without_terms((DATA / "stations.toml").read_text(encoding="utf-8"), TERMS[name]))
    data = replace(base.data, series=str(series), problem=str(problem))
    return replace(base, data=data, training=replace(base.training, seed=seed))


def without_terms(text: str, kept: tuple[str, ...]) -> str:
    """The problem file without the terms, parameters and data that are not kept."""
    terms = {"a": " + a*div(c*[wind_x(x, y, t), wind_y(x, y, t)])", "D": "D*laplacian(c) "}
    for name in set(terms) - set(kept):
        assert terms[name] in text, f"the term {terms[name]} is not in the problem file"
        text = text.replace(terms[name], "")
        gone = (f"{name} = ", *(("wind_x = ", "wind_y = ") if name == "a" else ()))
        text = "\n".join(line for line in text.split("\n") if not line.startswith(gone))
    return text


def _judged(forecaster: Forecaster, parts: Parts) -> dict[str, Figures]:
    """Errors on all of the test part, on sudden changes, and with most of the history missing."""
    test, instants = parts.test, list(parts.test.instants)
    sparse = sparse_history(test, keep=0.25)
    return {
        "all": _figures(forecaster, test, instants),
        "sudden changes": _figures(forecaster, test, sudden_changes(test, instants)[::4]),
        "a quarter of the history": _figures(forecaster, sparse, instants[::4]),
    }


def _figures(forecaster: Forecaster, windows: Windows, instants: list[int]) -> Figures:
    scores = evaluate(forecaster, windows, instants).at(STEPS)
    return {"mae": scores.mae.tolist(), "rmse": scores.rmse.tolist(), "smape": scores.smape.tolist()}


def _print_table(results: Mapping[str, list[Figures]]) -> None:
    print("| | MAE 24 / 48 / 72 h | RMSE | SMAPE |\n|---|---|---|---|")
    for name, seeds in results.items():
        cells = [" / ".join(_cell([seed[key][k] for seed in seeds]) for k in range(len(STEPS))) for key in seeds[0]]
        print(f"| {name} | " + " | ".join(cells) + " |")


def _cell(values: list[float]) -> str:
    digits = 2 if max(values) > 3 else 3
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread}"


def _physics_in_words(model: AirModel) -> str:
    physics = model.physics
    words = []
    if physics.diffusivity is not None:
        d = physics.diffusivity.detach()
        words.append(f"D {float(d.min()):.0f} to {float(d.max()):.0f} m²/s")
    if physics.response is not None:
        words.append(f"wind response {float(physics.response.detach()):.3f}")
    if physics.deposition is not None:
        words.append(f"deposition {3600 * float(physics.deposition.detach()):.3f} / h")
    return ", ".join(words)


# --- spread -----------------------------------------------------------------------------------------------------------


def spread(arguments: argparse.Namespace) -> None:
    with _workplace(arguments) as (base, series, work):
        print(
            "| seed | samples | coverage at 24 / 48 / 72 h, % | width, µg/m³ | interval score |\n|---|---|---|---|---|"
        )
        for seed in range(arguments.seeds):
            configuration = _configured(base, series, work, FULL, seed)
            model = load_weights(train(configuration, work / f"spread {seed}"))
            _print_spread(model, prepared(configuration)[1].test, seed)


def _print_spread(model: AirModel, test: Windows, seed: int) -> None:
    for name, calibration in (("as they are", None), ("calibrated", model.calibration)):
        found = spread_of(model, test, test.instants[::6], calibration)
        columns = (100 * found.coverage(), found.width(), found.interval_score())
        cells = (" / ".join(f"{float(x[k - 1]):.1f}" for k in STEPS) for x in columns)
        print(f"| {seed} | {name} | " + " | ".join(cells) + " |", flush=True)


# --- speed ------------------------------------------------------------------------------------------------------------


def speed(arguments: argparse.Namespace) -> None:
    print("| stations | diffusion only | diffusion and advection | ratio |\n|---|---|---|---|")
    for stations in (12, 35):
        times = {name: _step_time(name, stations) for name in (DIFFUSION, FULL)}
        ratio = times[FULL] / times[DIFFUSION]
        print(
            f"| {stations} | {1e3 * times[DIFFUSION]:.0f} ms | {1e3 * times[FULL]:.0f} ms | {ratio:.2f} |", flush=True
        )


def _step_time(name: str, stations: int, repetitions: int = 9) -> float:
    """Seconds of processor time of a training step, the median: others may use the machine at the same time."""
    series = _invented(stations)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.toml"
        path.write_text(without_terms((DATA / "stations.toml").read_text(encoding="utf-8"), TERMS[name]))
        setup = AirSetup.of(read_problem(path), series)
    torch.manual_seed(0)
    model, sizes = AirModel(setup), AirSizes()
    batch = Windows.of(series, setup, sizes).at(range(sizes.history, sizes.history + 32))
    times = []
    for _ in range(repetitions):
        begun = time.process_time()
        loss(model(batch), batch, setup.scale, sizes.every, LossWeights()).backward()
        times.append(time.process_time() - begun)
    return statistics.median(times)


def _invented(stations: int) -> AirSeries:
    """Noise at stations as far apart as Beijing's."""
    rng = np.random.default_rng(0)
    steps = 128
    places = Stations(tuple(f"s{k}" for k in range(stations)), 39.6 + rng.random(stations), 116 + rng.random(stations))
    times = np.datetime64("2016-01-01T00:00:00", "s") + np.arange(steps) * np.timedelta64(3, "h")
    values = rng.gamma(2, 40, (steps, stations, 1)).astype(np.float32)
    weather = rng.normal(0, 2, (steps, stations, 5)).astype(np.float32)
    return AirSeries(places, times, 3.0, ("PM2.5",), values, weather)


# --- synthetic --------------------------------------------------------------------------------------------------------

TRUTH = {"diffusivity": 120e6 / 3600, "wind response": 1.0, "deposition": 0.04 / 3600}
"""Of data/air/basin.toml, m^2/s and 1/s."""


def synthetic(arguments: argparse.Namespace) -> None:
    model = load_weights(DATA / "basin.safetensors")
    series = split(read_series(DATA / "basin.h5"))[2]
    windows = Windows.of(series, model.setup, model.sizes)
    physics = model.physics
    assert physics.diffusivity is not None
    assert physics.response is not None
    assert physics.deposition is not None
    found = dict(zip(TRUTH, (physics.diffusivity.mean(), physics.response, physics.deposition), strict=True))
    for name, value in found.items():
        print(f"{name + ' / truth':22s} {float(value.detach()) / TRUTH[name]:.3f}")
    print("\n| | 24 h | 48 h | 72 h |\n|---|---|---|---|")
    forecasters: dict[str, Forecaster] = {
        "model": lambda batch: model(batch, 0).mean,
        "persistence": persistence(model.setup.scale),
    }
    for name, forecaster in forecasters.items():
        print(f"| {name} | " + " | ".join(f"{x:.2%}" for x in _relative(forecaster, windows)) + " |")


@torch.no_grad()
def _relative(forecaster: Forecaster, windows: Windows) -> list[float]:
    """Relative L2 error over all windows, at the three horizons."""
    batch = windows.at(list(windows.instants))
    off, size = (forecaster(batch) - batch.target).square(), batch.target.square()
    return [float((off[:, k - 1].sum() / size[:, k - 1].sum()).sqrt()) for k in STEPS]


if __name__ == "__main__":
    main()
