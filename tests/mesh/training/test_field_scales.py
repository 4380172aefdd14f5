"""Scales of fields of very different sizes, and of what is constant."""

import numpy as np
import pytest
from waves import DT, frame, square

from physolve.mesh.data import Fields, MeshStore, Series, writing
from physolve.mesh.training._design import design_for, scales_of
from physolve.mesh.training._settings import Configuration, DataSettings

BOTH = DataSettings(state=("velocity", "pressure"))


def scales(path, velocity, pressure, data=BOTH, noise=0.1):
    """Of a flow in other units; `pressure` changes what the field is."""
    points, triangles, types = square(7)

    def there(step):
        fields = frame(points, DT * step, 0.3)
        return {"velocity": velocity * fields["velocity"], "pressure": pressure(fields["pressure"])}

    with writing(path) as writer:
        writer.add(Series("a", "a", points, {"triangle": triangles}, DT * np.arange(6), there), types, Fields({}))
    store = MeshStore(path)
    return scales_of(store, design_for(Configuration(data), store), data, noise)


@pytest.mark.parametrize("data", [BOTH, DataSettings(outputs=("pressure",))])
def test_units_change_scales_and_nothing_else(tmp_path, data):
    """Millimetres a second beside tenths of a megapascal: each field as if it were alone."""
    unit = scales(tmp_path / "a.h5", 1.0, lambda p: p, data)
    other = scales(tmp_path / "b.h5", 1e-3, lambda p: 1e5 * p, data)
    factor = np.array([1e-3, 1e-3, 1e5])
    width = len(unit.scale)
    for name in ("mean", "scale", "increment"):
        assert getattr(other, name).numpy() == pytest.approx(factor[:width] * getattr(unit, name).numpy(), rel=1e-4)
    assert other.output_scale.numpy() == pytest.approx(factor[width:] * unit.output_scale.numpy(), rel=1e-4)


def test_what_is_constant_is_a_millionth_of_its_field(tmp_path):
    found = scales(tmp_path / "a.h5", 1.0, lambda p: 1e5 + 0 * p, noise=0.0)
    assert found.scale[0].item() == pytest.approx(1e-6, rel=1e-3)  # of a component that is 1 beside a smaller one
    assert found.scale[2].item() == pytest.approx(0.1, rel=1e-3)
    assert found.increment[2].item() == pytest.approx(1e-7, rel=1e-3)
