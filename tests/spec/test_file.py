"""Problem files: what is written reads back equal, data and meshes are found, nothing half-written stays."""

import math
import warnings
from pathlib import Path

import meshio
import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from physolve.errors import ProblemFileError, SpecificationError, WellPosednessWarning
from physolve.spec import (
    BoundaryEquation,
    Dirichlet,
    Eq,
    GridData,
    Initial,
    Interface,
    MeanValue,
    Neumann,
    Observations,
    Periodic,
    PointValue,
    Problem,
    Robin,
    biharmonic,
    coordinates,
    d,
    div,
    dot,
    dt,
    grad,
    laplacian,
    normal,
    parameter,
    unknown,
)
from physolve.spec._file import dumps_problem, loads_problem, read_problem, write_problem
from physolve.spec._file_data import read_grid_data
from physolve.spec._shapes_grammar import parse_shape, print_shape
from physolve.spec.geometry import (
    Ball,
    Box,
    Cylinder,
    Disk,
    Ellipse,
    Interval,
    Polygon,
    Rectangle,
    TimeInterval,
    Triangle,
)

pytestmark = pytest.mark.filterwarnings("ignore::physolve.errors.WellPosednessWarning")

x, y = coordinates("x", "y")
u = unknown("u", x, y)
SQUARE = Rectangle((-1, -1), (1, 1))
HEADER = 'coordinates = ["x", "y"]\nunknowns = ["u"]\ndomain = "rectangle([-1, -1], [1, 1])"\n'


# --- the family of problems


def poisson_lshape():
    square, notch = SQUARE.named("square"), Rectangle((0, 0), (1, 1)).named("notch")
    conditions = [Dirichlet(u, 0, on="square"), Neumann(u, x * sympy.Rational(1, 3), on="notch")]
    return Problem([Eq(-laplacian(u), 1)], square - notch, conditions, name="lshape", description="L\n\nA corner.")


def named_holes():
    domain = SQUARE.named("outer")
    for k, centre in enumerate([(-0.3, -0.3), (0.3, -0.3), (0.1 + 0.2, 1 / 3)]):
        domain = domain - Disk(centre, 0.1).named(f"hole{k}")
    conditions = [Dirichlet(u, 1, on="outer"), Dirichlet(u, 0, on=("hole0", "hole1", "hole2"))]
    return Problem([Eq(laplacian(u), 0)], domain, conditions, exact={u: x**2 - y**2})


def robin_and_predicates():
    conditions = [
        Robin(u, 1, 2 + x**2, sympy.exp(-y), on="left"),
        Dirichlet(u, sympy.Piecewise((1, y < 0), (0.5, True)), on=(x > 0.99) & (y > -2)),
        Neumann(u, 0.1, on="top"),
        Dirichlet(u, 0, on=Rectangle((-2, -2), (2, -1))),
    ]
    return Problem([Eq(-div((1 + x**2) * grad(u)) + 64 * u, 10 * sympy.sin(sympy.pi * x))], SQUARE, conditions)


def heat():
    x, t = coordinates("x", "t")
    u = unknown("u", x, t)
    exact = sympy.exp(-0.1 * sympy.pi**2 * t) * sympy.sin(sympy.pi * x)
    conditions = [Dirichlet(u, 0), Initial(u, sympy.sin(sympy.pi * x))]
    return Problem([Eq(dt(u), 0.1 * d(u, x, 2))], Interval(0, 1) * TimeInterval(0, 1), conditions, exact={u: exact})


def wave():
    x, t = coordinates("x", "t")
    u = unknown("u", x, t)
    conditions = [Periodic(u, x, order=1), Initial(u, sympy.cos(2 * sympy.pi * x), sympy.Float(0.25))]
    return Problem([Eq(d(u, t, 2), 4 * d(u, x, 2))], Interval(0, 1) * TimeInterval(0, 0.7), conditions)


def stokes():
    v, p = unknown("v", x, y, components=2), unknown("p", x, y)
    conditions = [
        Dirichlet(v, [y * (1 - y), 0], on="left"),
        Dirichlet(v, 0, on=("bottom", "top")),
        BoundaryEquation(Eq(normal(x, y)[0] * p, d(v[0], x)), on="right"),
        Dirichlet(v[1], 0, on="right"),
        PointValue(p, (0.5, 0.25), 0),
    ]
    equations = [Eq(-laplacian(v) + grad(p), 0), Eq(div(v), 0)]
    return Problem(equations, Rectangle((0, 0), (2, 1)), conditions, exact={v: [y * (1 - y), 0]})


