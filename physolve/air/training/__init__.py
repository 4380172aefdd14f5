"""Training of models of air quality on Lightning, their baselines, and how both are judged."""

from ._baselines import climatology as climatology
from ._baselines import persistence as persistence
from ._baselines import ridge as ridge
from ._baselines import unlearned as unlearned
from ._losses import LossWeights as LossWeights
from ._losses import crps as crps
from ._losses import loss as loss
from ._losses import masked_mean as masked_mean
from ._protocols import sparse_history as sparse_history
from ._protocols import sudden_changes as sudden_changes
from ._recurrent import train_recurrent as train_recurrent
from ._run import Parts as Parts
from ._run import prepared as prepared
from ._run import train as train
from ._scores import Forecaster as Forecaster
from ._scores import Scores as Scores
from ._scores import evaluate as evaluate
from ._settings import Configuration as Configuration
from ._settings import DataSettings as DataSettings
from ._settings import TrainingSettings as TrainingSettings
from ._settings import read_configuration as read_configuration
from ._spread import Spread as Spread
from ._spread import calibrate as calibrate
from ._spread import spread_of as spread_of
