"""XDMF as FEniCS writes it: a collection for each function, and a mesh that may be written at each step."""

import h5py
import numpy as np
import pytest
import simulations as sim

from physolve.errors import ProblemFileError
from physolve.mesh.data import read_source

INCLUDE = (
    "<xi:include xpointer=\"xpointer(/Xdmf/Domain/Grid[@GridType='Uniform'][1]/*[self::Topology or self::Geometry])\"/>"
)


class Xdmf:
    """The file as it grows, its numbers beside it."""

    def __init__(self, path):
        self.path, self.text, self.numbers = path, "", h5py.File(path.with_suffix(".h5"), "w")

    def item(self, values):
        place = f"data{len(self.numbers)}"
        self.numbers[place] = values
        kind, shape = "Int" if values.dtype.kind == "i" else "Float", " ".join(map(str, values.shape))
        where = f"{self.path.stem}.h5:/{place}"
        return f'<DataItem Dimensions="{shape}" NumberType="{kind}" Precision="8" Format="HDF">{where}</DataItem>'

    def mesh(self, points=sim.POINTS, triangles=sim.TRIANGLES):
        topology = f'<Topology TopologyType="Triangle">{self.item(triangles)}</Topology>'
        return f'{topology}<Geometry GeometryType="XY">{self.item(points)}</Geometry>'

    def add_mesh(self):
        self.text += f'<Grid Name="mesh" GridType="Uniform">{self.mesh()}</Grid>'

    def add_tags(self):
        tags = f'<Topology TopologyType="PolyLine" NodesPerElement="2">{self.item(np.array([[0, 1]]))}</Topology>'
        self.text += f'<Grid Name="tags" GridType="Uniform">{INCLUDE}{tags}</Grid>'

    def add_collection(self, name, frames, times=None, mesh=lambda step: INCLUDE, center="Node"):
        self.text += f'<Grid Name="{name}" GridType="Collection" CollectionType="Temporal">'
        for step, values in enumerate(frames):
            time = 0.5 * step if times is None else times[step]
            self.text += (
                f'<Grid Name="{name}" GridType="Uniform">{mesh(step)}<Time Value="{time}"/>'
                f'<Attribute Name="{name}" Center="{center}">{self.item(values)}</Attribute></Grid>'
            )
        self.text += "</Grid>"

    def series(self):
        self.numbers.close()
        space = 'xmlns:xi="https://www.w3.org/2001/XInclude"'
        self.path.write_text(f'<Xdmf Version="3.0" {space}><Domain>{self.text}</Domain></Xdmf>')
        (series,) = read_source(self.path)
        return series


@pytest.fixture
def xdmf(tmp_path):
    return Xdmf(tmp_path / "flow.xdmf")


def pressures(steps=sim.STEPS):
    return [sim.flow(step)["pressure"][:, None] for step in range(steps)]


@pytest.mark.parametrize("names", [("velocity", "pressure"), ("pressure", "velocity")])
@pytest.mark.parametrize("tagged", [False, True])
def test_the_functions_of_a_file_are_joined(xdmf, names, tagged):
    xdmf.add_mesh()
    if tagged:
        xdmf.add_tags()
    for name in names:
        xdmf.add_collection(name, [sim.flow(step)[name] for step in range(sim.STEPS)])
    series = xdmf.series()
    assert np.array_equal(series.cells["triangle"], sim.TRIANGLES)
    assert series.times.tolist() == [0, 0.5, 1, 1.5]
    for step in (2, 0):
        frame = series.frame(step)
        assert frame.keys() == {"velocity", "pressure"}
        assert all(np.array_equal(frame[name], values) for name, values in sim.flow(step).items())


def test_values_of_cells_are_averaged(xdmf):
    """Those of x + y at the centres of cells: exact at nodes between cells that lie evenly around them."""
    centres = sim.POINTS[sim.TRIANGLES].mean(1)
    xdmf.add_mesh()
    xdmf.add_collection("pressure", pressures(1))
    xdmf.add_collection("x_plus_y", [centres.sum(1, keepdims=True)], center="Cell")
    frame = xdmf.series().frame(0)
    inside = ((sim.POINTS > 0) & (sim.POINTS < 1)).all(1)
    assert frame["x_plus_y"][inside, 0] == pytest.approx(sim.POINTS[inside].sum(1))
    assert np.array_equal(frame["pressure"], pressures(1)[0])