def navier_stokes_in_another_order():
    v, p = unknown("v", x, y, components=2), unknown("p", x, y)
    equations = [Eq(div(v), 0), Eq(-0.01 * laplacian(v) + dot(grad(v), v) + grad(p), 0)]
    return Problem(equations, SQUARE, [Dirichlet(v, [1, 0]), MeanValue(p, 0)], unknowns=(v[1], p, v[0]))


def interface():
    k = sympy.Piecewise((10, x**2 + y**2 < 0.25), (1, True))
    inclusion = Disk((0, 0), 0.5).named("inclusion")
    conditions = [
        Dirichlet(u, 0),
        Interface(u, inclusion, jump=1, flux=k * grad(u), flux_jump=0),
        MeanValue(u, 0.5, over=Rectangle((-0.1, -0.1), (0.1, 0.1))),
    ]
    return Problem([Eq(k * laplacian(u), 1)], SQUARE, conditions)


def inverse():
    k = parameter("k", 0.3)
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (20, 2))
    conditions = [Dirichlet(u, 0), Observations(u, points, rng.normal(size=20), noise=0.01)]
    return Problem([Eq(-k * laplacian(u) + u**3, sympy.sin(x))], SQUARE, conditions)


def data_on_a_grid():
    source = GridData("source", np.arange(30.0).reshape(5, 6) / 7, ((-1, 1), (-1.5, 1)))
    table = GridData("table", np.linspace(0, 1, 4), ((-1, 1),), order=1)
    equation = Eq(-laplacian(u), source(x, y) + d(source(x, y), x))
    return Problem([equation], SQUARE, [Dirichlet(u, table(x))])


def biharmonic_plate():
    conditions = [Dirichlet(u, 0), BoundaryEquation([Eq(laplacian(u), 0)])]
    return Problem([Eq(biharmonic(u), 1)], SQUARE, conditions)


def reaction_diffusion():
    x, y, t = coordinates("x", "y", "t")
    a, b = unknown("a", x, y, t), unknown("b", x, y, t)
    equations = [Eq(dt(a), laplacian(a) + a - a**3 - b), Eq(dt(b), 0.05 * laplacian(b) + a - b / 3)]
    conditions = [Neumann([a, b], [0, 0]), Initial(a, sympy.sin(x)), Initial(b, 0)]
    return Problem(equations, Disk((0, 0), 1) * TimeInterval(0, 2), conditions)


def oscillator():
    (t,) = coordinates("t")
    q, p = unknown("q", t), unknown("p", t)
    return Problem([Eq(dt(q), p), Eq(dt(p), -q)], TimeInterval(0, 10), [Initial(q, 1), Initial(p, 0)])


def ball():
    x, y, z = coordinates("x", "y", "z")
    u = unknown("u", x, y, z)
    domain = Ball((0, 0, 0), 1) - Cylinder((0, 0, -2), 0.25, 4).named("core").rotated(0.3, axis=(0, 1, 0))
    return Problem([Eq(laplacian(u), 6)], domain, [Dirichlet(u, x**2 + y**2 + z**2)])


FAMILY = [
    *(
        poisson_lshape,
        named_holes,
        robin_and_predicates,
        heat,
        wave,
        stokes,
        navier_stokes_in_another_order,
        interface,
    ),
    *(inverse, data_on_a_grid, biharmonic_plate, reaction_diffusion, oscillator, ball),
]


@pytest.fixture(params=FAMILY, ids=lambda make: make.__name__)
def problem(request):
    return request.param()


def test_dumps_and_loads(problem):
    text = dumps_problem(problem)
    assert loads_problem(text) == problem
    assert dumps_problem(loads_problem(text)) == text


def test_write_and_read(problem, tmp_path):
    path = tmp_path / "p.toml"
    write_problem(problem, path)
    assert read_problem(path) == problem
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.toml"]


# --- shapes

