"""A small made-up flow, and how the formats would hold it."""

import json

import h5py
import meshio
import numpy as np

from physolve.io import MeshField, vtu

STEPS = 4


def grid(side=4):
    """Points of the unit square, and two triangles a square."""
    axis = np.linspace(0, 1, side)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    corner = np.array([side * i + j for i in range(side - 1) for j in range(side - 1)])
    lower = np.stack([corner, corner + side, corner + side + 1], 1)
    return points, np.concatenate([lower, np.stack([corner, corner + side + 1, corner + 1], 1)])


POINTS, TRIANGLES = grid()
N = len(POINTS)
NODE_TYPE = np.where(POINTS[:, 0] == 0, 4, 0)


def flow(step, points=POINTS, shift=0.0):
    """Velocity (n, 2) and pressure (n,) at a step; `shift` makes another simulation."""
    x, y = points.T
    velocity = np.stack([np.sin(x + step + shift), np.cos(y - step)], 1)
    return {"velocity": velocity.astype(np.float32), "pressure": (x * y + step + shift).astype(np.float32)}


def frames(**options):
    steps = [flow(step, **options) for step in range(STEPS)]
    return {name: np.stack([frame[name] for frame in steps]) for name in steps[0]}


def write_npz(path, node_type=NODE_TYPE, **changes):
    arrays = {"points": POINTS, "triangles": TRIANGLES, **frames()}
    if node_type is not None:
        arrays["node_type"] = node_type
    arrays |= changes
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})
    return path


def write_meshgraphnets(path, trajectories=3, dt=0.25, repeat=False, **changes):
    """`repeat`: mesh and types at every step, as some converters write them."""
    path.with_name("meta.json").write_text(json.dumps({"dt": dt, "trajectory_length": STEPS}))
    with h5py.File(path, "w") as file:
        for k in range(trajectories):
            values = frames(shift=0.1 * k)
            arrays = {
                "cells": TRIANGLES.astype(np.int32),
                "mesh_pos": POINTS.astype(np.float32),
                "node_type": NODE_TYPE[:, None].astype(np.int32),
            }
            if repeat:
                arrays = {name: np.repeat(array[None], STEPS, 0) for name, array in arrays.items()}
            arrays |= {"velocity": values["velocity"], "pressure": values["pressure"][..., None]}
            for name, array in (arrays | changes).items():
                file[f"{k}/{name}"] = array
    return path


def write_xdmf(path):
    points = np.pad(POINTS, ((0, 0), (0, 1)))
    with meshio.xdmf.TimeSeriesWriter(path) as writer:
        writer.write_points_cells(points, [("triangle", TRIANGLES)])
        for step in range(STEPS):
            writer.write_data(0.5 * step, point_data=flow(step))
    return path


def write_vtu_folder(folder, steps=range(STEPS), change=None):
    """`change(step, points, cells, data)` may return others."""
    folder.mkdir()
    for step in steps:
        mesh = POINTS, {"triangle": TRIANGLES}, flow(step)
        points, cells, data = mesh if change is None else change(step, *mesh)
        vtu.write(folder / f"flow_{step}.vtu", MeshField(points, cells, data))
    return folder


def write_pvd(folder):
    write_vtu_folder(folder)
    entries = "".join(f'<DataSet timestep="{0.2 * k}" part="0" file="flow_{k}.vtu"/>' for k in reversed(range(STEPS)))
    path = folder / "flow.pvd"
    path.write_text(f'<?xml version="1.0"?><VTKFile type="Collection"><Collection>{entries}</Collection></VTKFile>')
    return path


HEADER = 'FoamFile {{ version 2.0; format ascii; class {kind}; location "{place}"; object {name}; }}\n'


def _foam(case, place, name, kind, body):
    (case / place).mkdir(parents=True, exist_ok=True)
    (case / place / name).write_text(HEADER.format(kind=kind, place=place, name=name) + body)


def _foam_list(items):
    return f"{len(items)}\n(\n" + "\n".join(items) + "\n)\n"


def write_openfoam(case):
    """Two cubes side by side, three times, patches inlet, outlet and walls."""
    points = [f"({x} {y} {z})" for x in range(3) for y in range(2) for z in range(2)]
    number = {(x, y, z): 4 * x + 2 * y + z for x in range(3) for y in range(2) for z in range(2)}

    def across(x):
        return [number[x, 0, 0], number[x, 1, 0], number[x, 1, 1], number[x, 0, 1]]

    walls, owners = [], []
    for x in range(2):
        for y in range(2):
            walls.append([number[x, y, 0], number[x + 1, y, 0], number[x + 1, y, 1], number[x, y, 1]][:: 1 - 2 * y])
            walls.append([number[x, 0, y], number[x, 1, y], number[x + 1, 1, y], number[x + 1, 0, y]][:: 1 - 2 * y])
            owners += [x, x]
    faces = [across(1), across(0)[::-1], across(2), *walls]
    patches = {"inlet": (1, 1), "outlet": (1, 2), "walls": (8, 3)}
    entries = [f"{name} {{ type patch; nFaces {n}; startFace {start}; }}" for name, (n, start) in patches.items()]
    mesh = "constant/polyMesh"
    _foam(case, mesh, "points", "vectorField", _foam_list(points))
    _foam(case, mesh, "faces", "faceList", _foam_list([f"4({' '.join(map(str, face))})" for face in faces]))
    _foam(case, mesh, "owner", "labelList", _foam_list(list(map(str, [0, 0, 1, *owners]))))
    _foam(case, mesh, "neighbour", "labelList", _foam_list(["1"]))
    _foam(case, mesh, "boundary", "polyBoundaryMesh", _foam_list(entries))
    _foam(case, "system", "controlDict", "dictionary", "application icoFoam; startTime 0; endTime 1; deltaT 0.5;\n")
    zero = "".join(f"{name} {{ type zeroGradient; }}\n" for name in patches)
    for time in ("0", "0.5", "1"):
        body = f"dimensions [0 1 -1 0 0 0 0];\ninternalField uniform ({time} 2 3);\nboundaryField\n{{\n{zero}}}\n"
        _foam(case, time, "U", "volVectorField", body)
    return case
