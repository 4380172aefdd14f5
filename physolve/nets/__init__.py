"""Networks and bases that evaluate themselves with all the derivatives a residual asks for."""

from ._basis import Basis as Basis
from ._basis import Operator as Operator
from ._basis import Orders as Orders
from ._chebyshev import Chebyshev as Chebyshev
from ._complex_powers import ComplexPowers as ComplexPowers
from ._composite import Concatenated as Concatenated
from ._diffusion_layers import DiffusionLayers as DiffusionLayers
from ._diffusion_layers import Front as Front
from ._field import Expansion as Expansion
from ._field import Field as Field
from ._field import Frozen as Frozen
from ._field import JetAtom as JetAtom
from ._field import TimeSlabs as TimeSlabs
from ._field import ZeroField as ZeroField
from ._generated import GeneratedBasis as GeneratedBasis
from ._pinn import PINN as PINN
from ._pinn import PINNModel as PINNModel
from ._polynomials import Polynomials as Polynomials
from ._rebuild import rebuild_field as rebuild_field
from ._regional import Regional as Regional
from ._similarity_features import SimilarityFeatures as SimilarityFeatures
from ._stretched import Stretch as Stretch
from ._stretched import Stretched as Stretched
from ._stretched import Stretches as Stretches
from ._tanh_features import TanhFeatures as TanhFeatures
from ._windows import WindowedFeatures as WindowedFeatures