@pytest.mark.parametrize("times", [[0, 0.5, 1], [0, 0.1, 0.2, 0.3]])
def test_functions_at_different_times(xdmf, times):
    xdmf.add_mesh()
    xdmf.add_collection("p", pressures())
    xdmf.add_collection("q", pressures(len(times)), times)
    with pytest.raises(
        ProblemFileError, match=r"flow.xdmf: collections: got 'p' with 4 steps .* and 'q' with \d steps"
    ):
        xdmf.series()


def test_functions_of_one_name(xdmf):
    xdmf.add_mesh()
    for _ in range(2):
        xdmf.add_collection("f", pressures())
    with pytest.raises(ProblemFileError, match="field 'f' is in two collections"):
        xdmf.series().frame(0)


def test_a_mesh_that_is_written_at_each_step_and_stays(xdmf):
    xdmf.add_collection("p", pressures(), mesh=lambda step: xdmf.mesh())
    assert np.array_equal(xdmf.series().frame(3)["p"], pressures()[3])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ((sim.POINTS + 0.1, sim.TRIANGLES), "flow.xdmf: step 2 has its nodes elsewhere"),
        ((sim.POINTS, sim.TRIANGLES[::-1]), "flow.xdmf: step 2 connects its nodes otherwise"),
        ((np.pad(sim.POINTS, ((0, 1), (0, 0))), sim.TRIANGLES), "step 2 has 17 nodes and the first one 16"),
    ],
    ids=["moved", "reconnected", "grown"],
)
@pytest.mark.parametrize("second", [False, True])
def test_a_mesh_that_changes(xdmf, changed, message, second):
    if second:
        xdmf.add_collection("q", pressures(), mesh=lambda step: xdmf.mesh())
    xdmf.add_collection("p", pressures(), mesh=lambda step: xdmf.mesh(*(changed if step == 2 else ())))
    series = xdmf.series()
    series.frame(1)
    with pytest.raises(ProblemFileError, match=message):
        series.frame(2)


def test_a_step_without_time(xdmf):
    xdmf.add_mesh()
    xdmf.add_collection("p", pressures())
    xdmf.text = xdmf.text.replace('<Time Value="0.5"/>', "")
    with pytest.raises(ProblemFileError, match="got one without a time"):
        xdmf.series()


def test_numbers_that_are_not_there(xdmf):
    xdmf.add_mesh()
    xdmf.add_collection("p", pressures())
    del xdmf.numbers["data3"]
    with pytest.raises(ProblemFileError, match="not a complete XDMF file"):
        xdmf.series().frame(1)


def test_a_file_without_mesh(xdmf):
    xdmf.add_mesh()
    xdmf.text = xdmf.text.replace("Geometry", "Nothing")
    xdmf.add_collection("p", pressures())
    with pytest.raises(ProblemFileError, match="no mesh; expected a grid with Topology and Geometry"):
        xdmf.series()


def include(path):
    return f'<xi:include xpointer="xpointer({path})"/>'


BOTH = "*[self::Topology or self::Geometry]"
FINER = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), np.array([[0, 1, 2], [0, 2, 3]])
VALUES = [np.arange(4.0)[:, None] + step for step in range(2)]


def add_second_mesh(xdmf):
    """Another one in front of that of which the values are."""
    xdmf.add_mesh()
    xdmf.text += f'<Grid Name="second" GridType="Uniform">{xdmf.mesh(*FINER)}</Grid>'


