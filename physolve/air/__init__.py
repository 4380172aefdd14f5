"""Air quality: diffusion and advection on a graph of stations, learned from what they measure."""

from ._calibration import Calibration as Calibration
from ._forecast import Forecast as Forecast
from ._forecast import forecast as forecast
from ._forecast import instant as instant
from ._model import AirModel as AirModel
from ._model import Prediction as Prediction
from ._setup import AirSetup as AirSetup
from ._setup import at_stations as at_stations
from ._sizes import AirSizes as AirSizes
from ._solver import OdeSolver as OdeSolver
from ._weights import load_weights as load_weights
from ._weights import save_weights as save_weights
from ._windows import Windows as Windows