LENGTHS = st.floats(0.1, 10, allow_nan=False)
PLACES = st.tuples(*[st.floats(-10, 10, allow_nan=False)] * 2)
PRIMITIVES = st.one_of(
    st.builds(lambda c, w, h: Rectangle(c, (c[0] + w, c[1] + h)), PLACES, LENGTHS, LENGTHS),
    st.builds(Disk, PLACES, LENGTHS),
    st.builds(Ellipse, PLACES, st.tuples(LENGTHS, LENGTHS)),
    st.builds(lambda c, w, h: Triangle(c, (c[0] + w, c[1]), (c[0], c[1] + h)), PLACES, LENGTHS, LENGTHS),
    st.builds(lambda c, w: Polygon([c, (c[0] + w, c[1]), (c[0], c[1] + w)]), PLACES, LENGTHS),
)
SHAPES = st.recursive(
    PRIMITIVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, v: a.translated(v), inner, PLACES),
        st.builds(lambda a, r, v: a.rotated(r, v), inner, st.floats(-7, 7, allow_nan=False), PLACES),
        st.builds(lambda a, degrees: a.rotated(math.radians(degrees)), inner, st.integers(-360, 360)),
        st.builds(lambda a, n: a.named(n), inner, st.sampled_from(["wall", "a b", "it's", "left", "disk"])),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(SHAPES)
def test_shapes_read_back_equal(shape):
    assert parse_shape(print_shape(shape), {}) == shape


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("interval(0, pi)", Interval(0, math.pi)),
        ("interval(-1/3, a) * time(0, 2)", Interval(-1 / 3, 2.5) * TimeInterval(0, 2)),
        ("box([0, 0, 0], [1, 2, 3])", Box((0, 0, 0), (1, 2, 3))),
        ("square - square & square | square", (SQUARE - SQUARE) & SQUARE | SQUARE),
        ("square - (square - square)", SQUARE - (SQUARE - SQUARE)),
        ("rotate(square, 90, [1, 0])", SQUARE.rotated(math.radians(90), (1, 0))),
        ("translate(disk([0, 0], 1), [2*a, 0])", Disk((0, 0), 1).translated((5, 0))),
        ('named(ball([0, 0, 0], 1), "skin")', Ball((0, 0, 0), 1).named("skin")),
    ],
)
def test_reads_shapes(text, expected):
    assert parse_shape(text, {"square": SQUARE, "a": sympy.Float(2.5)}) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("disc([0, 0], 1)", "column 1: 'disc' is not a known shape; did you mean 'disk'?"),
        ("disk", "column 1: 'disk' needs its arguments; write disk([0, 0], 1)"),
        ("disk([0, 0])", "column 1: disk has too few arguments; write disk([0, 0], 1)"),
        ("disk([0, 0], 1, 2)", "column 1: disk has too many arguments; write disk([0, 0], 1)"),
        ("disk(0, 0, 1)", "column 6: expected a point or vector such as [0, 1]; write disk([0, 0], 1)"),
        ("disk([0, 0], -1)", "column 1: Disk: radius must be positive, got -1"),
        ("disk([0, 0, 0], 1)", "column 1: Disk: center must have 2 coordinates, got 3"),
        ("disk([0, 0], [1])", "column 14: expected a number; write disk([0, 0], 1)"),
        ("square + square", "column 8: expected an operator, got '+'"),
        ("square - ", "column 10: expected a shape such as disk([0, 0], 1), got the end"),
        ("(square", "column 8: expected ')' to close '(' at column 1, got the end"),
        (
            "square * square",
            "column 8: a product needs a TimeInterval, got Rectangle * Rectangle; write "
            "shape * TimeInterval(t0, t1), and Rectangle or Box for products in space",
        ),
        (
            "square | interval(0, 1)",
            "column 8: union needs shapes of one dimension, got a 2-D and a 1-D shape; "
            "multiply the spatial one with a TimeInterval if time is missing",
        ),
        (
            "polygon([0, 0])",
            "column 9: expected a list of points such as [[0, 0], [1, 0], [0, 1]]; write "
            "polygon([[0, 0], [1, 0], [0, 1]])",
        ),
        ("mesh(wing)", "column 6: expected text in quotes, got 'wing'; write mesh(\"file.msh\")"),
        ("mesh('wing.msh')", "column 1: the mesh file 'wing.msh' does not exist in '.'"),
        ("interval(0, 1/0)", "column 14: division by zero"),
        ("interval(0, x)", "column 13: 'x' is not a known name; known: a, pi"),
        (
            "open('x')",
            "column 1: 'open' is not a known shape; known: ball, box, cylinder, disk, ellipse, interval, "
            "mesh, named, polygon, rectangle, rotate, rotate_radians, stations, time, translate, triangle",
        ),
        ("(" * 120, "column 101: the shape is nested too deeply; at most 100 levels are read"),
    ],
)
def test_refuses_shapes_in_one_line(text, message):
    names = {"a": 1.0} if text == "interval(0, x)" else {"square": SQUARE}
    with pytest.raises(SpecificationError) as caught:
        parse_shape(text, names)
    assert str(caught.value) == message


