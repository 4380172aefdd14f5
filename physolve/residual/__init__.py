"""From a problem and points to residual rows, in a linear and a nonlinear view."""

from ._collocate import Collocation as Collocation
from ._collocate import Density as Density
from ._corners import notable_corners as notable_corners
from ._form import Form as Form
from ._form import Frame as Frame
from ._form import lower as lower
from ._fronts import Fronts as Fronts
from ._rows import Rows as Rows
from ._rows import Side as Side
