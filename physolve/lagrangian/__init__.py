"""Lagrangian PINNs: convection-dominated problems in the frame of their characteristics."""

from ._crossing import Crossing as Crossing
from ._field import LagrangianField as LagrangianField
from ._field import rebuild_field as rebuild_field
from ._frame import MovingFrame as MovingFrame
from ._frame import lowered as lowered
from ._frame import why_not as why_not
from ._lagrangian import Lagrangian as Lagrangian
from ._model import MovingModel as MovingModel
from ._sides import unbounded as unbounded
from ._system import MovingSystem as MovingSystem
from ._travel import travel as travel
