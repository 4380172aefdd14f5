"""Air quality at stations over time: read, checked, put on a regular clock, split, scaled, stored."""

from ._fill import Filled as Filled
from ._fill import fill_for_input as fill_for_input
from ._scaler import Scaler as Scaler
from ._series import EAST as EAST
from ._series import HUMID_WEATHER as HUMID_WEATHER
from ._series import NORTH as NORTH
from ._series import WEATHER as WEATHER
from ._series import AirSeries as AirSeries
from ._split import split as split
from ._stations import Stations as Stations
from ._store import read_series as read_series
from ._store import write_series as write_series
