"""Incompressible Navier-Stokes flows in the plane: Taylor-Hood elements, stationary or marched in time."""

from ._channel import Channel as Channel
from ._channel import MeshSizes as MeshSizes
from ._channel import Part as Part
from ._channel import channel_mesh as channel_mesh
from ._channel_flow import channel_flow as channel_flow
from ._channel_flow import force_on as force_on
from ._flow import Flow as Flow
from ._flow import Velocity as Velocity
from ._flow import at_rest as at_rest
from ._inflow import Inflow as Inflow
from ._steady import steady_flow as steady_flow
from ._stepper import Level as Level
from ._stepper import Stepper as Stepper
from ._taylor_hood import TaylorHood as TaylorHood