# --- what files may say


def test_constants_expressions_and_aliases():
    text = HEADER + (
        'equations = ["-k*laplacian(u) = f"]\n[constants]\nk = 2.5\nm = "2*k"\n'
        '[expressions]\nf = "m*sin(pi*x)"\n'
        '[[conditions]]\nkind = "mean"\nunknown = "u"\nvalue = 1\n'
        '[[conditions]]\nkind = "point"\nunknown = "u"\n'
        'point = [0, "1/2"]\nvalue = 0.5\n[[conditions]]\nkind = "equation"\nequation = "n_x*d(u, x) = u"\n'
    )
    expected = Problem(
        [Eq(-2.5 * laplacian(u), 5.0 * sympy.sin(sympy.pi * x))],
        SQUARE,
        [MeanValue(u, 1), PointValue(u, (0, 0.5), 0.5), BoundaryEquation(Eq(normal(x, y)[0] * d(u, x), u))],
    )
    assert loads_problem(text) == expected


def test_name_and_description(tmp_path):
    body = 'equations = ["laplacian(u) = 0"]\n[[conditions]]\nkind = "dirichlet"\nunknown = "u"\n'
    path = tmp_path / "soap_film.toml"
    path.write_text('title = "Soap"\ncomment = "A film."\n' + HEADER + body)
    assert (read_problem(path).name, read_problem(path).description) == ("soap_film", "Soap\n\nA film.")
    assert loads_problem('name = "n"\n' + HEADER + body).name == "n"
    assert loads_problem(HEADER + body).name == ""


@pytest.mark.parametrize("description", ["", "a", "a\nb", "a\n\nb\n", "\n\nb", "a\n\n", '"""\\ \'é\t', "a\r\nb"])
def test_descriptions_read_back(description):
    problem = Problem([Eq(laplacian(u), 0)], SQUARE, [Dirichlet(u, 0)], description=description)
    assert loads_problem(dumps_problem(problem)) == problem


def test_a_shape_that_is_no_part_means_its_boundary():
    text = HEADER + (
        'equations = ["laplacian(u) = 0"]\n[shapes]\nring = "disk([0, 0], 1/2)"\n'
        '[[conditions]]\nkind = "interface"\n'
        'unknown = "u"\non = "ring"\n[[conditions]]\nkind = "dirichlet"\nunknown = "u"\n'
    )
    assert loads_problem(text).conditions[0].on == Disk((0, 0), 0.5).named("ring")


# --- data

RASTER = np.arange(20.0).reshape(4, 5) ** 2
DATA = (
    HEADER
    + 'equations = ["-laplacian(u) = source(x, y)"]\n[[conditions]]\nkind = "dirichlet"\nunknown = "u"\n'
    + "[data]\nsource = {{ {} }}\n"
)
EXTENT = "extent = [[-1, 1], [-1, 1]]"


def _source(problem):
    (grid,) = problem.data
    return grid


def test_npz_npy_and_csv(tmp_path):
    np.savez(tmp_path / "a.npz", image=RASTER, other=RASTER + 1)
    np.save(tmp_path / "a.npy", RASTER)
    np.savetxt(tmp_path / "a.csv", RASTER, delimiter=",", header="c0,c1,c2,c3,c4", comments="")
    expected = GridData("source", RASTER, ((-1, 1), (-1, 1)))
    for entry in ('file = "a.npz", key = "image", ', 'file = "a.npy", ', 'file = "a.csv", '):
        problem = loads_problem(DATA.format(entry + EXTENT), base=tmp_path)
        assert _source(problem) == expected
        assert loads_problem(dumps_problem(problem)) == problem
    raster = loads_problem(DATA.format(f'file = "a.npz", key = "image", layout = "raster", {EXTENT}'), base=tmp_path)
    assert _source(raster) == GridData.from_raster("source", RASTER, ((-1, 1), (-1, 1)))
    write_problem(raster, tmp_path / "again.toml")
    assert read_problem(tmp_path / "again.toml") == raster
    assert 'file = "a.npz"' in (tmp_path / "again.toml").read_text()


