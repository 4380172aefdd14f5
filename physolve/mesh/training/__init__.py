"""Training of learned simulators: settings, windows of trajectories, the Lightning module, the run.

Importing this package imports Lightning, `import physolve` does not.
"""

from physolve.training import LAST as LAST
from physolve.training import RECORD as RECORD
from physolve.training import WEIGHTS as WEIGHTS
from physolve.training import Listener as Listener
from physolve.training import News as News

from ._run import train as train
from ._settings import Configuration as Configuration
from ._settings import DataSettings as DataSettings
from ._settings import ModelSettings as ModelSettings
from ._settings import PhysicsWeights as PhysicsWeights
from ._settings import TrainingSettings as TrainingSettings
from ._settings import read_configuration as read_configuration
