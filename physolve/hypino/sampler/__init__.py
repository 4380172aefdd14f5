"""Random problems for the hypernetwork: manufactured solutions and physics alone, in batches on the device."""

from ._sampler import sample as sample
from ._sampler import validation_set as validation_set
from ._settings import CurriculumSettings as CurriculumSettings
from ._settings import Kinds as Kinds
from ._settings import OperatorLimits as OperatorLimits
from ._settings import SamplerSettings as SamplerSettings
from ._settings import ShapeSettings as ShapeSettings
from ._settings import Types as Types