GREY = (np.arange(30) * 8).reshape(5, 6)


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff"])
@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.uint16, 65535), (bool, 1)])
def test_grey_images(tmp_path, suffix, kind, white):
    pixels = (GREY * (white // 255 or 1)).astype(kind)
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}")
    entry = f'file = "a.{suffix}", layout = "raster", {EXTENT}'
    problem = loads_problem(DATA.format(entry), base=tmp_path)
    assert _source(problem) == GridData.from_raster("source", pixels / white, ((-1, 1), (-1, 1)))
    ranged = loads_problem(DATA.format(f"{entry}, range = [-3, 5]"), base=tmp_path)
    np.testing.assert_allclose(_source(ranged).values, -3 + 8 * _source(problem).values, atol=1e-14)
    assert loads_problem(dumps_problem(ranged)) == ranged
    given = loads_problem(DATA.format(f'layout = "raster", {EXTENT}'), data={"source": tmp_path / f"a.{suffix}"})
    assert given == problem
    assert read_grid_data("source", tmp_path / f"a.{suffix}", [(-1, 1), (-1, 1)]) == _source(problem)


def test_images_of_other_kinds(tmp_path):
    """Floating-point numbers stay as they are; colours become the mean of three; transparency is left out."""
    values = np.linspace(-5, 700, 30, dtype=np.float32).reshape(5, 6)
    Image.fromarray(values).save(tmp_path / "f.tif")
    colours = np.random.default_rng(0).integers(0, 256, (5, 6, 4), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "c.png")
    Image.fromarray(colours[..., :2], "LA").save(tmp_path / "g.png")
    for name, expected in [
        ("f.tif", values),
        ("c.png", colours[..., :3].mean(-1) / 255),
        ("g.png", colours[..., 0] / 255),
    ]:
        read = read_grid_data("source", tmp_path / name, [(-1, 1), (-1, 1)])
        np.testing.assert_allclose(read.values, expected[::-1].T, rtol=1e-12)


def test_images_that_are_refused(tmp_path):
    Image.fromarray(GREY.astype(np.int32)).save(tmp_path / "i.tif")
    frames = [Image.fromarray(GREY.astype(np.uint8))] * 2
    frames[0].save(tmp_path / "two.tif", save_all=True, append_images=frames[1:])
    (tmp_path / "broken.png").write_bytes(b"no image")
    np.save(tmp_path / "a.npy", RASTER)
    for entry, message in [
        ('file = "i.tif", ', "32 bits have no agreed white"),
        ('file = "two.tif", ', "holds 2 images, expected one"),
        ('file = "broken.png", ', "'broken.png' cannot be read as png"),
        ('file = "a.npy", range = [0, 1], ', "range gives the values of black and white in an image"),
        ('file = "broken.png", key = "a", ', "has no keys"),
    ]:
        with pytest.raises(ProblemFileError, match=message):
            loads_problem(DATA.format(entry + EXTENT), base=tmp_path)


def test_grid_data_are_read_from_files_in_python(tmp_path):
    np.savez(tmp_path / "a.npz", image=RASTER, other=RASTER + 1)
    extent = [(-1, 1), (0, 2)]
    assert read_grid_data("f", f"{tmp_path / 'a.npz'}:other", extent) == GridData("f", RASTER + 1, extent)
    raster = read_grid_data("f", f"{tmp_path / 'a.npz'}:image", extent, layout="raster", order=1)
    assert raster == GridData.from_raster("f", RASTER, extent, 1)
    with pytest.raises(ProblemFileError, match=r"data 'f': the file 'a\.npz' holds several arrays; give a key"):
        read_grid_data("f", tmp_path / "a.npz", extent)
    with pytest.raises(ProblemFileError, match=r"does not exist"):
        read_grid_data("f", tmp_path / "b.npz", extent)


def test_data_given_by_the_caller(tmp_path):
    np.savez(tmp_path / "b.npz", f=RASTER, g=2 * RASTER)
    text = DATA.format(EXTENT)
    problem = loads_problem(text, data={"source": f"{tmp_path / 'b.npz'}:g"})
    assert _source(problem) == GridData("source", 2 * RASTER, ((-1, 1), (-1, 1)))
    missing = "pass one with --data source=FILE, in Python data={'source': 'FILE'}"
    inline = "values = [[1, 2], [3, 4]], order = 1, "
    for entry, data, message in [
        ("", {}, f"data.source: no file is named; {missing}"),
        (
            'file = "none.npz", ',
            {},
            f"data.source: the file 'none.npz' does not exist in '{tmp_path}'; {missing}",
        ),
        (
            "",
            {"source": tmp_path / "b.npz"},
            "data.source: the file 'b.npz' holds several arrays; give a key; known: f, g",
        ),
        (
            "",
            {"source": f"{tmp_path / 'b.npz'}:ff"},
            "data.source: the file 'b.npz' holds no 'ff'; did you mean 'f'?",
        ),
        (
            inline,
            {"sorce": "b.npz"},
            "data: a file is given for 'sorce', which this problem does not use; did you mean 'source'?",
        ),
    ]:
        with pytest.raises(ProblemFileError) as caught:
            loads_problem(DATA.format(entry + EXTENT), base=tmp_path, data=data)
        assert str(caught.value) == f"problem: {message}"


def test_pickles_are_never_loaded(tmp_path):
    sentinel = tmp_path / "sentinel"

    class Bomb:
        def __reduce__(self):
            return (open, (str(sentinel), "w"))

    np.savez(tmp_path / "a.npz", source=np.array([[Bomb()]], dtype=object))
    np.save(tmp_path / "a.npy", np.array([[Bomb()]], dtype=object))
    sentinel.unlink(missing_ok=True)
    for name in ("a.npz", "a.npy"):
        with pytest.raises(ProblemFileError, match=r"cannot be read as np[yz]: Object arrays cannot be loaded"):
            loads_problem(DATA.format(f'file = "{name}", {EXTENT}'), base=tmp_path)
    assert not sentinel.exists()


def test_a_byte_order_mark_is_skipped(tmp_path):
    text = HEADER + 'equations = ["-laplacian(u) = 1"]\n'
    (tmp_path / "plain.toml").write_bytes(text.encode("utf-8"))
    (tmp_path / "marked.toml").write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))
    plain, marked = (read_problem(tmp_path / f"{name}.toml") for name in ("plain", "marked"))
    assert marked.equations == plain.equations


