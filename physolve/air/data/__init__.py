"""Air quality at stations over time: read, checked, put on a regular clock, split, scaled, stored."""

from ._basin import Basin as Basin
from ._columns import BEIJING as BEIJING
from ._columns import Columns as Columns
from ._columns import read_columns as read_columns
from ._fill import Filled as Filled
from ._fill import fill_for_input as fill_for_input
from ._prepare import Preparation as Preparation
from ._prepare import prepare as prepare
from ._report import Report as Report
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
from ._synthetic import Sampling as Sampling
from ._synthetic import generate as generate
from ._wind import degrees_from as degrees_from
from ._wind import wind_from as wind_from
from ._wind import wind_vector as wind_vector
