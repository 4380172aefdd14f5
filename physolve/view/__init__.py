"""Pictures, animations and scenes of solutions and rollouts, drawn without a screen."""

from ._comparison import comparison_film as comparison_film
from ._comparison import triangulated as triangulated
from ._curve import plot_convergence as plot_convergence
from ._curve import plot_cut as plot_cut
from ._plot import SUFFIXES as SUFFIXES
from ._plot import plot as plot
from ._stations import StationMap as StationMap
from ._stations import plot_stations as plot_stations
from ._style import Style as Style
