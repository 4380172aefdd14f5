"""Training of the hypernetwork: losses, schedule, the Lightning module, the run and its record.

Importing this package imports Lightning, `import physolve` does not.
"""

from ._keeper import RECORD as RECORD
from ._keeper import WEIGHTS as WEIGHTS
from ._keeper import Listener as Listener
from ._keeper import News as News
from ._losses import LossWeights as LossWeights
from ._run import LAST as LAST
from ._run import train as train
from ._settings import Configuration as Configuration
from ._settings import TrainingSettings as TrainingSettings
from ._settings import read_configuration as read_configuration