def test_observations_from_files(tmp_path):
    points = np.array([[0.0, 0.5], [0.25, -0.5], [0.1, 0.1]])
    values = np.array([1.0, 2.0, 3.0])
    np.savez(tmp_path / "o.npz", points=points, measured=values)
    np.savetxt(tmp_path / "o.csv", np.column_stack([points, values]), delimiter=",", header="x,y,u")
    body = (
        HEADER
        + 'equations = ["laplacian(u) = 0"]\n'
        + '[[conditions]]\nkind = "observations"\nunknown = "u"\nnoise = 0.1\n'
    )
    expected = Observations(u, points, values, 0.1)
    assert loads_problem(body + 'file = "o.csv"\n', base=tmp_path).conditions == (expected,)
    assert loads_problem(body + 'file = "o.npz"\nvalues_key = "measured"\n', base=tmp_path).conditions == (expected,)
    given = loads_problem(body + 'data = "sensors"\n', data={"sensors": tmp_path / "o.csv"})
    assert given.conditions == (expected,)
    assert loads_problem(dumps_problem(given)) == given


def test_large_data_is_saved_next_to_the_problem(tmp_path):
    grid = GridData("source", np.random.default_rng(0).normal(size=(90, 80)), ((-1, 1), (-1, 1)))
    problem = Problem([Eq(-laplacian(u), grid(x, y))], SQUARE, [Dirichlet(u, 0)], name="big")
    with pytest.raises(SpecificationError, match=r"^data 'source': 7,200 values without a file; use write_problem"):
        dumps_problem(problem)
    write_problem(problem, tmp_path / "big.toml")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["big.toml", "big_source.npz"]
    assert read_problem(tmp_path / "big.toml") == problem


def test_mesh_domain(tmp_path):
    points = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]])
    triangles = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    meshio.Mesh(np.column_stack([points, np.zeros(5)]), {"triangle": triangles}).write(tmp_path / "plate.vtu")
    path = tmp_path / "p.toml"
    path.write_text(
        'coordinates = ["x", "y"]\nunknowns = ["u"]\nequations = ["laplacian(u) = 1"]\n'
        "domain = \"mesh('plate.vtu')\"\n"
        '[[conditions]]\nkind = "dirichlet"\nunknown = "u"\n'
    )
    problem = read_problem(path)
    assert problem.domain.measure == pytest.approx(1.0, rel=1e-12)
    write_problem(problem, tmp_path / "q.toml")
    assert 'domain = "mesh(\\"plate.vtu\\")"' in (tmp_path / "q.toml").read_text()
    again = read_problem(tmp_path / "q.toml")
    assert again.domain == problem.domain


