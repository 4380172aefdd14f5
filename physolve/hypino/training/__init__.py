"""Training of the hypernetwork: losses, settings, the Lightning module, the run.

Importing this package imports Lightning, `import physolve` does not.
"""

from physolve.training import LAST as LAST
from physolve.training import RECORD as RECORD
from physolve.training import WEIGHTS as WEIGHTS
from physolve.training import Listener as Listener
from physolve.training import News as News

from ._losses import LossWeights as LossWeights
from ._run import train as train
from ._settings import Configuration as Configuration
from ._settings import TrainingSettings as TrainingSettings
from ._settings import read_configuration as read_configuration
