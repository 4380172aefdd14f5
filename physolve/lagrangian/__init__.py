"""Lagrangian PINNs: convection-dominated problems in the frame of their characteristics."""

from ._field import LagrangianField as LagrangianField
from ._frame import MovingFrame as MovingFrame
from ._frame import lowered as lowered
from ._frame import why_not as why_not
from ._model import MovingModel as MovingModel
from ._system import MovingSystem as MovingSystem
