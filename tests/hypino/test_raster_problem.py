"""Problems known as rasters: lines are thinned to the boundary, what is on them is kept, bad files are refused."""

import numpy as np
import pytest
import torch

import physolve as ps
from physolve.errors import ProblemFileError
from physolve.hypino import ProblemBatch, grid_nodes, lower, read_raster_problem
from physolve.hypino._raster_problem import CHANNELS, centers
from physolve.spec import Problem

N = 96
HOLE = ps.Disk((0.2, -0.1), 0.4)
x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)


@pytest.fixture(scope="module")
def posed() -> ProblemBatch:
    problem = Problem(
        equations=(ps.Eq(-ps.laplacian(u) + 2 * u, x * y),),
        domain=ps.Rectangle((-1, -1), (1, 1)) - HOLE.named("hole"),
        conditions=(
            ps.Dirichlet(u, x, on=("left", "right", "bottom", "top")),
            ps.Neumann(u, 2, on="hole"),
        ),
    )
    return lower(problem, grid=N).posed


def arrays(posed: ProblemBatch) -> dict[str, np.ndarray]:
    """The problem as a published file would have it."""
    channels = dict(zip(CHANNELS, posed.raster[0].numpy(), strict=True))
    nodes = grid_nodes(N, torch.float64).reshape(-1, 2).numpy()
    return channels | {"domain_mask": (~HOLE.contains(nodes)).reshape(N, N).astype(np.float32)}


@pytest.fixture
def path(posed, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays(posed))
    return tmp_path / "a.npz"


def test_a_raster_is_read_as_the_problem_it_was_drawn_from(posed, path):
    read = read_raster_problem(path, posed.coefficients[0])
    assert torch.equal(read.raster, posed.raster)
    assert torch.equal(read.coefficients, posed.coefficients)
    torch.testing.assert_close(read.source, read.interior[..., 0] * read.interior[..., 1], atol=1e-6, rtol=0)
    edge, spacing = read.boundary, 2 / (N - 1)
    points, square, hole = edge.points[0], edge.on_dirichlet[0], edge.on_neumann[0]
    assert (square ^ hole).all()
    assert (points[square].abs().amax(1) == 1).all()
    radius = HOLE.signed_distance(points[hole].numpy())
    # the middle of a line is on a node: half a diagonal off, and the line's own edge one node
    assert np.abs(radius).max() < 1.3 * spacing
    assert np.abs(radius).mean() < 0.5 * spacing
    torch.testing.assert_close(edge.dirichlet[0][square], points[square, 0], atol=spacing, rtol=0)
    assert (edge.neumann[0][hole] == 2).all()


def test_normals_point_out_of_the_domain(posed, path):
    edge = read_raster_problem(path, posed.coefficients[0]).boundary
    points, hole = edge.points[0], edge.on_neumann[0]
    inward = torch.tensor(HOLE.center).double() - points[hole]
    inward = inward / inward.norm(dim=1, keepdim=True)
    assert ((edge.normals[0][hole] * inward).sum(1) > 0.97).all()
    right = (points[:, 0] == 1) & (points[:, 1].abs() < 0.8)  # the smoothed mask turns at corners
    torch.testing.assert_close(edge.normals[0][right], torch.tensor([[1.0, 0.0]]).double().expand(int(right.sum()), 2))


def test_normals_of_the_file_are_taken(posed, tmp_path):
    given = np.zeros((2, N, N), dtype=np.float32)
    given[1] = -3
    np.savez(tmp_path / "b.npz", neumann_normals=given, **arrays(posed))
    edge = read_raster_problem(tmp_path / "b.npz", posed.coefficients[0]).boundary
    assert (edge.normals[0] == torch.tensor([0.0, -1.0]).double()).all()


def test_another_grid_is_drawn_anew(posed, path):
    read = read_raster_problem(path, posed.coefficients[0], grid=48)
    assert read.raster.shape == (1, 5, 48, 48)
    nodes = grid_nodes(48)
    off = (read.raster[0, 4] - nodes[..., 0] * nodes[..., 1])[:20, :20]  # far from the hole, where a source is zero
    assert off.abs().max() < 1e-6
    border = torch.ones(48, 48, dtype=torch.bool)
    border[1:-1, 1:-1] = False
    assert (read.raster[0, 0][border] == 1).all()
    assert (read.raster[0, 0][3:-3, 3:-3] == 0).all()


def test_lines_are_thinned_to_their_middle():
    mask = np.zeros((40, 40))
    mask[:3] = 1
    mask[20:25, :] = 1
    found = centers(mask)
    assert found[0, 5:-5].all()
    assert found[22, 5:-5].all()
    assert found.sum() == found[[0, 22]].sum()


def test_published_files_are_read(shared_data):
    for path in (shared_data / "benchmarks").glob("*.npz"):
        read = read_raster_problem(path, [0, 0, 0, -1, -1])
        assert read.raster.shape == (1, 5, 224, 224)
        assert read.interior.shape == (1, 2048, 2)
        assert read.boundary.points.abs().amax() == 1
        with np.load(path) as given:
            assert bool(read.boundary.on_neumann.any()) == bool(given["neumann_mask"].any())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("neumann_mask"), "holds no neumann_mask"),
        (lambda a: a.update(source=np.zeros((3, 4))), "expected rasters of one shape n x n"),
        (lambda a: a.update(dirichlet_mask=np.zeros((N, N)), neumann_mask=np.zeros((N, N))), "masks of the boundary"),
        (lambda a: a.update(domain_mask=np.zeros((N, N))), "no node of the domain mask"),
    ],
)
def test_bad_files_are_refused(posed, tmp_path, change, message):
    changed = arrays(posed)
    change(changed)
    np.savez(tmp_path / "bad.npz", **changed)
    with pytest.raises(ProblemFileError, match=message):
        read_raster_problem(tmp_path / "bad.npz", [0, 0, 0, 1, 1])


def test_what_is_no_npz_is_refused(tmp_path):
    for name, content in (("a.npz", b"not an archive"), ("b.npz", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ProblemFileError, match=f"{name}: cannot be read"):
            read_raster_problem(tmp_path / name, [0, 0, 0, 1, 1])
    with pytest.raises(ProblemFileError, match=r"missing\.npz"):
        read_raster_problem(tmp_path / "missing.npz", [0, 0, 0, 1, 1])
