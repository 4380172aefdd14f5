"""Domains from mesh files: written by meshio here, read back."""

import copy
import itertools
import pickle

import meshio
import numpy as np
import pytest
from scipy.spatial import Delaunay

from physolve.errors import SpecificationError
from physolve.spec.geometry import Disk, Interval, MeshDomain, Polygon, Rectangle, TimeInterval


def lattice(counts, upper):
    axes = [np.linspace(0, hi, n) for n, hi in zip(counts, upper, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(counts))


def plate():
    """The L-shape [0, 2]^2 without [1, 2]^2 in triangles."""
    points = lattice((17, 17), (2, 2))
    cells = Delaunay(points).simplices
    middles = points[cells].mean(axis=1)
    return points, cells[~((middles > 1).all(axis=1))]


L_SHAPE = Polygon(((0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)))


def brick():
    """The box [0, 1] x [0, 2] x [0, 3]: every little cube in six tetrahedra along its diagonal (Kuhn)."""
    counts = (4, 5, 6)
    points = lattice(counts, (1, 2, 3))
    number = np.arange(len(points)).reshape(counts)
    low = np.stack(np.meshgrid(*[np.arange(c - 1) for c in counts], indexing="ij"), axis=-1).reshape(-1, 3)
    cells = []
    for order in itertools.permutations(np.eye(3, dtype=int)):
        steps = np.cumsum([np.zeros(3, dtype=int), *order], axis=0)
        cells.append(np.stack([number[tuple((low + step).T)] for step in steps], axis=1))
    return points, np.concatenate(cells)


def sphere(n=24):
    """A closed surface of triangles about (1, 0, 0), radius 2, all normals outward."""
    from scipy.spatial import ConvexHull

    k = np.arange(n * n) + 0.5
    z, phi = 1 - 2 * k / n**2, np.pi * (1 + 5**0.5) * k
    unit = np.column_stack([np.sqrt(1 - z**2) * np.cos(phi), np.sqrt(1 - z**2) * np.sin(phi), z])
    triangles = ConvexHull(unit).simplices
    x = unit[triangles]
    inward = np.einsum("nk,nk->n", x[:, 0], np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return 2 * unit + (1, 0, 0), triangles


def with_z(points):
    return np.column_stack([points, np.zeros(len(points))])


def write_plate(path):
    points, cells = plate()
    lines = [k for k in range(len(points)) if points[k, 0] == 0]
    lines = sorted(lines, key=lambda k: points[k, 1])
    left = np.column_stack([lines[:-1], lines[1:]])
    tags = [np.full(len(left), 7), np.zeros(len(cells), int)]
    mesh = meshio.Mesh(
        with_z(points),
        [("line", left), ("triangle", cells)],
        cell_data={"gmsh:physical": tags, "gmsh:geometrical": tags},
        field_data={"inlet": np.array([7, 1])},
    )
    meshio.write(path, mesh, **({"file_format": "gmsh22"} if path.suffix == ".msh" else {}))


@pytest.mark.parametrize("suffix", [".msh", ".vtu"])
def test_plate_round_trip(tmp_path, suffix):
    path = tmp_path / f"plate{suffix}"
    write_plate(path)
    domain = MeshDomain.read(path)
    part = "inlet" if suffix == ".msh" else "part7"  # vtu files have no names for numbers
    assert domain.dim == 2
    assert domain.parts == (part, "boundary")
    assert domain.measure == pytest.approx(3, rel=1e-12)
    assert domain.boundary_measure() == pytest.approx(8, rel=1e-12)
    assert domain.boundary_measure(part) == pytest.approx(2, rel=1e-12)
    assert np.all(domain.sample_boundary(20, on=part).points[:, 0] == 0)
    assert domain == MeshDomain.read(path)
    assert repr(domain) == f"MeshDomain.read({str(path)!r})"


def test_plate_agrees_with_the_polygon():
    domain = MeshDomain.of(*plate())
    points = np.random.default_rng(0).uniform(-1, 3, (3000, 2))
    assert domain.signed_distance(points) == pytest.approx(L_SHAPE.signed_distance(points), abs=1e-12)
    reentrant = [c for c in domain.corners if c.angle > np.pi]
    assert len(domain.corners) == 6
    assert reentrant[0].point == (1.0, 1.0)
    assert reentrant[0].angle == pytest.approx(1.5 * np.pi)


@pytest.mark.parametrize("method", ["sobol", "uniform", "grid"])
@pytest.mark.parametrize("make", [plate, brick])
def test_samples(make, method):
    domain = MeshDomain.of(*make())
    inside = domain.sample_interior(500, method=method)
    assert (domain.signed_distance(inside.points) < 0).all()
    assert inside.weights.sum() == pytest.approx(domain.measure)
    boundary = domain.sample_boundary(500, method=method)
    assert np.abs(domain.signed_distance(boundary.points)).max() < 1e-12
    step = 1e-6 * boundary.normals
    assert (domain.signed_distance(boundary.points + step) > 0).all()
    assert (domain.signed_distance(boundary.points - step) < 0).all()
    assert np.linalg.norm(boundary.normals, axis=1) == pytest.approx(np.ones(500))


def test_uniform_over_the_cells():
    inside = MeshDomain.of(*plate()).sample_interior(4096).points
    assert np.mean(inside[:, 0] > 1) == pytest.approx(1 / 3, abs=0.01)
    assert np.mean(inside[inside[:, 0] < 1, 1]) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("suffix", [".vtu", ".msh"])
def test_brick_round_trip(tmp_path, suffix):
    points, cells = brick()
    path = tmp_path / f"brick{suffix}"
    meshio.write(path, meshio.Mesh(points, [("tetra", cells)]), **({"file_format": "gmsh22"} if "m" in suffix else {}))
    domain = MeshDomain.read(path)
    assert domain.measure == pytest.approx(6, rel=1e-12)
    assert domain.boundary_measure() == pytest.approx(22, rel=1e-12)
    assert domain.parts == ("boundary",)
    sampled = np.random.default_rng(0).uniform(-1, 4, (800, 3))
    q = np.maximum(-sampled, sampled - (1, 2, 3))
    exact = np.minimum(q.max(axis=1), 0) + np.linalg.norm(np.maximum(q, 0), axis=1)
    assert domain.signed_distance(sampled) == pytest.approx(exact, abs=1e-12)


def test_surface_round_trip(tmp_path):
    points, triangles = sphere()
    path = tmp_path / "ball.stl"
    meshio.write(path, meshio.Mesh(points, [("triangle", triangles)]))
    domain = MeshDomain.read(path)
    assert domain.dim == 3
    assert domain.measure == pytest.approx(4 / 3 * np.pi * 8, rel=0.02)  # a polyhedron inside the ball
    sampled = np.random.default_rng(0).uniform(-3, 4, (2000, 3))
    exact = np.linalg.norm(sampled - (1, 0, 0), axis=1) - 2
    assert domain.signed_distance(sampled) == pytest.approx(exact, abs=0.03)
    inside = domain.sample_interior(500)
    assert (np.linalg.norm(inside.points - (1, 0, 0), axis=1) < 2).all()
    boundary = domain.sample_boundary(500)
    radial = (boundary.points - (1, 0, 0)) / 2
    assert np.sum(radial * boundary.normals, axis=1).min() > 0.97
    assert boundary.weights.sum() == pytest.approx(16 * np.pi, rel=0.02)


def test_in_composites_and_in_time():
    domain = MeshDomain.of(*plate())
    drilled = domain - Disk((0.5, 0.5), 0.2).named("hole")
    assert drilled.measure == pytest.approx(3 - 0.04 * np.pi, rel=1e-3)
    assert drilled.boundary_measure("hole") == pytest.approx(0.4 * np.pi, rel=1e-9)
    assert drilled.holes[0].center == (0.5, 0.5)
    assert len(drilled.corners) == 6
    lasting = domain * TimeInterval(0, 2)
    assert lasting.measure == pytest.approx(6)
    assert lasting.boundary_measure("walls") == pytest.approx(16)
    turned = domain.rotated(np.pi / 2)
    assert turned.bounds[0] == pytest.approx([-2, 0])


def test_a_smooth_outline_has_no_corners():
    points = lattice((41, 41), (2, 2)) - 1
    radius = np.linalg.norm(points, axis=1)
    rim = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    points = np.concatenate([points[radius < 0.95], np.column_stack([np.cos(rim), np.sin(rim)])])
    domain = MeshDomain.of(points, Delaunay(points).simplices)
    assert domain.corners == ()
    assert domain.measure == pytest.approx(np.pi, rel=2e-3)


def test_value_semantics():
    points, cells = plate()
    a, b = MeshDomain.of(points, cells), MeshDomain.of(points.copy(), cells.copy())
    a.sample_interior(5)
    assert a == b
    assert hash(a) == hash(b)
    assert a != MeshDomain.of(2 * points, cells)
    assert a != Rectangle((0, 0), (1, 1))
    assert copy.deepcopy(a) == pickle.loads(pickle.dumps(a)) == a
    with pytest.raises(ValueError, match="read-only"):
        a.points[0, 0] = 1


def test_parts_by_vertices():
    points, cells = plate()
    bottom = [k for k in np.argsort(points[:, 0], kind="stable") if points[k, 1] == 0]
    domain = MeshDomain.of(points, cells, {"floor": np.column_stack([bottom[:-1], bottom[1:]])})
    assert domain.parts == ("floor", "boundary")
    assert np.array_equal(domain.sample_boundary(4, on="floor").normals, np.tile([0.0, -1.0], (4, 1)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: MeshDomain.of([[0, 0]], [[0, 0]]),
            "MeshDomain: cells must be of shape (m, 3) with m > 0, got (1, 2)",
        ),
        (
            lambda: MeshDomain.of([[0], [1]], [[0, 1]]),
            "MeshDomain: points must be finite and of shape (n, 2) or (n, 3), got (2, 1)",
        ),
        (
            lambda: MeshDomain.of([[0, 0], [1, 0], [0, 1]], [[0, 1, 5]]),
            "MeshDomain: cells name vertex 5, but there are 3 points",
        ),
        (
            lambda: MeshDomain.of([[0, 0], [1, 0], [2, 0]], [[0, 1, 2]]),
            "MeshDomain: cell 0 has no volume; clean the mesh first",
        ),
        (
            lambda: MeshDomain.of([[0, 0], [1, 0], [0, 1]], [[0, 1, 2]], {"lid": [[0, 0]]}),
            "MeshDomain: part 'lid' has no facet on the mesh's boundary",
        ),
        (
            lambda: MeshDomain.surface(sphere()[0], sphere()[1][1:]),
            "MeshDomain: the surface is not closed, 3 edges are open; mend it",
        ),
        (
            lambda: MeshDomain.of([[0, 0], [2, 0], [0, 2], [0.1, 0.1], [3, 0.2], [0.3, 3]], [[0, 1, 2], [3, 4, 5]]),
            "MeshDomain: cells overlap or share only parts of facets; mend the mesh",
        ),
        (lambda: MeshDomain.read("/nowhere/x.msh"), "/nowhere/x.msh: there is no such mesh file"),
    ],
)
def test_bad_meshes(make, message):
    with pytest.raises(SpecificationError) as error:
        make()
    assert str(error.value) == message


def test_bad_files(tmp_path):
    path = tmp_path / "lines.vtu"
    meshio.write(path, meshio.Mesh(np.eye(3), [("line", [[0, 1]])]))
    with pytest.raises(SpecificationError, match=r"lines.vtu: a mesh of triangles or tetrahedra is needed, its cells"):
        MeshDomain.read(path)
    path = tmp_path / "broken.vtu"
    path.write_text("not a mesh")
    with pytest.raises(SpecificationError, match=r"broken.vtu: this mesh file cannot be read \(") as error:
        MeshDomain.read(path)
    assert "\n" not in str(error.value)


def test_dimension_mismatch():
    with pytest.raises(SpecificationError, match=r"^union needs shapes of one dimension"):
        MeshDomain.of(*plate()) | Interval(0, 1)