@pytest.mark.parametrize(
    "path",
    [
        f"/Xdmf/Domain/Grid[@GridType='Uniform'][2]/{BOTH}",
        f"/Xdmf/Domain/Grid[2]/{BOTH}",
        f"//Grid[@Name=&quot;second&quot;]/{BOTH}",
        f"/Xdmf/Domain/*[@Name = 'second'][1]/{BOTH}",
    ],
)
def test_the_mesh_is_the_one_that_the_steps_refer_to(xdmf, path):
    add_second_mesh(xdmf)
    xdmf.add_collection("p", VALUES, mesh=lambda step: include(path))
    series = xdmf.series()
    assert np.array_equal(series.points, FINER[0])
    assert np.array_equal(series.cells["triangle"], FINER[1])
    assert np.array_equal(series.frame(1)["p"], VALUES[1])


def test_references_of_the_format_itself(xdmf):
    add_second_mesh(xdmf)
    topology = '<Topology Reference="/Xdmf/Domain/Grid[2]/Topology"/>'
    numbers = '<DataItem Reference="XML">/Xdmf/Domain/Grid[2]/Geometry/DataItem</DataItem>'
    xdmf.add_collection("p", VALUES, mesh=lambda step: f'{topology}<Geometry GeometryType="XY">{numbers}</Geometry>')
    series = xdmf.series()
    assert np.array_equal(series.points, FINER[0])
    assert np.array_equal(series.frame(1)["p"], VALUES[1])


def test_later_steps_refer_to_the_first_one(xdmf):
    """FEniCS, for files without a mesh of their own."""
    path = f"//Grid[@Name='p']/Grid[1]/{BOTH}"
    xdmf.add_mesh()
    xdmf.add_collection("p", VALUES, mesh=lambda step: include(path) if step else xdmf.mesh(*FINER))
    series = xdmf.series()
    assert np.array_equal(series.points, FINER[0])
    assert np.array_equal(series.frame(1)["p"], VALUES[1])


@pytest.mark.parametrize("second", [False, True])
def test_steps_that_refer_to_different_meshes(xdmf, second):
    """In one collection or in two: one mesh a trajectory."""
    add_second_mesh(xdmf)
    if second:
        xdmf.add_collection("q", pressures(2))
        xdmf.add_collection("p", VALUES, mesh=lambda step: include(f"/Xdmf/Domain/Grid[2]/{BOTH}"))
    else:
        xdmf.add_collection("p", pressures(2), mesh=lambda step: include(f"/Xdmf/Domain/Grid[{step + 1}]/{BOTH}"))
    series = xdmf.series()
    with pytest.raises(ProblemFileError, match=r"flow.xdmf: step 1 has 4 nodes and the first one 16"):
        series.frame(1)


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        ('<xi:include href="other.xdmf" xpointer="xpointer(/Xdmf/Domain/Grid/*)"/>', "a mesh in another file"),
        (include(f"//Grid[3]/{BOTH}"), "nothing is there; expected Topology and Geometry"),
        (include(f"//Grid[position() = 2]/{BOTH}"), r"reference '\[position\(\) = 2\]' is not understood"),
        (include(f"Grid[2]/{BOTH}"), "is not understood; expected a path such as /Xdmf/Domain/Grid"),
        (include(f"/Xdmf/Domain/Grid[1]/{BOTH} | //Grid"), "is not understood"),
        ('<xi:include xpointer="mesh"/>', "reference 'mesh' is not understood"),
        (include(f"//Grid[@GridType='Uniform']/{BOTH}"), r"grid 'p': refers to 2 elements Topology, expected one"),
        ('<Topology Reference="/Xdmf/Domain/Grid[2]/Attribute"/>', "nothing is there"),
    ],
)
def test_references_that_cannot_be_followed(xdmf, mesh, message):
    add_second_mesh(xdmf)
    xdmf.add_collection("p", VALUES, mesh=lambda step: mesh)
    with pytest.raises(ProblemFileError, match=message):
        xdmf.series()


def test_references_in_a_circle(xdmf):
    xdmf.add_mesh()
    xdmf.text += '<Grid Name="round"><Topology Reference="/Xdmf/Domain/Grid[2]/Topology"/></Grid>'
    xdmf.add_collection("p", VALUES, mesh=lambda step: include("/Xdmf/Domain/Grid[2]/Topology"))
    with pytest.raises(ProblemFileError, match="is not understood"):
        xdmf.series()
