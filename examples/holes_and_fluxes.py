"""A domain of one's own: a plate with two holes and a slanted edge; heat flows from one hole to the other.

    python holes_and_fluxes.py [FOLDER]

Shapes combine with | & - and keep their names as names of boundary parts.
"""

import sys
from pathlib import Path

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)
plate = ps.Polygon([(0, 0), (3, 0), (3, 1), (2, 2), (0, 2)]).named("plate")
hot = ps.Disk((0.8, 1), 0.3).named("hot")
cold = ps.Disk((2, 1), 0.3).named("cold")

problem = ps.Problem(
    equations=ps.Eq(-ps.laplacian(u), 0),
    domain=plate - hot - cold,
    conditions=[
        ps.Dirichlet(u, 1, on="hot"),
        ps.Dirichlet(u, 0, on="cold"),
        ps.Neumann(u, 0, on="plate"),
    ],
    name="Two pipes in a plate",
)
print(problem.describe())
solution = ps.solve(problem, tol=1e-4)
print(solution)

# grad(u) is minus the heat flux; the normals point out of the domain, that is into the holes.
enters, leaves = solution.flux(u, on="hot"), -solution.flux(u, on="cold")
print(f"heat in at the hot pipe {enters:.5f}, out at the cold one {leaves:.5f}, lost {abs(enters - leaves):.1e}")
print(f"through the insulated edge: {solution.flux(u, on='plate'):.1e}")
solution.plot(folder / "two_pipes.png")
solution.save(folder / "two_pipes.vtu")  # for ParaView
