"""A problem is data: read it from a file, change a part, write it again, solve both.

python problem_file.py [FOLDER]
"""

import dataclasses
import sys
from pathlib import Path

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

TEXT = """
title = "A cooling fin"
coordinates = ["x", "y"]
unknowns = ["u"]
domain = "fin"
equations = ["-laplacian(u) = 0"]

[constants]
h = 2.0

[shapes]
fin = "rectangle([0, 0], [2, 0.4])"

[[conditions]]
kind = "dirichlet"
unknown = "u"
value = "1"
on = "left"

[[conditions]]
kind = "robin"
unknown = "u"
a = "h"
b = "1"
value = "0"
on = ["right", "top", "bottom"]
"""

path = folder / "fin.toml"
path.write_text(TEXT, encoding="utf-8")
problem = ps.read_problem(path)
print(problem.describe())

# Problems are immutable; a changed one is a new one. Here the hot end becomes twice as hot.
(u,) = problem.unknowns
hot = ps.Dirichlet(u, 2, on="left")
hotter = dataclasses.replace(problem, conditions=(hot, *problem.conditions[1:]), name="hot_fin")
ps.write_problem(hotter, folder / "hot_fin.toml")
assert ps.read_problem(folder / "hot_fin.toml") == hotter  # the round trip is exact

# The problem is linear: the heat that flows in at the left doubles too.
first, second = (ps.solve(p, tol=1e-4).flux(u, on="left") for p in (problem, hotter))
print(f"heat flow {first:.5f} and {second:.5f}: ratio off from 2 by {abs(second / first - 2):.1e}")
