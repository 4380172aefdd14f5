"""Finite-volume operators on station graphs, and how a problem's equation is lowered to them."""

from ._graph import StationGraph as StationGraph
from ._graph import station_graph as station_graph
from ._sphere import KM_PER_DEGREE as KM_PER_DEGREE
from ._sphere import bearing as bearing
from ._sphere import haversine as haversine
from ._sphere import local_plane as local_plane
from ._stream import stream_speeds as stream_speeds
from ._terms import Advection as Advection
from ._terms import Coefficient as Coefficient
from ._terms import Terms as Terms
from ._terms import lower as lower
from ._transport import Exchange as Exchange
from ._transport import Scheme as Scheme
from ._transport import conductance as conductance
from ._transport import divergence as divergence
from ._transport import edge_wind as edge_wind
from ._transport import exchange as exchange
from ._transport import mass as mass
from ._transport import rim_wind as rim_wind