# --- what cannot be written


def test_functions_cannot_be_written(tmp_path):
    problem = Problem([Eq(laplacian(u), 0)], SQUARE, [Dirichlet(u, 0, on=lambda points: points[:, 0] < 2)])
    message = (
        "condition 1 ('dirichlet' on u): 'on' is a Python function, which no file can hold; "
        "use a part's name, a shape or a condition such as x < 0.5"
    )
    with pytest.raises(SpecificationError) as caught:
        write_problem(problem, tmp_path / "p.toml")
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_exact_is_refused():
    unevaluated = sympy.Add(x, x, evaluate=False)
    problem = Problem([Eq(laplacian(u), 0)], SQUARE, [Dirichlet(u, unevaluated)])
    with pytest.raises(SpecificationError, match="cannot be written to a file exactly: conditions would change"):
        dumps_problem(problem)


def test_nothing_half_written_stays(tmp_path, monkeypatch):
    grid = GridData("source", np.ones((90, 80)), ((-1, 1), (-1, 1)))
    problem = Problem([Eq(-laplacian(u), grid(x, y))], SQUARE, [Dirichlet(u, 0)])
    path = tmp_path / "p.toml"
    path.write_text("old")

    def fail(source, target):
        if str(target).endswith(".toml"):
            raise OSError(28, "No space left on device")
        original(source, target)

    import os

    original = os.replace
    monkeypatch.setattr("physolve.spec._file.os.replace", fail)
    with pytest.raises(ProblemFileError, match=r"^p.toml: cannot be written: No space left on device$"):
        write_problem(problem, path)
    assert [p.name for p in tmp_path.iterdir()] == ["p.toml"]
    assert path.read_text() == "old"


def test_writing_into_a_missing_folder(tmp_path):
    with pytest.raises(ProblemFileError, match=r"^p.toml: cannot be written: No such file or directory$"):
        write_problem(poisson_lshape(), tmp_path / "none" / "p.toml")


def test_reading_what_is_no_text(tmp_path):
    (tmp_path / "p.toml").write_bytes(b"\xff\xfe\x00")
    for path, message in [
        (tmp_path / "p.toml", "p.toml: not a text file in UTF-8"),
        (tmp_path / "q.toml", f"q.toml: no such file in '{tmp_path}'"),
        (tmp_path, f"{tmp_path.name}: cannot be read: Is a directory"),
        (Path("."), ".: cannot be read: Is a directory"),
    ]:
        with pytest.raises(ProblemFileError) as caught:
            read_problem(path)
        assert str(caught.value) == message


def test_warnings_reach_the_reader():
    with pytest.warns(WellPosednessWarning, match="unknown 'u' has no condition on 'boundary'"):
        loads_problem(HEADER + 'equations = ["laplacian(u) = 0"]\n')


def test_writing_does_not_warn_again():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem = Problem([Eq(laplacian(u), 0)], SQUARE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dumps_problem(problem)


# --- random documents

FRAGMENTS = st.sampled_from(
    [
        *(
            'equations = ["laplacian(u) = 1"]',
            'equations = "u = 1"',
            "equations = []",
            "equations = [1]",
            'domain = "u"',
        ),
        *('domain = "disk([0, 0], 1)"', 'unknowns = ["u"]', "[unknowns]\nu = {}", 'coordinates = ["x", "y"]'),
        *(
            'coordinates = ["t", "x"]',
            '[[conditions]]\nkind = "dirichlet"\nunknown = "u"',
            "[conditions]\na = 1",
        ),
        *(
            '[[conditions]]\nkind = "robin"',
            '[exact]\nu = "x"',
            "[exact]\nu = nan",
            '[constants]\nk = "__import__"',
        ),
        *(
            "[constants]\nk = 1979-05-27",
            '[data]\ns = { values = [1, "a"] }',
            '[shapes]\na = "a"',
            "x = {",
            "]",
            '"""',
        ),
    ]
)


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.text(max_size=80), st.lists(FRAGMENTS, min_size=3, max_size=7).map("\n".join)))
def test_random_documents_raise_problem_file_errors_only(text):
    try:
        loads_problem(text)
    except ProblemFileError as error:
        assert "\n" not in str(error)  # noqa: PT017
